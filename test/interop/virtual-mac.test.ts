/** A virtual MAC: who answers for the virtual IP changes, what the network knows of it does not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { configureLvsentry, loggedBy, startLvsentry } from './peers/lvsentry.js';
import { ASKING, type Program, Stage, whyNot } from './stage.js';

const skip = whyNot(...ASKING) ?? false;
t.setTimeout(180_000);

const MAC = '00:00:5e:00:01:33';
const MAC6 = '00:00:5e:00:02:33';
const VIP = '10.77.0.100';
const VIP6 = '2001:db8:77::100';
const OTHERS = ['10.77.0.1', '10.77.0.2'];
const OTHERS6 = ['2001:db8:77::1', '2001:db8:77::2'];

function start(stage: Stage, host: string, priority: number, addresses = `${VIP}/32`): Program {
  const router = `v: { interface: eth0, id: 51, priority: ${priority}, interval: 100ms, virtual-mac: true, addresses: [${addresses}] }`;
  return startLvsentry(stage, host, configureLvsentry(stage, host, [router]));
}

const became = (program: Program, role: string) => () =>
  loggedBy(program).some(({ kind }) => kind === `became-${role}`);

/** What the observer's neighbour table says of an address. */
async function neighbour(stage: Stage, address: string): Promise<string | undefined> {
  const text = await stage.ip('o', '-j', 'neigh', 'show', 'dev', 'eth0');
  const found = JSON.parse(text || '[]') as { dst: string; lladdr?: string }[];
  return found.find(({ dst }) => dst === address)?.lladdr;
}

/** Has the observer send something to an address, for which its kernel has to know the MAC. @returns that */
async function resolved(stage: Stage, address: string): Promise<string | undefined> {
  const end = performance.now() + 10_000;
  for (;;) {
    await stage.in('o', 'bash', '-c', `echo > /dev/udp/${address}/9`);
    const found = await neighbour(stage, address);
    if (found !== undefined || performance.now() > end) return found;
    await sleep(20);
  }
}

const linksOf = (stage: Stage, host: string) => stage.ip(host, '-br', 'link');

/** From the second on: the first goes out before the link is up, so that nobody waits for it. */
function advertMacs(stage: Stage, since: number, host: string): string[] {
  return [
    ...new Set(
      stage.capture
        .claims(since, host)
        .slice(1)
        .map(({ mac }) => mac),
    ),
  ];
}

t.test('it stays what it is when another director takes over', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const a = start(stage, 'a', 150);
  await stage.until('a is master', became(a, 'master'));
  const b = start(stage, 'b', 100);
  await stage.until('b is backup', became(b, 'backup'));
  await stage.untilAnswers([`a ${MAC}`], VIP, { others: OTHERS, why: 'a is master' });
  t.equal(await resolved(stage, VIP), MAC, 'before');
  t.match(
    await linksOf(stage, 'b'),
    /vrrp\.51@eth0 +DOWN +00:00:5e:00:01:33/,
    'the link of a backup is down',
  );
  t.same(advertMacs(stage, 0, 'a'), [MAC]);

  const since = stage.capture.mark();
  await stage.pull('a');
  await stage.until('b is master', became(b, 'master'));
  await stage.until('b has announced it', () =>
    stage.capture.about(since, 'announcement', VIP).some(({ from, mac }) => from === 'b' && mac === MAC),
  );
  t.equal(await neighbour(stage, VIP), MAC, 'the observer’s table did not change');
  await stage.untilAnswers([`b ${MAC}`], VIP, { others: ['10.77.0.2'], why: 'a is cut off' });
  t.equal(await resolved(stage, VIP), MAC, 'after');
  await stage.until('b has sent adverts', () => stage.capture.claims(since, 'b').length > 5);
  t.same(advertMacs(stage, since, 'b'), [MAC]);
});

