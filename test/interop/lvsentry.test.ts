/** lvsentry beside lvsentry: what no other program speaks, or does in its own way. The observer says who is master. */
import t, { type Test } from 'tap';
import { Duel, type Host } from './duel.js';
import { MODES } from './matrix.js';
import {
  configureLvsentry,
  loggedBy,
  lvsentry,
  lvsentryWith,
  routerWhen,
  startLvsentry,
} from './peers/lvsentry.js';
import type { Mode } from './peers/model.js';
import { ASKING, type Program, Stage, whyNot } from './stage.js';

const HIGH = { priority: 150, preempt: true };
const LOW = { priority: 100, preempt: true };
const MULTICAST = MODES.filter(({ cast, version }) => cast === 'multicast' && version === 3);
const IPV4: Mode = { ...MODES[2], name: 'IPv4' } as Mode;

async function putBack(t: Test, mode: Mode): Promise<void> {
  // One burst alone: what is announced later is announced for a reason.
  const peer = lvsentryWith(() => ', announce: { delay: 0s }');
  const duel = await Duel.build(mode, peer, peer);
  t.teardown(() => duel.close());
  const since = duel.capture.mark();
  await duel.start('a', HIGH);
  await duel.start('b', LOW);
  await duel.masterIs(t, { master: 'a', why: 'its priority is higher', since });
  const before = await routerWhen(duel.stage, 'a', ({ role }) => role === 'master');
  const taken = duel.capture.mark();
  await duel.stage.ip('a', 'addr', 'del', mode.vips.at(-1) ?? '', 'dev', 'eth0');
  const router = await routerWhen(duel.stage, 'a', ({ putBack }) => putBack > before.putBack);
  t.equal(router.putBack - before.putBack, 1, 'it is counted once');
  t.equal(router.role, 'master', 'that is no reason to leave the role');
  await duel.stage.until('it is announced again', () => duel.announcements(taken, 'a').length > 0);
  await duel.answersAre(['a'], 'the virtual IP is put back');
  t.equal(duel.capture.adverts(taken).filter(({ from }) => from === 'b').length, 0);
  t.equal(duel.capture.resignations(taken, 'a').length, 0);
}

/** What `auth: { hmac }` is, by host. */
interface Keys {
  readonly keys: Readonly<Record<string, string>>;
  readonly active: number;
}

function hmac({ keys, active }: Keys): string {
  const list = Object.entries(keys).map(([id, key]) => `'${id}': ${key}`);
  return `, auth: { hmac: { keys: { ${list.join(', ')} }, active: ${active} } }`;
}

async function wrongKey(t: Test): Promise<void> {
  const keys: Record<Host, Keys> = {
    a: { keys: { 1: 'right' }, active: 1 },
    b: { keys: { 1: 'wrong' }, active: 1 },
  };
  const peer = lvsentryWith((host) => hmac(keys[host]));
  const duel = await Duel.build(IPV4, peer, peer);
  t.teardown(() => duel.close());
  await duel.start('a', HIGH);
  await duel.start('b', LOW);
  await duel.stage.until('neither believes the other', () =>
    (['a', 'b'] as const).every((host) => duel.capture.claims(0, host).length >= 5),
  );
  for (const host of ['a', 'b'] as const) {
    const router = await routerWhen(duel.stage, host, ({ discarded }) => Number(discarded.forged) > 0);
    t.equal(router.role, 'master', `${host} is master beside a forger`);
    t.same(Object.keys(router.discarded), ['forged'], `${host} counts what is forged`);
  }
  await duel.stop('a');
  await duel.stop('b');
  // tcpdump knows nothing of the trailer and takes it for a part of what the checksum covers.
  const told = new Set(duel.complaints().filter((text) => !text.startsWith('tcpdump')));
  t.equal(told.size, 2, 'each tells one thing, once in a role');
  t.match([...told].sort(), [/lvsentry \(a\).* signature is wrong/, /lvsentry \(b\).* signature is wrong/]);
}

async function keyRotation(t: Test): Promise<void> {
  const old: Keys = { keys: { 1: 'old' }, active: 1 };
  const keys: Record<Host, Keys> = { a: old, b: old };
  const peer = lvsentryWith((host) => hmac(keys[host]));
  const duel = await Duel.build(IPV4, peer, peer);
  t.teardown(() => duel.close());
  const { capture } = duel;
  await duel.start('a', HIGH);
  await duel.start('b', LOW);
  await duel.masterIs(t, { master: 'a', why: 'both have the same key', since: 0 });
  const since = capture.mark();
  const both = { 1: 'old', 2: 'new' };
  const steps: readonly (readonly [Host, Keys, string])[] = [
    ['a', { keys: both, active: 1 }, 'a learns the new key'],
    ['b', { keys: both, active: 1 }, 'b learns the new key'],
    ['a', { keys: both, active: 2 }, 'a signs with the new key'],
    ['b', { keys: both, active: 2 }, 'b signs with the new key'],
    ['b', { keys: { 2: 'new' }, active: 2 }, 'b forgets the old key'],
    ['a', { keys: { 2: 'new' }, active: 2 }, 'a forgets the old key'],
  ];
  for (const [host, next, name] of steps) {
    keys[host] = next;
    await peer.reload(duel[host], host === 'a' ? HIGH : LOW);
    const reloaded = capture.mark();
    await duel.stage.until('the master goes on', () => capture.claims(reloaded, 'a').length >= 5);
    t.equal(capture.adverts(since).filter(({ from }) => from === 'b').length, 0, `${name}: b is silent`);
  }
  t.equal(capture.resignations(since, 'a').length, 0, 'a was master all the time');
  keys.b = { keys: { 1: 'old' }, active: 1 };
  await peer.reload(duel.b, LOW);
  await duel.stage.until('b does not know the new key', () => capture.claims(since, 'b').length > 0);
  await routerWhen(duel.stage, 'b', ({ discarded }) => Number(discarded['unknown-key']) > 0);
  t.pass('what is signed with an unknown key is counted');
}

