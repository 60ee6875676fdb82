/** Which windows are under way, and what is said and told of it. */
import t from 'tap';
import type { LvsEvent } from '../../src/alerts/model.js';
import { epochMillis, millis } from '../../src/core/units.js';
import type { Happening } from '../../src/describe.js';
import type { MaintenanceWindow, WindowState } from '../../src/maintenance/model.js';
import { nextChange, windowsAt, wordsFor } from '../../src/maintenance/windows.js';
import { MaintenanceFollower } from '../../src/maintenance.js';
import { withWord } from '../../src/policy/admin.js';
import type { AdminWord, ServerAdmin, ServerId } from '../../src/policy/model.js';
import { down, world } from '../api/build.js';
import { FakeTime } from '../fakes/time.js';

const once = (from: number, until: number, more: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  name: 'w',
  times: { kind: 'once', from: epochMillis(from), until: epochMillis(until) },
  servers: ['web/a'],
  ahead: millis(0),
  reason: undefined,
  ...more,
});

const again = (duration: number, more: Partial<MaintenanceWindow> = {}): MaintenanceWindow =>
  once(0, 0, {
    times: { kind: 'recurring', schedule: 'x', timezone: 'UTC', duration: millis(duration) },
    ...more,
  });

const state = (window: MaintenanceWindow, now: number, beginnings: readonly number[] = []): WindowState => {
  const [only] = windowsAt([window], () => beginnings.map(epochMillis), epochMillis(now));
  if (only === undefined) throw new Error('no state');
  return only;
};

type Expected = readonly [from: number, until: number] | undefined;
const TABLE: readonly (readonly [
  string,
  MaintenanceWindow,
  readonly number[],
  number,
  Expected,
  number | undefined,
])[] = [
  ['before', once(100, 200), [], 99, undefined, 100],
  ['at its beginning', once(100, 200), [], 100, [100, 200], undefined],
  ['at its last moment', once(100, 200), [], 199, [100, 200], undefined],
  ['at its end', once(100, 200), [], 200, undefined, undefined],
  ['drained ahead', once(100, 200, { ahead: millis(10) }), [], 90, [100, 200], undefined],
  ['not yet drained ahead', once(100, 200, { ahead: millis(10) }), [], 89, undefined, 90],
  ['in the middle of one of many', again(50), [100, 200, 300], 220, [200, 250], 300],
  ['between two', again(50), [100, 200, 300], 260, undefined, 300],
  [
    'longer than its period: one without an end in between',
    again(150),
    [100, 200, 300],
    240,
    [100, 450],
    undefined,
  ],
  ['one that ends as the next begins', again(100), [100, 200], 200, [100, 300], undefined],
  [
    'draining for the next before this one ends',
    again(95, { ahead: millis(10) }),
    [100, 200],
    192,
    [100, 295],
    undefined,
  ],
];

t.test('what is under way at a moment, and what comes next', async (t) => {
  for (const [name, window, beginnings, now, expected, next] of TABLE) {
    const its = state(window, now, beginnings);
    t.same(its.current && [its.current.from, its.current.until], expected, name);
    t.equal(its.next?.drainFrom, next, `${name}: next`);
  }
});

t.test('the next change is the soonest of all windows', async (t) => {
  const ahead = state(once(100, 200, { ahead: millis(10) }), 95);
  t.equal(nextChange([ahead], epochMillis(95)), 100, 'where draining becomes the window');
  t.equal(nextChange([ahead], epochMillis(100)), 200);
  t.equal(nextChange([ahead, state(once(150, 160), 95)], epochMillis(120)), 150);
  t.equal(nextChange([state(once(100, 200), 300)], epochMillis(300)), undefined);
});

