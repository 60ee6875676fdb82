import fc from 'fast-check';
import t from 'tap';
import type { Observation, Track, TrackWeight } from '../../src/vrrp/model.js';
import { effectivePriority } from '../../src/vrrp/priority.js';

const UP: Observation = { kind: 'up' };
const DOWN: Observation = { kind: 'down' };
const UNKNOWN: Observation = { kind: 'unknown' };

function script(weight: TrackWeight, reverse = false): Track {
  return { kind: 'script', name: 'chk', weight, reverse };
}

function file(weight: TrackWeight, reverse = false): Track {
  return { kind: 'file', name: 'load', weight, reverse };
}

function services(penalty: number, minimum = 0): Track {
  return { kind: 'services', name: 'web', penalty, minimum };
}

const count = (value: number): Observation => ({ kind: 'number', value });
const share = (up: number, total: number): Observation => ({ kind: 'share', up, total });

const ROWS: readonly (readonly [string, Track, Observation, number, boolean])[] = [
  ['a weight above 0 is added while up', script(10), UP, 10, false],
  ['... and not while down', script(10), DOWN, 0, false],
  ['the least weight', script(1), UP, 1, false],
  ['a weight below 0 is taken off while down', script(-10), DOWN, -10, false],
  ['... and not while up', script(-10), UP, 0, false],
  ['reversed, above 0: taken off while up', script(10, true), UP, -10, false],
  ['reversed, above 0: nothing while down', script(10, true), DOWN, 0, false],
  ['reversed, below 0: added while down', script(-10, true), DOWN, 10, false],
  ['without a weight down is a fault', script('fault'), DOWN, 0, true],
  ['... and up is none', script('fault'), UP, 0, false],
  ['reversed, without a weight: up is the fault', script('fault', true), UP, 0, true],
  ['reversed, without a weight: down is none', script('fault', true), DOWN, 0, false],
  ['unknown adds nothing', script(10), UNKNOWN, 0, false],
  ['unknown is no fault', script('fault'), UNKNOWN, 0, false],
  ['nor reversed', script('fault', true), UNKNOWN, 0, false],
  ['a file counts its number times the weight', file(2), count(-5), -10, false],
  ['reversed, the other way', file(2, true), count(-5), 10, false],
  ['a file is held at 253', file(1), count(100_000), 253, false],
  ['a file of -254 is a fault', file(1), count(-254), 0, true],
  ['a file of -253 is not', file(1), count(-253), -253, false],
  ['a file without a weight: any number but 0 is a fault', file('fault'), count(1), 0, true],
  ['... and 0 is none', file('fault'), count(0), 0, false],
  ['reversed: 0 is the fault', file('fault', true), count(0), 0, true],
  ['a file of 0', file(3), count(0), 0, false],
  ['all servers reached: nothing', services(90), share(9, 9), 0, false],
  ['2 of 9 reached: seven ninths', services(90), share(2, 9), -70, false],
  ['none reached: all of it', services(90), share(0, 9), -90, false],
  ['one point is one point', services(1), share(0, 1), -1, false],
  ['rounded to whole points', services(50), share(2, 9), -39, false],
  ['no servers at all: nothing', services(90), share(0, 0), 0, false],
  ['fewer than the minimum: a fault', services(0, 3), share(2, 9), 0, true],
  ['exactly the minimum: none', services(0, 3), share(3, 9), 0, false],
];

t.test('each tracked object adds what its rule says', async (t) => {
  for (const [name, track, seen, points, fault] of ROWS) {
    const report = effectivePriority(100, [{ track, seen }]);
    t.same(report.contributions, [{ track, seen, points, fault }], name);
    t.equal(report.effective, 100 + points < 1 ? 1 : Math.min(100 + points, 254), name);
    t.equal(report.faults.length, fault ? 1 : 0, name);
  }
});

t.test('interface, process and sync peer count like a script', async (t) => {
  for (const kind of ['interface', 'process', 'sync-peer'] as const) {
    const track: Track = { kind, name: 'x', weight: -30, reverse: false };
    t.equal(effectivePriority(100, [{ track, seen: DOWN }]).effective, 70, kind);
  }
});

t.test('the worked examples of keepalived: 102, 100, 98; and 100 - 30', async (t) => {
  const eth2: Track = { kind: 'interface', name: 'eth2', weight: -2, reverse: false };
  const both = (one: Observation, two: Observation): number =>
    effectivePriority(100, [
      { track: script(2), seen: one },
      { track: eth2, seen: two },
    ]).effective;
  t.same([both(UP, UP), both(DOWN, UP), both(DOWN, DOWN)], [102, 100, 98]);
  const failing = effectivePriority(100, [
    { track: script(-30), seen: DOWN },
    { track: script(10), seen: DOWN },
  ]);
  t.equal(failing.effective, 70);
});

t.test('the sum is shown whole and held within 1-254', async (t) => {
  const low = effectivePriority(10, [{ track: script(-100), seen: DOWN }]);
  t.match(low, { base: 10, total: -90, effective: 1 });
  const high = effectivePriority(250, [{ track: script(100), seen: UP }]);
  t.match(high, { base: 250, total: 350, effective: 254 });
});

t.test('an owner stays 255; what makes a fault does so for it too', async (t) => {
  const report = effectivePriority(255, [
    { track: script(-100), seen: DOWN },
    { track: script('fault'), seen: DOWN },
  ]);
  t.match(report, { total: 155, effective: 255, faults: [{ kind: 'tracked', name: 'script chk' }] });
});

t.test('settled is when nothing is unknown', async (t) => {
  t.equal(effectivePriority(100, []).settled, true);
  t.equal(effectivePriority(100, [{ track: script(1), seen: UP }]).settled, true);
  const half = [
    { track: script(1), seen: UP },
    { track: services(1), seen: UNKNOWN },
  ];
  t.equal(effectivePriority(100, half).settled, false);
});

t.test('law: tracking never makes an owner, a resignation, or half a point', async () => {
  const trackArbitrary = fc.oneof(
    fc.integer({ min: -253, max: 253 }).map((weight) => script(weight)),
    fc.integer({ min: -253, max: 253 }).map((weight) => file(weight)),
    fc.integer({ min: 0, max: 253 }).map((penalty) => services(penalty)),
  );
  const seenArbitrary = fc.oneof(
    fc.constantFrom(UP, DOWN, UNKNOWN),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }).map(count),
    fc.tuple(fc.nat(50), fc.nat(50)).map(([up, more]) => share(up, up + more)),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 254 }),
      fc.array(fc.record({ track: trackArbitrary, seen: seenArbitrary }), { maxLength: 8 }),
      (base, tracked) => {
        const { effective, total, contributions } = effectivePriority(base, tracked);
        const sum = contributions.reduce((points, contribution) => points + contribution.points, base);
        return Number.isInteger(effective) && effective >= 1 && effective <= 254 && total === sum;
      },
    ),
  );
});
