import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import type { ProbeResult, Reason } from '../../src/checks/model.js';
import { type ProbeRun, runProbe } from '../../src/checks/probe-run.js';
import { millis } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { eventually, listen, openSockets } from './listeners.js';

const now = systemClock.monotonic;
const OK: Reason = { kind: 'ok' };
const nothing = { open: () => undefined, data: () => undefined, end: () => undefined };

/** Settles within a second, or never. */
function inTime(result: Promise<ProbeResult>): Promise<ProbeResult | undefined> {
  return Promise.race([
    result,
    new Promise<undefined>((resolve) => setTimeout(resolve, 1000, undefined).unref()),
  ]);
}

/** Puts something off by so many ticks: where a closing connection is in another state at each. */
function later(ticks: number, run: () => void): void {
  if (ticks === 0) run();
  else process.nextTick(() => later(ticks - 1, run));
}

t.test('phases are timed by the clock that is given, in order, each once', async (t) => {
  let time = 1000;
  const clock = () => millis(time);
  const result = await runProbe(clock, new AbortController().signal, (run) => {
    time += 1.5;
    run.enter('connect');
    run.enter('request');
    time += 0.0004;
    run.enter('response');
    time += 20;
    run.end({ kind: 'bad-status', status: 500 });
    run.enter('quit');
    run.end(OK);
  });
  t.same(result, {
    outcome: 'fail',
    reason: { kind: 'bad-status', status: 500 },
    phases: [
      ['connect', 1500],
      ['request', 0],
      ['response', 20_000],
    ],
    elapsed: 21_500,
  });
});

t.test('the signal is let go of at the end, and a late one changes nothing', async (t) => {
  const abort = new AbortController();
  let run: ProbeRun | undefined;
  const result = await runProbe(now, abort.signal, (begun) => {
    run = begun;
    begun.end(OK);
  });
  t.equal(getEventListeners(abort.signal, 'abort').length, 0);
  abort.abort();
  run?.fail(new Error('late'));
  t.equal(result.reason, OK);
});

t.test('a defect in a handler ends its probe, and nothing else', async (t) => {
  const listener = await listen(t, (socket) => socket.end('x'));
  const defect = (): never => {
    throw new Error('oops');
  };
  for (const handler of ['open', 'data', 'end'] as const) {
    const result = await inTime(
      runProbe(now, AbortSignal.timeout(900), (run) =>
        run.openTcp(listener.target, { ...nothing, [handler]: defect }),
      ),
    );
    t.match(result, { outcome: 'unknown', reason: { kind: 'local', errno: 'defect' } }, handler);
  }
  const atOnce = await inTime(runProbe(now, AbortSignal.timeout(900), defect));
  t.match(atOnce, { outcome: 'unknown', reason: { kind: 'local', errno: 'defect' } }, 'at the start');
});

t.test('in whatever state of closing a connection is, it is freed and the probe settles', async (t) => {
  for (const ticks of [0, 1, 2, 3, 4, 5, 8]) {
    const before = openSockets();
    const listener = await listen(t, (socket) => socket.end('x'));
    const result = runProbe(now, AbortSignal.timeout(900), (run) =>
      run.openTcp(listener.target, { ...nothing, end: () => later(ticks, () => run.end(OK)) }),
    );
    t.equal((await inTime(result))?.reason, OK, `${ticks} ticks after the peer's end`);
    await listener.close();
    t.ok(await eventually(() => openSockets() === before), `${ticks} ticks: no socket is left`);
  }
});

t.test('bytes that the peer does not take do not hold the connection', async (t) => {
  const before = openSockets();
  const listener = await listen(t, (socket) => socket.pause());
  const stuff = (run: ProbeRun, socket: Socket): void => {
    socket.write(Buffer.alloc(32 * 1024 * 1024));
    setImmediate(() => run.end(OK));
  };
  const result = runProbe(now, AbortSignal.timeout(900), (run) =>
    run.openTcp(listener.target, { ...nothing, open: (socket) => stuff(run, socket) }),
  );
  t.equal((await inTime(result))?.reason, OK);
  await listener.close();
  t.ok(await eventually(() => openSockets() === before));
});

t.test('two connections of one probe are both freed, whichever ends it', async (t) => {
  const before = openSockets();
  const [first, second] = [await listen(t, () => undefined), await listen(t, (socket) => socket.write('x'))];
  const result = await runProbe(now, AbortSignal.timeout(900), (run) =>
    run.openTcp(first.target, {
      ...nothing,
      open: () => run.openTcp(second.target, { ...nothing, data: () => run.end(OK) }),
    }),
  );
  t.equal(result.reason, OK);
  t.ok(openSockets() <= before + first.sockets + second.sockets, 'when it settles both are closed');
});

