/** The fast lane: batches, room, deadlines, and what it leaves behind. What servers say is tested with each kind. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { lanePlanOf } from '../../src/checks/kinds.js';
import { Lane, type LanePlan, type LaneToken } from '../../src/checks/lane.js';
import type { ProbeResult, ProbeSpec } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { micros, millis } from '../../src/core/units.js';
import { openConnector } from '../../src/sys/connector.js';
import { check as httpCheck } from './http-talks.js';
import { laneRunner } from './lane-runner.js';
import { closedPort, eventually, listen, openSockets, silentTarget } from './listeners.js';
import { EVEN } from './rule.js';

interface Token extends LaneToken {
  readonly name: string;
}

const token = (name: string): Token => ({ name, laneSlot: -1 });
const tcp = (target: Target): ProbeSpec => ({ type: 'tcp', target });

function bench(t: Test, slots: number, planOf: (spec: ProbeSpec) => LanePlan | undefined = lanePlanOf) {
  const told = new Map<string, ProbeResult>();
  let batches = 0;
  const lane = Lane.open<Token>({
    openConnector,
    slots,
    planOf,
    onResult: ({ name, laneSlot }, result) => {
      t.notOk(told.has(name), 'a result is told once');
      t.equal(laneSlot, -1, 'and its place is free');
      told.set(name, result);
    },
    onTold: () => {
      batches += 1;
    },
  });
  if (lane === undefined) throw new Error('no lane');
  t.teardown(() => lane.close());
  return { lane, told, batches: () => batches };
}

t.test('a thousand at once, more than a batch holds', async (t) => {
  const listener = await listen(t, (socket) => socket.on('error', () => undefined));
  const refused = await closedPort(t);
  const { lane, told } = bench(t, 1000);
  const [here, gone] = [tcp(listener.target), tcp(refused)];
  for (let count = 0; count < 1000; count += 1)
    t.ok(lane.start(token(`${count}`), count % 2 === 0 ? here : gone));
  lane.flush();
  await eventually(() => told.size === 1000);
  const kinds = [...told].map(([name, { reason }]) => [Number(name) % 2, reason.kind].join());
  t.same(new Set(kinds), new Set(['0,ok', '1,refused']));
});

t.test('without room, and for kinds that are not its own, it takes nothing', async (t) => {
  const { lane, told } = bench(t, 1);
  const silent = await silentTarget(t);
  const one = token('one');
  t.equal(lane.start(one, tcp(silent)), true);
  lane.flush();
  t.equal(lane.start(token('two'), tcp(silent)), false, 'no room');
  lane.cancel(one);
  t.equal(told.size, 0, 'what is given up is not told');
  const ftp: ProbeSpec = {
    type: 'ftp',
    target: silent,
    user: '',
    password: '',
    file: undefined,
    fileBy: 'size',
    tls: undefined,
  };
  t.equal(lane.start(token('ftp'), ftp), false, 'not its kind');
  t.equal(lane.start(token('three'), tcp(silent)), true, 'there is room again');
  lane.flush();
});

t.test('a deadline ends a probe in the phase that it is in', async (t) => {
  const { lane } = bench(t, 4);
  const [connecting, waiting] = [token('connecting'), token('waiting')];
  const mute = await listen(t, () => undefined);
  lane.start(connecting, tcp(await silentTarget(t)));
  lane.start(waiting, httpCheck(mute.target));
  lane.flush();
  await eventually(() => mute.sockets === 2);
  // That the connection stands is told with the next turn.
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(lane.expire(connecting, micros(5000)), {
    outcome: 'fail',
    reason: { kind: 'timeout', phase: 'connect' },
    phases: [['connect', 5000]],
    elapsed: 5000,
  });
  const late = lane.expire(waiting, micros(1_000_000));
  t.match(late, { reason: { kind: 'timeout', phase: 'response' }, elapsed: 1_000_000 });
  t.equal(
    late.phases.reduce((sum, [, time]) => sum + time, 0),
    1_000_000,
  );
});

t.test('a talk that throws is a defect of ours, and the next probe goes on', async (t) => {
  const listener = await listen(t, (socket) => socket.write('hello'));
  const rows: readonly LanePlan['talk'][] = [
    () => {
      throw new Error('at once');
    },
    () => ({
      data: () => {
        throw new Error('at the first word');
      },
      end: () => undefined,
    }),
  ];
  for (const talk of rows) {
    const plan: LanePlan = { payload: new Uint8Array(0), waits: 'greeting', talk };
    const { lane, told } = bench(t, 1, () => plan);
    lane.start(token('one'), tcp(listener.target));
    lane.flush();
    await eventually(() => told.size === 1);
    t.match(told.get('one'), {
      outcome: 'unknown',
      reason: { kind: 'local', errno: 'defect', phase: 'greeting' },
    });
    t.equal(lane.start(token('two'), tcp(listener.target)), true);
    lane.flush();
  }
});

t.test('a talk that ignores the end of its peer does not wait for ever', async (t) => {
  const listener = await listen(t, (socket) => socket.end('bye'));
  const talk: LanePlan['talk'] = () => ({ data: () => undefined, end: () => undefined });
  const { lane, told } = bench(t, 1, () => ({ payload: new Uint8Array(0), waits: 'greeting', talk }));
  lane.start(token('one'), tcp(listener.target));
  lane.flush();
  await eventually(() => told.size === 1);
  t.match(told.get('one'), { outcome: 'fail', reason: { kind: 'closed', phase: 'greeting' } });
});

t.test('closing leaves no socket behind', async (t) => {
  const before = openSockets();
  const mute = await listen(t, () => undefined);
  const { lane } = bench(t, 50);
  for (let count = 0; count < 50; count += 1) lane.start(token(`${count}`), httpCheck(mute.target));
  lane.flush();
  lane.close();
  await mute.close();
  t.ok(await eventually(() => openSockets() <= before));
});

t.test('without descriptors probes are unknown, and pass when there are some again', async (t) => {
  const script = fileURLToPath(new URL('./lane-tight.js', import.meta.url));
  const command = 'ulimit -n 60; exec "$@"';
  const { stdout, stderr } = spawnSync('sh', ['-c', command, 'sh', process.execPath, script], {
    timeout: 20_000,
  });
  t.equal(stderr.toString(), '');
  t.match(JSON.parse(stdout.toString()), { crowded: ['EMFILE'], after: 'pass' });
});

t.test('a runner with a lane: up, down, up again, and changes in mid-flight', async (t) => {
  const verdicts: string[] = [];
  const runner = laneRunner(t, {
    slots: 64,
    ticks: { start: millis(2), deadline: millis(1) },
    onChange: ({ id, verdict }) => verdicts.push(`${id} ${verdict}`),
  });
  const listener = await listen(t, (socket) => socket.on('error', () => undefined));
  const silent = await silentTarget(t);
  const rule = { ...EVEN, interval: millis(40), timeout: millis(30), rise: 1, fall: 2 };
  const checkOf = (id: string, target: Target) => ({ id, rule, probe: tcp(target) });
  runner.update([checkOf('a', listener.target), checkOf('b', silent)], new Map());
  await eventually(() => verdicts.length === 2);
  t.same([...verdicts].sort(), ['a up', 'b down']);
  // In flight now, and dropped.
  runner.update([checkOf('a', listener.target)], new Map());
  await listener.close();
  await eventually(() => verdicts.includes('a down'));
  runner.update([checkOf('a', (await listen(t, () => undefined)).target)], new Map());
  await eventually(() => verdicts.filter((word) => word === 'a up').length === 2);
  t.notOk(verdicts.includes('b up'));
});
