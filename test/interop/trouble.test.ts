/** Bad luck on the host's kernel: killed and restarted, blocked, squatted on, shouted at. An observer says what happened. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Seen } from './capture.js';
import { configureLvsentry, loggedBy, routerWhen, startLvsentry } from './peers/lvsentry.js';
import { type Program, Stage, whyNot } from './stage.js';

const skip = whyNot() ?? false;
t.setTimeout(240_000);

const VIP = '10.77.0.100';

function start(stage: Stage, host: string, more: string): Program {
  const router = `v: { interface: eth0, id: 51, addresses: [${VIP}/24], ${more} }`;
  return startLvsentry(stage, host, configureLvsentry(stage, host, [router]));
}

/** Director a, as a small main that has this bad luck. */
function small(stage: Stage, vrrp: readonly string[], luck: 'blocked' | 'mortal'): Program {
  const program = fileURLToPath(new URL('./small-main.js', import.meta.url));
  return stage.start('a', process.execPath, program, configureLvsentry(stage, 'a', vrrp), luck);
}

const says =
  (program: Program, kind: string, text = /./) =>
  (): boolean =>
    loggedBy(program).some((logged) => logged.kind === kind && text.test(logged.msg));

/** Who sent adverts, in runs: a a b a becomes a b a. Resignations are left out. */
function masters(seen: readonly Seen[]): string[] {
  const found: string[] = [];
  for (const frame of seen)
    if (frame.kind === 'advert' && frame.priority > 0 && found.at(-1) !== frame.from) found.push(frame.from);
  return found;
}

/** The last three adverts since a mark are its own. */
function speaksAlone(stage: Stage, since: number, host: string): boolean {
  const last = stage.capture.adverts(since).slice(-3);
  return last.length === 3 && last.every(({ from }) => from === host);
}

async function has(stage: Stage, host: string): Promise<boolean> {
  return (await stage.ip(host, 'addr', 'show', 'dev', 'eth0')).includes(` ${VIP}/`);
}

t.test('a master that is killed and started again at once: never two masters', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const first = start(stage, 'a', 'priority: 150');
  await stage.until('a is master', says(first, 'became-master'));
  const b = start(stage, 'b', 'priority: 100');
  await stage.until('b is backup', says(b, 'became-backup'));
  const { seen } = stage.capture;
  const before = seen.length;
  await first.stop('SIGKILL');
  t.ok(await has(stage, 'a'), 'the dead leave their addresses behind');
  const second = start(stage, 'a', 'priority: 150');
  await stage.until('a is master again', says(second, 'became-master'));
  await stage.until('and speaks alone', () => speaksAlone(stage, before, 'a'));
  // Whoever of them was first, the other followed, and b's last word as master is one advert.
  const order = masters(seen.slice(before)).join('');
  t.ok(['a', 'ba', 'aba', 'baba'].includes(order), order);
  t.same([await has(stage, 'a'), await has(stage, 'b')], [true, false]);
});

t.test('a main thread that stands still: its director stays master', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const router = `v: { interface: eth0, id: 51, addresses: [${VIP}/24], interval: 100ms, priority: 150 }`;
  const b = start(stage, 'b', 'interval: 100ms, priority: 100');
  await stage.until('b is master', says(b, 'became-master'));
  const a = small(stage, [router], 'blocked');
  await stage.until('a takes over and stands still', () => a.output.includes('blocked'));
  await stage.until('b yields', says(b, 'became-backup', /higher priority/));
  const { seen } = stage.capture;
  // Where both are due at once, b's last advert follows a's first; and the capture may be later than b's log.
  await stage.until('a speaks alone', () => speaksAlone(stage, 0, 'a'));
  const before = seen.length;
  await stage.until('a moves again', () => a.output.includes('free'));
  const adverts = seen.slice(before).filter(({ kind }) => kind === 'advert');
  t.same(masters(seen.slice(before)), ['a'], 'nobody else spoke');
  t.ok(adverts.length >= 20, `${adverts.length} adverts while it stood still`);
  t.equal(loggedBy(b).filter(({ kind }) => kind === 'became-master').length, 1, 'b never missed it');
  await a.stop('SIGTERM');
});

