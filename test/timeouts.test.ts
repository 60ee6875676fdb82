import t from 'tap';
import { seconds } from '../src/core/units.js';
import type { Happening } from '../src/describe.js';
import { MemoryTable } from '../src/ipvs/memory.js';
import type { Timeouts, TimeoutsState } from '../src/ipvs/model.js';
import type { DriftPolicy } from '../src/ipvs/ownership.js';
import { FORGETFUL } from '../src/ipvs/timeout-keeper.js';
import { TimeoutFollower } from '../src/timeouts.js';
import { FakeTime } from './fakes/time.js';
import { RULES } from './ipvs/build.js';

function setup() {
  const time = new FakeTime();
  const table = new MemoryTable();
  const told: Happening[] = [];
  const states: (TimeoutsState | undefined)[] = [];
  const follower = new TimeoutFollower({
    table,
    store: FORGETFUL,
    timers: time,
    onState: (state) => states.push(state),
    tell: (happening) => told.push(happening),
  });
  const configure = async (timeouts: Partial<Timeouts>, policy: DriftPolicy = 'repair'): Promise<void> => {
    const besideDrift = { timeouts: policy, sync: 'repair' } as const;
    follower.configure({ timeouts, resync: seconds(10), ownership: { ...RULES, besideDrift } });
    await time.advance(0);
  };
  return { time, table, told, states, follower, configure };
}

t.test('what was set, by whom it was changed, and what was put back is told', async (t) => {
  const { time, table, told, follower, configure } = setup();
  await configure({ tcp: 60, tcpFin: 5 });
  await table.setTimeouts({ tcpFin: 9 });
  await time.advance(10_000);
  await follower.close();
  t.same(
    told.map(({ kind, message }) => `${kind}: ${message}`),
    [
      'timeouts-set: the time-outs of connections were set: tcp 60s, tcp-fin 5s',
      'table-drift: the time-outs of connections were changed by somebody else, it is repaired: tcp-fin 9s, should be 5s',
      'timeouts-set: the time-outs of connections were set: tcp 900s, tcp-fin 120s',
    ],
  );
  t.same(told[1]?.facts, {
    policy: 'repair',
    entries: 1,
    timeouts: [{ name: 'tcpFin', found: 9, wanted: 5 }],
  });
});

t.test('a configuration without them changes nothing and tells nothing', async (t) => {
  const { time, told, states, follower, configure } = setup();
  await configure({});
  await time.advance(60_000);
  await follower.close();
  t.same([told, states], [[], []]);
});

t.test('a kernel that refuses is told of', async (t) => {
  const { table, told, configure } = setup();
  table.close();
  await configure({ udp: 5 });
  t.match(told, [
    {
      kind: 'table-error',
      message: /^the time-outs of connections are not as they should be: timeouts: ECANCELED/,
      facts: { subject: 'timeouts' },
    },
  ]);
});

t.test('`drift: { timeouts: ... }` says what is done, and every event has the difference', async (t) => {
  for (const [policy, kind, done] of [
    ['report', 'table-drift', 'it is left as it is'],
    ['accept', 'drift-accepted', 'it is accepted'],
  ] as const) {
    const { time, table, told, follower, configure } = setup();
    await configure({ tcp: 60 }, policy);
    await table.setTimeouts({ tcp: 61 });
    t.match(await follower.preview(), { set: {}, left: [{ name: 'tcp', policy }] }, 'a plan foresees it');
    t.equal(told.length, 1, 'and is no look');
    await time.advance(20_000);
    t.match(told.slice(1), [
      {
        kind,
        message: `the time-outs of connections were changed by somebody else, ${done}: tcp 61s, should be 60s`,
        facts: { policy, entries: 1, timeouts: [{ name: 'tcp', found: 61, wanted: 60 }] },
      },
    ]);
  }
});