/** The host whose adverts are the last two on a link. */
function speaker(stage: Stage, link: string, since: number): string | undefined {
  const claims = stage.capture.adverts(since).filter((advert) => advert.link === link && advert.priority > 0);
  const [one, two] = claims.slice(-2);
  return one?.from === two?.from ? one?.from : undefined;
}

const LINKS = ['eth0', 'eth1'] as const;

async function bothMove(stage: Stage, to: Host, why: string, since: number): Promise<void> {
  await stage.until(`${to} is master of both: ${why}`, () =>
    LINKS.every((link) => speaker(stage, link, since) === to),
  );
  for (const [index, link] of LINKS.entries()) {
    const net = `10.${77 + index}.0`;
    const mac = stage.macOf(to, link);
    const others = [`${net}.${to === 'a' ? 1 : 2}`];
    await stage.untilAnswers([`${to} ${mac}`], `${net}.100`, { others, link, why });
  }
}

async function syncGroup(t: Test): Promise<void> {
  const stage = await Stage.build(['a', 'b'], { links: LINKS });
  t.teardown(() => stage.close());
  const start = (host: Host, priority: number): Program => {
    const router = (link: string, id: number, vip: string): string =>
      `${link}: { interface: ${link}, id: ${id}, priority: ${priority}, interval: 200ms, group: both, addresses: [${vip}/24] }`;
    const lines = [router('eth0', 51, '10.77.0.100'), router('eth1', 52, '10.78.0.100')];
    return startLvsentry(stage, host, configureLvsentry(stage, host, lines));
  };
  const programs = [start('a', 150), start('b', 100)];
  await bothMove(stage, 'a', 'its priority is higher', 0);
  for (const cut of LINKS) {
    const since = stage.capture.mark();
    await stage.pull('a', cut);
    await bothMove(stage, 'b', `the cable of ${cut} is out`, since);
    const resigned = stage.capture.resignations(since, 'a').map(({ link }) => link);
    t.same(
      resigned,
      LINKS.filter((link) => link !== cut),
      'a resigns where it still can',
    );
    const again = stage.capture.mark();
    await stage.plug('a', cut);
    await bothMove(stage, 'a', `the cable of ${cut} is in again`, again);
  }
  const since = stage.capture.mark();
  await programs[0]?.stop('SIGTERM');
  await bothMove(stage, 'b', 'a has stopped', since);
  t.same([...stage.capture.resignations(since, 'a').map(({ link }) => link)].sort(), LINKS);
  for (const program of programs)
    t.notOk(loggedBy(program).find(({ kind, msg }) => kind === 'fallen' || msg.includes('is ignored')));
}

/** The virtual IP is a's own address. */
async function owner(t: Test): Promise<void> {
  const duel = await Duel.build({ ...IPV4, vips: ['10.77.0.1/24'] }, lvsentry, lvsentry);
  t.teardown(() => duel.close());
  const { capture, stage } = duel;
  // Adverts from 10.77.0.1 would come to b from an address of its own, and its kernel would drop them.
  await stage.ip('a', 'addr', 'add', '10.77.0.11/24', 'dev', 'eth0');
  await stage.pull('a');
  await duel.start('a', { ...HIGH, priority: 255 });
  await duel.start('b', LOW);
  await duel.masterIs(t, { master: 'b', why: 'the owner is not there', since: 0, isOtherDeaf: true });
  const since = capture.mark();
  await stage.plug('a');
  await duel.masterIs(t, { master: 'a', why: 'it owns the address', since });
  t.match(capture.claims(since, 'a')[0], { priority: 255, source: '10.77.0.11' });
  const gone = capture.mark();
  await stage.pull('a');
  await duel.masterIs(t, { master: 'b', why: 'the owner is gone', since: gone, isOtherDeaf: true });
  await stage.plug('a');
  const again = capture.mark();
  await duel.masterIs(t, { master: 'a', why: 'the owner is back', since: again });
  await duel.stop('a');
  await stage.until('the owner says that it leaves', () => capture.resignations(again, 'a').length > 0);
  t.match(await stage.ip('a', 'addr', 'show', 'dev', 'eth0'), '10.77.0.1/24', 'its own address stays');
}

const skip = whyNot(...ASKING) ?? false;
t.setTimeout(300_000);
t.jobs = 3;

const options = () => ({ skip, buffered: true, timeout: 120_000 });
for (const mode of MULTICAST)
  void t.test(`${mode.name}: a virtual IP that is taken away is put back`, options(), (t) =>
    putBack(t, mode),
  );
void t.test('signed with another key: refused and counted', options(), wrongKey);
void t.test('keys are changed without a change of the master', options(), keyRotation);
void t.test('a sync group: one cable out, all move', options(), syncGroup);
void t.test('the owner of the address', options(), owner);