t.test('a thread that dies: the next one goes on as master, and keeps the address', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const router = `v: { interface: eth0, id: 51, addresses: [${VIP}/24], priority: 150 }`;
  const a = small(stage, [router], 'mortal');
  await stage.until('a is master', () => a.output.includes('master master-silent'));
  const b = start(stage, 'b', 'priority: 100');
  await stage.until('b is backup', says(b, 'became-backup'));
  const monitor = stage.start('a', 'ip', '-o', 'monitor', 'address');
  const { seen } = stage.capture;
  const before = seen.length;
  a.child.kill('SIGUSR2');
  await stage.until('its thread dies', () => a.output.some((line) => line.includes('told to die')));
  await stage.until('the next one goes on', () => a.output.includes('master resumed'));
  const many = (): boolean => seen.slice(before).filter(({ kind }) => kind === 'advert').length >= 3;
  await stage.until('and speaks', many);
  t.same(masters(seen.slice(before)), ['a']);
  t.same(monitor.output, [], 'no address came or went');
  t.notOk(says(b, 'became-master')());
  await a.stop('SIGTERM');
});

t.test(
  'a virtual IP that another machine has: told with its MAC, and taken all the same',
  { skip },
  async (t) => {
    const stage = await Stage.build(['a', 'c']);
    t.teardown(() => stage.close());
    const six = '2001:db8:77::100';
    await stage.ip('c', 'addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    await stage.ip('c', 'addr', 'add', `${six}/64`, 'dev', 'eth0', 'nodad');
    const a = startLvsentry(
      stage,
      'a',
      configureLvsentry(stage, 'a', [
        `v: { interface: eth0, id: 51, interval: 100ms, addresses: [${VIP}/24] }`,
        `w: { interface: eth0, id: 52, interval: 100ms, addresses: ["${six}/64"] }`,
      ]),
    );
    const mac = stage.macOf('c');
    for (const [name, vip] of [
      ['v', VIP],
      ['w', six],
    ] as const)
      await stage.until(
        `${vip} is told of`,
        says(a, 'vrrp-trouble', new RegExp(`^${name}: ${vip} is at ${mac} too: another machine on eth0`)),
      );
    t.ok(await has(stage, 'a'), 'it has the address');
    const view = await routerWhen(
      stage,
      'a',
      ({ role, squatters }) => role === 'master' && squatters.length === 1,
    );
    t.match(view.squatters, [{ mac, addresses: [VIP] }]);
    await a.stop('SIGTERM');
  },
);

t.test(
  'a second router of the same addresses that is no VRRP: its announcement is noticed',
  { skip },
  async (t) => {
    const stage = await Stage.build(['a', 'c']);
    t.teardown(() => stage.close());
    const a = start(stage, 'a', 'interval: 100ms');
    await stage.until('a is master', says(a, 'became-master'));
    await routerWhen(stage, 'a', ({ role }) => role === 'master');
    // A host that comes later, and says nothing but that it has the address.
    await stage.ip('c', 'addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    await stage.in('c', 'sysctl', '-qw', 'net.ipv4.conf.eth0.arp_notify=1');
    await stage.ip('c', 'link', 'set', 'eth0', 'down');
    await stage.ip('c', 'link', 'set', 'eth0', 'up');
    await stage.until('a tells of it', says(a, 'vrrp-trouble', new RegExp(`is at ${stage.macOf('c')} too`)));
    await a.stop('SIGTERM');
  },
);

t.test(
  'thirty thousand random packets from the wire: every one is counted, nothing changes',
  { skip },
  async (t) => {
    const COUNT = 30_000;
    const stage = await Stage.build(['a', 'c'], { isObserved: false });
    t.teardown(() => stage.close());
    const a = start(stage, 'a', 'interval: 100ms');
    await stage.until('a is master', says(a, 'became-master'));
    const index = (await stage.in('c', 'cat', '/sys/class/net/eth0/ifindex')).trim();
    const sender = fileURLToPath(new URL('./noise-sender.js', import.meta.url));
    const c = stage.start('c', process.execPath, sender, index, String(COUNT));
    await stage.until('all are sent', () => c.output.includes('sent'));
    const sum = (counts: Readonly<Record<string, number>>): number =>
      Object.values(counts).reduce((total, count) => total + count, 0);
    const view = await routerWhen(
      stage,
      'a',
      ({ discarded, strangers, unreadable }) => sum(discarded) + strangers + unreadable >= COUNT,
    );
    t.equal(sum(view.discarded) + view.strangers + view.unreadable, COUNT);
    t.match(view, { role: 'master', becameMaster: 1, received: 0 });
    t.ok(Object.keys(view.discarded).length >= 4, JSON.stringify(view.discarded));
    t.notOk(loggedBy(a).some(({ kind }) => kind === 'fallen' || kind === 'worker-restarted'));
    await a.stop('SIGTERM');
  },
);