t.test('a master hears a higher director that has the same MAC, and yields', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const b = start(stage, 'b', 100);
  await stage.until('b is master', became(b, 'master'));
  const a = start(stage, 'a', 150);
  await stage.until('a is master', became(a, 'master'));
  await stage.until('b yields', became(b, 'backup'));
  await stage.untilAnswers([`a ${MAC}`], VIP, { others: OTHERS, why: 'a is higher' });
  const since = stage.capture.mark();
  await stage.until('a has sent adverts', () => stage.capture.claims(since, 'a').length > 20);
  t.equal(stage.capture.adverts(since).filter(({ from }) => from === 'b').length, 0, 'there is one master');

  const deleted = stage.capture.mark();
  await stage.ip('a', 'link', 'del', 'vrrp.51');
  await stage.until(
    'it is announced again',
    () => stage.capture.about(deleted, 'announcement', VIP).length > 0,
  );
  await stage.untilAnswers([`a ${MAC}`], VIP, { others: OTHERS, why: 'the link is back' });
  t.equal(stage.capture.resignations(deleted, 'a').length, 0, 'that was no reason to leave the role');

  await a.stop('SIGTERM');
  t.notMatch(await linksOf(stage, 'a'), /vrrp\.51/, 'at a clean stop the link goes');
  const setting = await stage.in('a', 'cat', '/proc/sys/net/ipv4/conf/eth0/arp_ignore');
  t.equal(setting.trim(), '0', 'and the interface is as before');
  await stage.untilAnswers([`b ${MAC}`], VIP, { others: OTHERS, why: 'a has left' });
  await b.stop('SIGKILL');
  t.match(await linksOf(stage, 'b'), /vrrp\.51@eth0 +UP/, 'a crash leaves it');
  const next = start(stage, 'b', 100);
  await stage.until('the next one is master with it', became(next, 'master'));
  await stage.untilAnswers([`b ${MAC}`], VIP, { others: OTHERS, why: 'it was adopted' });
  await next.stop('SIGTERM');
});

t.test(
  'over IPv6 adverts come from it, with the link-local address of the interface',
  { skip },
  async (t) => {
    const stage = await Stage.build(['a', 'b']);
    t.teardown(() => stage.close());
    const addresses = `"fe80::77/64", "${VIP6}/128"`;
    const a = start(stage, 'a', 150, addresses);
    await stage.until('a is master', became(a, 'master'));
    const b = start(stage, 'b', 100, addresses);
    await stage.until('b is backup', became(b, 'backup'));
    await stage.untilAnswers([`a ${MAC6}`], VIP6, { others: OTHERS6, why: 'a is master' });
    t.equal(await resolved(stage, VIP6), MAC6);
    t.same(advertMacs(stage, 0, 'a'), [MAC6]);
    t.same([...new Set(stage.capture.claims(0, 'a').map(({ source }) => source))], ['fe80::1:1']);
    const since = stage.capture.mark();
    await a.stop('SIGTERM');
    await stage.untilAnswers([`b ${MAC6}`], VIP6, { others: OTHERS6, why: 'a has left' });
    t.equal(await resolved(stage, VIP6), MAC6, 'the observer’s table did not change');
    await stage.until('b has sent adverts', () => stage.capture.claims(since, 'b').length > 5);
    t.same(advertMacs(stage, since, 'b'), [MAC6]);
    const told = [a, b].flatMap(loggedBy).filter(({ msg }) => /not sent|cannot be/.test(msg));
    t.same(told, []);
  },
);

t.test(
  'keepalived with use_vmac and we yield to each other',
  { skip: whyNot('keepalived', ...ASKING) ?? false },
  async (t) => {
    const stage = await Stage.build(['a', 'b']);
    t.teardown(() => stage.close());
    const file = join(stage.folder, 'b.conf');
    const lines =
      'state BACKUP|interface eth0|virtual_router_id 51|priority 120|version 3|advert_int 0.1|use_vmac vrrp.51';
    writeFileSync(
      file,
      `vrrp_instance v {\n ${lines.replaceAll('|', '\n ')}\n virtual_ipaddress {\n ${VIP}/32\n }\n}\n`,
    );
    const a = start(stage, 'a', 100);
    await stage.until('we are master', became(a, 'master'));
    const pids = ['-p', join(stage.folder, 'b.pid'), '-r', join(stage.folder, 'b-vrrp.pid')];
    const peer = stage.start('b', 'keepalived', '-n', '-l', '-P', '-f', file, ...pids);
    await stage.until('we yield', became(a, 'backup'));
    await stage.untilAnswers([`b ${MAC}`], VIP, { others: OTHERS, why: 'keepalived is higher' });
    t.equal(await resolved(stage, VIP), MAC);
    await peer.stop('SIGTERM');
    await stage.untilAnswers([`a ${MAC}`], VIP, { others: OTHERS, why: 'keepalived has left' });
    t.equal(await neighbour(stage, VIP), MAC, 'and nothing changed for others');
    await a.stop('SIGTERM');
  },
);
