/** UDP sockets of a probe, against real ones. */
import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import type { ProbeResult } from '../../src/checks/model.js';
import { type DatagramHandlers, type ProbeRun, runProbe } from '../../src/checks/probe-run.js';
import type { Target } from '../../src/checks/spec-target.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { LOCALHOST, openSockets } from './listeners.js';

/** A socket that answers every datagram as `answer` says. */
async function answering(
  t: Test,
  answer: (bytes: Buffer) => readonly string[],
  address: Ip = LOCALHOST,
): Promise<Target> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => {
    for (const text of answer(bytes)) socket.send(text, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  t.teardown(() => socket.close());
  return { address, port: socket.address().port };
}

async function probe(
  t: Test,
  target: Target,
  handlers: (run: ProbeRun) => DatagramHandlers,
  deadline = 5000,
): Promise<ProbeResult> {
  const before = openSockets();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  const result = await runProbe(systemClock.monotonic, abort.signal, (run) =>
    run.openUdp(target, handlers(run)),
  );
  clearTimeout(timer);
  t.ok(openSockets() <= before, 'no socket is left');
  return result;
}

/** Says `ping`, and passes with the first answer that is `pong`. */
const pingPong = (run: ProbeRun): DatagramHandlers => ({
  open: (socket) => {
    run.enter('request');
    socket.send('ping');
    run.enter('response');
  },
  data: (bytes) => {
    if (Buffer.from(bytes).toString() === 'pong') run.end({ kind: 'ok' });
  },
});

for (const address of [LOCALHOST, ip('::1')]) {
  t.test(`a question and its answer at ${address}`, async (t) => {
    const target = await answering(
      t,
      (bytes) => (bytes.toString() === 'ping' ? ['what', 'pong'] : []),
      address,
    );
    const result = await probe(t, target, pingPong);
    t.same(result.reason, { kind: 'ok' });
    t.same(
      result.phases.map(([phase]) => phase),
      ['connect', 'request', 'response'],
    );
  });
}

t.test('a port where nobody listens is a refusal', async (t) => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOCALHOST, resolve));
  const { port } = socket.address();
  socket.close();
  const { outcome, reason } = await probe(t, { address: LOCALHOST, port }, pingPong);
  t.equal(outcome, 'fail');
  t.same(reason, { kind: 'refused', phase: 'response' });
});

t.test('silence is a time-out in the phase that waits', async (t) => {
  const target = await answering(t, () => []);
  const { reason } = await probe(t, target, pingPong, 50);
  t.same(reason, { kind: 'timeout', phase: 'response' });
});

t.test('a datagram from elsewhere is not heard', async (t) => {
  const stranger = createSocket('udp4');
  await new Promise<void>((resolve) => stranger.bind(0, LOCALHOST, resolve));
  t.teardown(() => stranger.close());
  const target = await answering(t, () => []);
  const { reason } = await probe(
    t,
    target,
    (run) => ({
      open: (socket) => {
        run.enter('response');
        stranger.send('pong', socket.address().port, LOCALHOST);
      },
      data: () => run.end({ kind: 'ok' }),
    }),
    100,
  );
  t.same(reason, { kind: 'timeout', phase: 'response' });
});

t.test('no way to the network is an error, not a crash', async (t) => {
  const { outcome, reason } = await probe(t, { address: ip('255.255.255.255'), port: 9 }, pingPong);
  t.not(outcome, 'pass');
  t.match(reason, { kind: 'local', errno: 'EACCES' });
});

t.test('what a handler throws is a defect of ours', async (t) => {
  const target = await answering(t, () => ['pong']);
  const { outcome } = await probe(t, target, () => ({
    open: (socket) => void socket.send('ping'),
    data: () => {
      throw new Error('met a bad day');
    },
  }));
  t.equal(outcome, 'unknown');
});
