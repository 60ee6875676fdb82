/** What `npm run bench -- vrrp` concludes from what it saw; nothing here is timed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { withSection } from '../../bench/report.js';
import { keepalivedConfig, lvsentryConfig, type Router } from '../../bench/vrrp/configs.js';
import { figures, gapErrors, masterDown, scheduleLateness } from '../../bench/vrrp/figures.js';
import { type Frame, PcapReader } from '../../bench/vrrp/pcap.js';
import { sightOf } from '../../bench/vrrp/sight.js';
import { latenessTable, manyTable, takeOverTable } from '../../bench/vrrp/tables.js';
import { loadConfig } from '../../src/config/load.js';
import { millis } from '../../src/core/units.js';

const ADVERT =
  '01005e000012aabbccddee01' +
  '0800' +
  '45c0002000000000ff70d0ff0a4d0001e0000012' +
  '3133960100640000' +
  '0a4d0133';
const GRATUITOUS =
  'ffffffffffffaabbccddee01' + '0806' + '0001080006040001' + 'aabbccddee010a4d0133' + '0000000000000a4d0133';

function pcap(
  frames: readonly { readonly seconds: number; readonly nanos: number; readonly bytes: Buffer }[],
) {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt32LE(1, 20);
  const records = frames.flatMap(({ seconds, nanos, bytes }) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(seconds, 0);
    record.writeUInt32LE(nanos, 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length + 1000, 12);
    return [record, bytes];
  });
  return Buffer.concat([header, ...records]);
}

function frame(hex: string, at = 0): Frame {
  return { at: millis(at), bytes: Buffer.from(hex, 'hex') };
}

const times = (...values: number[]) => values.map(millis);
const near = (values: readonly number[]) => values.map((value) => Math.round(value * 1000) / 1000);

t.test('a capture is the same frames however it arrives', async (t) => {
  const records = fc.array(
    fc.record({
      seconds: fc.nat(2 ** 31),
      nanos: fc.nat(999_999_999),
      bytes: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(records, fc.array(fc.nat(200), { maxLength: 8 }), (frames, cuts) => {
      const stream = pcap(frames);
      const reader = new PcapReader();
      const ends = [...cuts.map((cut) => Math.min(cut, stream.length)), stream.length].sort((a, b) => a - b);
      const got = ends.flatMap((end, index) => reader.push(stream.subarray(ends[index - 1] ?? 0, end)));
      t.equal(got.length, frames.length);
      for (const [index, { seconds, nanos, bytes }] of frames.entries()) {
        t.equal(got[index]?.at, seconds * 1000 + nanos / 1e6);
        t.ok(got[index]?.bytes.equals(bytes));
      }
    }),
    { numRuns: 50 },
  );
});

t.test('a capture of another kind is refused, not misread', async (t) => {
  const micro = pcap([]);
  micro.writeUInt32LE(0xa1b2c3d4, 0);
  t.throws(() => new PcapReader().push(micro), /nanoseconds/);
  const wireless = pcap([]);
  wireless.writeUInt32LE(105, 20);
  t.throws(() => new PcapReader().push(wireless), /Ethernet/);
});

t.test('an observer sees adverts and gratuitous ARP, and nothing else', async (t) => {
  const padded = `${ADVERT}${'00'.repeat(14)}`;
  t.same(sightOf(frame(padded, 7)), { kind: 'advert', at: 7, id: 51 });
  t.same(sightOf(frame(GRATUITOUS, 7)), {
    kind: 'announcement',
    at: 7,
    address: '10.77.1.51',
  });
  for (const [what, hex] of [
    ['a question for another address', GRATUITOUS.replace(/0a4d0133$/, '0a4d0134')],
    ['TCP', padded.replace('ff70', 'ff06')],
    ['IPv6', padded.replace('0800', '86dd')],
    ['a cut frame', GRATUITOUS.slice(0, 60)],
    ['an IP header that ends behind the frame', padded.replace('080045', '08004f').slice(0, 84)],
    ['nothing', ''],
  ] as const)
    t.equal(sightOf(frame(hex)), undefined, what);
});

t.test('percentiles are values that were measured', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.same(figures(hundred), { count: 100, min: 1, p50: 50, p99: 99, max: 100 });
  t.same(figures([5]), { count: 1, min: 5, p50: 5, p99: 5, max: 5 });
  t.same(figures([]).count, 0);
  t.ok(Number.isNaN(figures([]).p99), 'of nothing there is no percentile');
});

t.test('a gap that is too short is as wrong as one that is too long', async (t) => {
  t.same(near(gapErrors(times(1000, 1010, 1021, 1030), millis(10))), [0, 1, 1]);
  t.same(gapErrors(times(1000), millis(10)), []);
  t.same(gapErrors([], millis(10)), []);
});

for (const { name, sent, late } of [
  { name: 'exact', sent: [1000, 1010, 1020], late: [0, 0, 0] },
  {
    name: 'one late advert does not make the next ones early',
    sent: [1000, 1013, 1020, 1030],
    late: [0, 3, 0, 0],
  },
  { name: 'the first may be late', sent: [1002, 1010, 1020], late: [2, 0, 0] },
  { name: 'lateness that adds up', sent: [1000, 1011, 1022, 1033], late: [0, 1, 2, 3] },
  {
    name: 'a whole interval late: a new schedule',
    sent: [1000, 1010, 1035, 1045, 1056],
    late: [0, 0, 15, 0, 1],
  },
  { name: 'nothing', sent: [], late: [] },
])
  t.test(`behind the schedule: ${name}`, async (t) => {
    t.same(near(scheduleLateness(times(...sent), millis(10))), late);
  });

t.test('the master-down interval is that of RFC 5798', async (t) => {
  t.equal(masterDown(millis(100), 100), 300 + 60.9375);
  t.equal(masterDown(millis(1000), 255), 3003.90625);
});

const ROUTERS: readonly Router[] = [
  { id: 1, interval: millis(10), priority: 100 },
  { id: 255, interval: millis(1000), priority: 150 },
];

t.test('lvsentry and keepalived are given the same virtual routers', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-bench-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'ours.yaml');
  const checks = { count: 250, interval: millis(2000), timeout: millis(1000) };
  writeFileSync(file, lvsentryConfig(ROUTERS, '/run/bench.sock', checks));
  const loaded = loadConfig(file);
  t.ok(loaded.ok, 'ours is right');
  if (loaded.ok) {
    const routers = loaded.config.vrrp.map(({ instance, addresses }) => ({
      id: instance.vrid,
      interval: instance.rule.interval,
      priority: instance.priority,
      address: addresses[0]?.address,
    }));
    t.same(routers, [
      { ...ROUTERS[0], address: '10.77.1.1' },
      { ...ROUTERS[1], address: '10.77.1.255' },
    ]);
    t.equal(loaded.config.services.flatMap(({ servers }) => servers).length, 250);
  }
  const theirs = keepalivedConfig(ROUTERS, ['vrrp_rt_priority 20']);
  t.match(theirs, /virtual_router_id 1\n priority 100\n advert_int 0\.01\n[^}]*10\.77\.1\.1\/32/);
  t.match(theirs, /virtual_router_id 255\n priority 150\n advert_int 1\n[^}]*10\.77\.1\.255\/32/);
  t.match(theirs, /global_defs \{[^}]* vrrp_rt_priority 20\n\}/);
});

const of = (p99: number) => ({ count: 9, min: 0, p50: 0.5, p99, max: 20 });

t.test('tables put ours beside theirs, and compare like with like', async (t) => {
  const row = { condition: 'idle', interval: millis(10) };
  const lateness = latenessTable([
    { ...row, contender: 'keepalived', gaps: of(3), schedule: of(4) },
    { ...row, contender: 'keepalived, real-time', gaps: of(2), schedule: of(2) },
    { ...row, contender: 'lvsentry', gaps: of(1), schedule: of(6) },
    { ...row, condition: 'checks', contender: 'lvsentry', gaps: of(8), schedule: of(8) },
  ]);
  t.match(
    lateness,
    /\| idle +\| 10 ms +\| 9 +\| 0\.50 \/ 3\.00 \/ 20 \| 0\.50 \/ 2\.00 \/ 20 +\| 0\.50 \/ 1\.00 \/ 20 \| −2\.00/,
  );
  t.match(lateness, /\| idle .*\| 0\.50 \/ 6\.00 \/ 20 \| \+2\.00/);
  t.match(
    lateness,
    /\| checks .*\| – +\| – +\| 0\.50 \/ 8\.00 \/ 20 \| –/,
    'who was not measured has no figure',
  );

  const taken = takeOverTable([
    { contender: 'lvsentry', interval: millis(1000), beyond: of(1), announced: of(2) },
    { contender: 'keepalived', interval: millis(1000), beyond: of(9), announced: of(9) },
    { contender: 'keepalived', interval: millis(10), beyond: of(5), announced: of(5) },
  ]);
  t.match(
    taken,
    /master-down interval \| 1 s +\| 9 +\| 0\.50 \/ 9\.00 \/ 20 \| 0\.50 \/ 1\.00 \/ 20 \| −8\.00/,
  );
  t.notMatch(taken, /10 ms/, 'a row is ours');

  const many = { interval: millis(100), gaps: of(1), beyond: of(2), announced: of(3) };
  const table = manyTable([
    { ...many, contender: 'keepalived', started: 900, cpuShare: 0.1, memory: 4e6 },
    { ...many, contender: 'lvsentry', started: 1100, cpuShare: 0.05, memory: 80e6 },
  ]);
  t.match(table, /\| processor, % of one core +\| 100 ms +\| 10\.0 +\| 5\.0 +\| × 0\.50/);
  t.match(table, /\| start .*\| 900 +\| 1100 +\| \+200/);
});

t.test('a section takes the place of the one of its title, and of no other', async (t) => {
  const document = '# Title\n\nText.\n\n## One\n\nold\n\n### Part\n\nold too\n\n## One and a half\n\nstays\n';
  const changed = withSection(document, 'One', 'new\n\n### Other\n');
  t.equal(changed, '# Title\n\nText.\n\n## One\n\nnew\n\n### Other\n\n## One and a half\n\nstays\n');
  t.equal(withSection(changed, 'One', 'new\n\n### Other'), changed, 'again changes nothing');
  t.equal(withSection('# Title\n', 'Two', 'text'), '# Title\n\n## Two\n\ntext\n');
  t.equal(withSection('# Title\n\n## Two\n\nold\n', 'Two', 'new'), '# Title\n\n## Two\n\nnew\n');
});
