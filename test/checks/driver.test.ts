/** Probes by a library: what a library may do wrong, and what is no fault of the server's. */
import t, { type Test } from 'tap';
import { DRIVER_LIMIT, type Driver, type DriverStream, probeByDriver } from '../../src/checks/driver.js';
import type { ProbeResult } from '../../src/checks/model.js';
import { millis, seconds } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { flood, listen, openSockets } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const means = { now: systemClock.monotonic, client: tlsClient };

/** A server that sends `words`, again and again where asked, and the probe of it by `driver`. */
async function probe(
  t: Test,
  driver: Partial<Driver<string>>,
  { endless = false, deadline = seconds(5) } = {},
): Promise<ProbeResult> {
  const server = await listen(t, (socket) => {
    if (endless) flood(socket, 'word'.repeat(1000));
    else socket.write('word');
  });
  const before = openSockets();
  const result = await probeByDriver(means, AbortSignal.timeout(deadline), {
    target: server.target,
    tls: undefined,
    load: () => Promise.resolve('library'),
    talk: () => new Promise(() => undefined),
    rejection: () => undefined,
    ...driver,
  });
  t.equal(openSockets() - (server.sockets - 1), before, 'no socket is left');
  await server.close();
  return result;
}

const heard = (stream: DriverStream): Promise<string> =>
  new Promise((resolve) => stream.once('data', (bytes: Buffer) => resolve(bytes.toString())));

t.test('what the library says ends the probe', async (t) => {
  const passed = await probe(t, {
    talk: async (library, stream, run) => {
      run.enter('request');
      return library === 'library' && (await heard(stream)) === 'word'
        ? { kind: 'ok' }
        : { kind: 'bad-status', status: 1 };
    },
  });
  t.match(passed, { outcome: 'pass', phases: [['connect'], ['request']] });
  const refused = await probe(t, {
    talk: () => Promise.reject(new Error('no')),
    rejection: (thrown, { phase }) => ({
      kind: 'rejected',
      phase,
      code: 1,
      detail: String(thrown),
    }),
  });
  t.match(refused.reason, { kind: 'rejected', detail: 'Error: no' });
});

t.test("what it cannot understand is the server's fault", async (t) => {
  const rejecting = await probe(t, { talk: () => Promise.reject(new Error('what?')) });
  t.match(rejecting, { outcome: 'fail', reason: { kind: 'protocol-error', detail: 'what?' } });
  const throwing = await probe(t, {
    talk: (_library, stream) =>
      new Promise(() => {
        stream.on('data', () => {
          throw new Error('out of its mind');
        });
      }),
  });
  t.match(throwing, { outcome: 'fail', reason: { kind: 'protocol-error', detail: 'out of its mind' } });
});

t.test('it reads so much and no more', async (t) => {
  const result = await probe(t, {}, { endless: true });
  t.match(result, { outcome: 'fail', reason: { kind: 'too-long', limit: DRIVER_LIMIT } });
});

t.test('the deadline is that of the probe', async (t) => {
  const result = await probe(t, {}, { deadline: millis(100) });
  t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'connect' } });
});

t.test('a library that is not there, or takes its time, says nothing about the server', async (t) => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const gone = await probe(t, { load: () => Promise.reject(missing) });
  t.match(gone, { outcome: 'unknown', reason: { kind: 'local', errno: 'ERR_MODULE_NOT_FOUND' } });
  const late = await probe(
    t,
    {
      load: () => new Promise((resolve) => setTimeout(() => resolve('library'), 60)),
    },
    { deadline: millis(20) },
  );
  t.match(late, { outcome: 'unknown', reason: { kind: 'local', errno: 'ETIME' } });
});

t.test('what the library writes after the end goes nowhere', async (t) => {
  let kept: DriverStream | undefined;
  await probe(t, {
    talk: (_library, stream) => {
      kept = stream.setNoDelay().setKeepAlive();
      return Promise.resolve({ kind: 'ok' });
    },
  });
  t.equal(kept?.destroyed, true);
  t.doesNotThrow(() => kept?.write('too late', () => undefined));
});

t.test('TLS from the first byte', async (t) => {
  const plain = await probe(t, { tls: { start: 'implicit', ...tlsSettings() } }, { endless: true });
  t.match(plain.reason, { kind: 'tls', problem: 'handshake' });
});
