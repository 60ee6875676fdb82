/** Packets that mean nothing: whatever comes, and however much of it, only counters move and adverts stay on time. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { DISCARD_REASONS } from '../../src/vrrp/accept.js';
import { Random } from '../sim/random.js';
import { config } from './build.js';
import { Director, LoggedSocket, master, packetOf, router } from './director.js';
import { packet, randomPacket, WRONG } from './wrong-packets.js';

const BRIEF = { announce: { ...config().announce, repeat: 1, delay: config().announce.refresh } };

t.setTimeout(180_000);

/** All that was counted of what came, by reason. */
function counts(director: Director): Readonly<Record<string, number>> {
  const { strangers = 0, unreadable = 0 } = director.digest ?? {};
  const { received = 0, discarded = {} } = director.status()?.counters ?? {};
  const found = { ...discarded, received, stranger: strangers, unreadable };
  return Object.fromEntries(Object.entries(found).filter(([, count]) => count > 0));
}

const sumOf = (found: Readonly<Record<string, number>>): number =>
  Object.values(found).reduce((sum, count) => sum + count, 0);

t.test('the packet that the wrong ones are made of is right', async (t) => {
  const director = await master(router(BRIEF));
  t.match(await director.hear(packet()), [/advert/, /remove/, /master>backup higher-priority/]);
});

t.test('every wrong packet is counted by its reason, told once, and changes nothing', async (t) => {
  for (const role of ['backup', 'master'] as const) {
    for (const { name, bytes, counted } of WRONG) {
      const director = role === 'master' ? await master(router(BRIEF)) : new Director();
      if (role === 'backup') await director.start(router(BRIEF));
      const last = await director.hear(bytes);
      const again = await director.hear(bytes);
      t.same([last, again], [[], []], `${role}: ${name}`);
      t.equal(director.said().length, counted in DISCARD_REASONS ? 1 : 0);
      await director.pass(1000);
      t.same(counts(director), { [counted]: 2 });
      t.equal(director.status()?.role, role);
      await director.engine.stop();
    }
  }
});

t.test('a flood of forged senders is counted and not told', async (t) => {
  const director = await master(router(BRIEF));
  for (let host = 1; host <= 250; host += 1)
    await director.hear(packet({ source: [10, 9, 9, host], ttl: 3 }));
  t.equal(director.said().length, 64);
  await director.pass(1000);
  t.same(counts(director), { hops: 250 });
});

t.test(
  'what goes on is told again after an hour, or with a new configuration, not with a new role',
  async (t) => {
    const bad = packet({ off: 1 });
    const director = new Director();
    await director.start(router(BRIEF));
    await director.hear(bad);
    await director.pass(4000);
    await director.hear(bad);
    t.equal(director.status()?.role, 'master');
    t.equal(director.said().length, 1);
    await director.pass(3_595_000);
    await director.hear(bad);
    t.equal(director.said().length, 0);
    await director.pass(2000);
    await director.hear(bad);
    t.equal(director.said().length, 1);
    await director.engine.configure([router({ ...BRIEF, priority: 101 })]);
    await director.hear(bad);
    t.equal(director.said().length, 1);
  },
);

t.test('a right advert for other virtual IPs counts, and the sender is named once', async (t) => {
  const director = new Director();
  await director.start(router(BRIEF));
  const other = packetOf(config({ addresses: [ip('10.0.0.7')] }), 200);
  for (let second = 0; second < 10; second += 1) {
    await director.hear(other);
    await director.pass(1000);
  }
  t.equal(director.status()?.role, 'backup');
  t.match(director.said(), [/^report: 10\.0\.0\.3 speaks for other virtual IPs under our id 20/]);
  t.same(director.status()?.counters.odd, { 'other-addresses': 10 });
});

/** A socket into which `make` puts packet after packet, as fast as they are taken. */
class Hose extends LoggedSocket {
  taken = 0;
  count = 0;
  make: (into: Uint8Array) => number = () => 0;

  override receive(into: Uint8Array, _from: Uint8Array, _control: Uint8Array, facts: Int32Array): number {
    if (this.taken === this.count) return -11;
    this.taken += 1;
    facts.fill(0);
    return this.make(into);
  }
}

/** A director whose only socket is a hose. */
async function hosed(count: number, make: (director: Director) => Hose['make']): Promise<[Director, Hose]> {
  const director = new Director();
  let hose: Hose | undefined;
  director.next = (log) => {
    hose = new Hose(log);
    return hose;
  };
  await director.start(router(BRIEF));
  if (hose === undefined) throw new Error('no socket was opened');
  hose.make = make(director);
  hose.count = count;
  return [director, hose];
}

t.test('a million random packets: no crash, no change of role, every one counted', async (t) => {
  const random = new Random(3);
  const [director, hose] = await hosed(0, () => (into) => randomPacket(random, into, 20));
  await director.pass(4000);
  director.log.length = 0;
  hose.count = 1_000_000;
  while (hose.taken < hose.count) hose.listener?.();
  t.same(await director.settle(), [], 'nothing is sent and nothing changes');
  await director.pass(1000);
  t.equal(director.status()?.role, 'master');
  const found = counts(director);
  t.equal(sumOf(found), hose.count);
  t.ok((found.checksum ?? 0) > 100_000, JSON.stringify(found));
  t.ok(Object.keys(found).length >= 6, JSON.stringify(found));
});

/** Thirty microseconds a packet, without an end: the socket is never empty. */
function junk(director: Director): Hose['make'] {
  const bytes = packet({ off: 1 });
  return (into) => {
    director.time.stall(0.03);
    into.set(bytes);
    return bytes.length;
  };
}

t.test('in a flood the adverts of a master leave on time, and its role stays', async (t) => {
  const [director, hose] = await hosed(0, junk);
  await director.pass(4000);
  director.log.length = 0;
  hose.count = 1_000_000;
  while (hose.taken < 333_333) hose.listener?.();
  const times = director.log.map((line) => Number(line.split(' ')[0]));
  t.ok(times.length >= 9 && times.length <= 11, `${times.length} adverts in ten seconds`);
  t.ok(
    times.every((time, at) => at === 0 || time - (times[at - 1] ?? 0) <= 1002),
    times.join(),
  );
  await director.pass(1000);
  t.ok((director.status()?.lateness.max ?? 0) < 2000, 'late by the slice that was under way, and no more');
});

t.test('in a flood of junk a backup still takes over from a master that is silent', async (t) => {
  const [director, hose] = await hosed(1_000_000, junk);
  director.log.length = 0;
  while (hose.taken < 500_000 && director.log.length === 0) hose.listener?.();
  t.match(await director.settle(), [/advert 20 100/, /add/, /master-silent/]);
});