t.test('a window says that its servers drain, until it begins at the latest', async (t) => {
  const its = state(once(100, 200, { ahead: millis(10), servers: ['web/a', 'web/b'], reason: 'disks' }), 95);
  const words = wordsFor([its], new Map());
  t.same(
    words.map(({ server }) => server),
    ['web/a', 'web/b'],
  );
  t.same(words[0], {
    server: 'web/a',
    source: 'maintenance w',
    entry: {
      source: 'maintenance w',
      state: 'draining',
      weight: undefined,
      since: 90,
      deadline: 100,
      finish: 'drained',
      by: 'maintenance w',
      reason: 'disks',
    },
  });
  t.equal(wordsFor([state(once(100, 200), 100)], new Map())[0]?.entry?.deadline, undefined);
});

t.test(
  'what is said already is not said again, and what is over is taken back; an operator is left alone',
  async (t) => {
    const its = state(once(100, 200, { servers: ['web/a', 'web/b'] }), 150);
    const said = new Map([
      ['web/a', { entries: [{ source: 'maintenance w' as const }, { source: 'operator' as const }] }],
      ['web/c', { entries: [{ source: 'maintenance gone' as const }, { source: 'operator' as const }] }],
    ]);
    t.same(
      wordsFor([its], said).map(({ server, source, entry }) => [server, source, entry?.state]),
      [
        ['web/c', 'maintenance gone', undefined],
        ['web/b', 'maintenance w', 'draining'],
      ],
    );
    t.equal(wordsFor([], new Map([['web/a', { entries: [{ source: 'operator' as const }] }]])).length, 0);
  },
);

interface Stage {
  readonly time: FakeTime;
  readonly follower: MaintenanceFollower;
  readonly told: Happening[];
  readonly admin: Map<ServerId, ServerAdmin>;
  states(): readonly WindowState[];
}

/** The follower with a book of words that does as the real one. */
function stage(health = world().health): Stage {
  const time = new FakeTime();
  const told: Happening[] = [];
  const admin = new Map<ServerId, ServerAdmin>();
  let states: readonly WindowState[] = [];
  const administer = (words: readonly AdminWord[]): void => {
    for (const word of words) {
      const its = withWord(admin.get(word.server), word);
      if (its === undefined) admin.delete(word.server);
      else admin.set(word.server, its);
    }
  };
  const follower = new MaintenanceFollower({
    clock: time,
    timers: time,
    world: () => world({ admin, health }),
    administer,
    onState: (its) => {
      states = its;
    },
    tell: (happening) => told.push(happening),
  });
  return { time, follower, told, admin, states: () => states };
}

const ID = 'web/192.0.2.11:80';
const base = new FakeTime().wall();
const soon = (from: number, until: number, more: Partial<MaintenanceWindow> = {}) =>
  once(base + from, base + until, { servers: [ID], ...more });
const kinds = (told: readonly Happening[]): string[] => told.map(({ kind }) => kind);
const EVENT: LvsEvent = {
  sequence: 1,
  at: base,
  kind: 'server-down',
  service: 'web',
  server: '192.0.2.11:80',
  message: '',
  facts: {},
};

t.test('a window comes and goes: drained ahead, told once, brought back', async (t) => {
  const { time, follower, told, admin } = stage();
  await follower.configure([soon(100_000, 200_000, { ahead: millis(20_000), reason: 'disks' })]);
  follower.look();
  await time.advance(79_000);
  t.same([kinds(told), admin.size], [[], 0]);
  await time.advance(2000);
  t.equal(admin.get(ID)?.effective.state, 'draining');
  t.match(told, [
    { kind: 'maintenance-begins', message: /^maintenance w: 1 server drained until .*Z: disks$/ },
  ]);
  await time.advance(100_000);
  t.equal(told.length, 1);
  await time.advance(19_001);
  t.same([kinds(told), admin.size], [['maintenance-begins', 'maintenance-ends'], 0]);
  await time.advance(600_000);
  t.equal(told.length, 2);
  follower.close();
  t.equal(time.waiting, 0);
});

t.test('a start in the middle of a window is in maintenance at once', async (t) => {
  const { follower } = stage();
  await follower.configure([soon(-50_000, 50_000)]);
  t.match(follower.words(), [{ server: ID, entry: { state: 'draining' } }]);
});