t.test('after the end no connection is opened', async (t) => {
  const listener = await listen(t, () => t.fail('a connection came'));
  const result = await runProbe(now, AbortSignal.timeout(900), (run) => {
    run.end(OK);
    run.openTcp(listener.target, nothing);
    run.openTls(listener.target, {}, nothing);
  });
  t.equal(result.reason, OK);
});

t.test('silence is a pass where it is said to be one, and nothing else becomes one', async (t) => {
  const listener = await listen(t, () => undefined);
  const patient = (then: (run: ProbeRun) => void) =>
    runProbe(now, AbortSignal.timeout(50), (run) => {
      run.openTcp(listener.target, { ...nothing, open: () => then(run) });
      run.passAtDeadline();
    });
  t.match(await patient(() => undefined), { outcome: 'pass', reason: OK });
  t.match(await patient((run) => run.end({ kind: 'bad-status', status: 500 })), { outcome: 'fail' });
});

t.test('a warning stands beside a pass only', async (t) => {
  const warned = (reason: Reason) =>
    runProbe(now, AbortSignal.timeout(900), (run) => {
      run.warn('it is old');
      run.end(reason);
    });
  t.equal((await warned(OK)).warning, 'it is old');
  t.notOk('warning' in (await warned({ kind: 'bad-status', status: 500 })));
});

t.test('bytes before the handshake of an upgrade are a protocol error, and none is begun', async (t) => {
  let heard = 0;
  const listener = await listen(t, (socket) => socket.on('data', (bytes) => (heard += bytes.length)));
  const result = await runProbe(now, AbortSignal.timeout(900), (run) =>
    run.openTcp(listener.target, {
      ...nothing,
      open: (socket) => {
        run.enter('request');
        run.upgradeTls({ socket, hasUnread: true }, {}, { ...nothing, open: () => run.end(OK) });
      },
    }),
  );
  t.same(result.reason, {
    kind: 'protocol-error',
    phase: 'request',
    detail: 'plain text before the TLS handshake',
  });
  t.ok(await eventually(() => listener.sockets === 1));
  t.equal(heard, 0);
});

t.test('an upgrade ends in whatever way the peer ends it, and nothing is left', async (t) => {
  const rows: readonly (readonly [string, (socket: Socket) => unknown, object])[] = [
    ['close', (s) => s.end(), { kind: 'closed', phase: 'tls' }],
    ['garbage', (s) => s.write('garbage, no record of TLS'), { kind: 'tls', problem: 'handshake' }],
    ['reset', (s) => s.resetAndDestroy(), { kind: 'reset', phase: 'tls' }],
    ['silence', () => undefined, { kind: 'timeout', phase: 'tls' }],
  ];
  for (const [name, talk, reason] of rows) {
    const before = openSockets();
    const listener = await listen(t, (socket) => socket.once('data', () => talk(socket)));
    const result = runProbe(now, AbortSignal.timeout(name === 'silence' ? 200 : 5000), (run) =>
      run.openTcp(listener.target, {
        ...nothing,
        open: (socket) => run.upgradeTls({ socket, hasUnread: false }, {}, nothing),
        data: () => t.fail(`${name}: the old handlers hear something`),
      }),
    );
    t.match((await result).reason, reason, name);
    await listener.close();
    t.ok(await eventually(() => openSockets() <= before), `${name}: no socket is left`);
  }
});

t.test('where the probe is stands in its reason, whatever ends it', async (t) => {
  const ends: readonly ((run: ProbeRun) => void)[] = [
    (run) => run.end({ kind: 'bad-status', status: 500 }),
    (run) => run.fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
  ];
  for (const end of ends) {
    const { reason } = await runProbe(now, new AbortController().signal, (run) => {
      run.locate('/a');
      run.locate('/b');
      end(run);
    });
    t.equal(reason.at, '/b');
  }
  const deadline = new AbortController();
  const late = await runProbe(now, deadline.signal, (run) => {
    run.locate('/c');
    setImmediate(() => deadline.abort());
  });
  t.same(late.reason, { kind: 'timeout', phase: 'connect', at: '/c' });
  const nowhere = await runProbe(now, new AbortController().signal, (run) => {
    run.locate('/a');
    run.locate(undefined);
    run.end(OK);
  });
  t.same(nowhere.reason, OK);
});

t.test(
  'a connection can be given up while the probe goes on, and its troubles are not those of the probe',
  async (t) => {
    const before = openSockets();
    const listener = await listen(t, (socket) => socket.on('error', () => undefined));
    const result = await runProbe(now, AbortSignal.timeout(5000), (run) => {
      const second = { ...nothing, open: () => run.end(OK) };
      run.openTcp(listener.target, {
        ...nothing,
        open: (socket) => {
          run.drop(socket);
          socket.emit('error', Object.assign(new Error('late'), { code: 'ECONNRESET' }));
          run.openTcp(listener.target, second);
        },
      });
    });
    t.same(result.reason, OK);
    t.ok(await eventually(() => openSockets() <= before + listener.sockets), 'both sockets are freed');
  },
);