t.test('a recurring window is read by the calendar', async (t) => {
  const { follower, time, admin, states } = stage();
  // FakeTime begins at 22:13:20 UTC.
  const times = {
    kind: 'recurring',
    schedule: '15 22 * * *',
    timezone: 'UTC',
    duration: millis(60_000),
  } as const;
  await follower.configure([soon(0, 0, { times })]);
  follower.look();
  t.equal(states()[0]?.current, undefined);
  await time.advance(101_000);
  t.equal(admin.size, 1);
  await time.advance(60_000);
  t.equal(admin.size, 0);
  t.equal(states()[0]?.next?.from, base + 100_000 + 86_400_000);
  follower.close();
});

t.test('a machine that slept, or whose clock was set, is right again within half a minute', async (t) => {
  const { follower, time, admin, told } = stage();
  await follower.configure([soon(3_600_000, 7_200_000)]);
  follower.look();
  time.stall(3_700_000);
  await time.advance(30_000);
  t.equal(admin.size, 1, 'it woke up in the middle');
  time.stall(7_200_000);
  await time.advance(30_000);
  t.same([admin.size, kinds(told)], [0, ['maintenance-begins', 'maintenance-ends']]);
  follower.close();
});

t.test(
  'a new configuration: windows that are gone take their words back, others are not disturbed',
  async (t) => {
    const { follower, time, admin, told } = stage();
    const other = 'web/192.0.2.12:80';
    await follower.configure([soon(-1000, 90_000), soon(-1000, 90_000, { name: 'v', servers: [other] })]);
    follower.look();
    const before = admin.get(ID);
    await follower.configure([soon(-1000, 90_000)]);
    follower.look();
    t.equal(admin.get(ID), before, 'not said again');
    t.notOk(admin.has(other));
    t.same(kinds(told), ['maintenance-begins', 'maintenance-begins', 'maintenance-ends']);
    follower.close();
    t.equal(time.waiting, 0);
  },
);

t.test('two windows over one server: it is out until both are over', async (t) => {
  const { follower, time, admin } = stage();
  await follower.configure([soon(-1000, 50_000), soon(-1000, 90_000, { name: 'v' })]);
  follower.look();
  await time.advance(60_000);
  t.match(admin.get(ID), { effective: { by: 'maintenance v' }, entries: [{ source: 'maintenance v' }] });
  await time.advance(31_000);
  t.equal(admin.size, 0);
  follower.close();
});

t.test('up and down of servers under maintenance is expected, and nothing else is', async (t) => {
  const { follower } = stage();
  await follower.configure([soon(-1000, 50_000)]);
  t.equal(follower.expects(EVENT), false, 'not before somebody looked');
  follower.look();
  t.equal(follower.expects(EVENT), true);
  t.equal(follower.expects({ ...EVENT, kind: 'server-up' }), true);
  t.equal(follower.expects({ ...EVENT, kind: 'service-lost' }), false);
  t.equal(follower.expects({ ...EVENT, server: '192.0.2.12:80' }), false);
  t.equal(follower.expects({ ...EVENT, server: undefined }), false);
  follower.close();
});

t.test('a server that is down when its window is over is told then: nobody was alerted before', async (t) => {
  const { follower, time, told } = stage(new Map([[ID, down()]]));
  await follower.configure([soon(-1000, 50_000)]);
  follower.look();
  await time.advance(51_000);
  t.same(kinds(told), ['maintenance-begins', 'maintenance-ends', 'server-down']);
  t.match(told[1]?.message, /1 server back, 1 of them down: web\/192\.0\.2\.11:80$/);
  const last = told[2];
  t.match(last, { service: 'web', server: '192.0.2.11:80', message: /is down, and maintenance w is over$/ });
  t.equal(follower.expects({ ...EVENT, ...last, facts: {} }), false, 'and this one is alerted');
  follower.close();
});
