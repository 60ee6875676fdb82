import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { httpProber } from '../../src/checks/http.js';
import type { HttpCheck } from '../../src/checks/spec-web.js';
import { systemClock } from '../../src/sys/clock.js';
import { answering, CHUNKED, check, counted, HEAD, OK, ROWS } from './http-talks.js';
import { laneProber } from './lane-prober.js';
import { closedPort, eventually, Listener, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient } from './secure.js';

const http = httpProber(systemClock.monotonic, tlsClient);
/** Both ways must tell the same of every server. */
const WAYS = [
  ['by a socket', http],
  ['in the lane', laneProber<HttpCheck>(t)],
] as const;

/** A field that never ends, a letter every few milliseconds. */
function drip(socket: Socket): void {
  socket.write(`${HEAD}X: `);
  const timer = setInterval(() => socket.write('x'), 5);
  socket.once('close', () => clearInterval(timer));
}

for (const [way, http] of WAYS) {
  t.test(`${way}: each answer has its reason, in whatever way it comes`, async (t) => {
    for (const { name, talk, more, reason } of ROWS) {
      const listener = await listen(t, talk);
      const result = await probeOnce(t, http, check(listener.target, more), { listeners: [listener] });
      t.same(result.reason, reason, name);
      t.equal(result.outcome, reason === OK ? 'pass' : 'fail', `${name}: outcome`);
      t.same(
        result.phases.map(([phase]) => phase),
        ['connect', 'request', 'response'],
        `${name}: phases`,
      );
      await listener.close();
    }
  });

  t.test(`${way}: a reset in the middle of the answer is a reset`, async (t) => {
    for (const said of [HEAD, counted('fin', 9), `${CHUNKED}1\r\nx\r\n`]) {
      const talk = answering(async (socket) => {
        socket.write(said);
        // The probe reads on the same loop: after a few turns it has what was said. A reset that comes together with
        // bytes is an orderly end for libuv.
        for (let count = 0; count < 5; count += 1) await turn();
        resetHard(socket);
      });
      const listener = await listen(t, talk);
      const spec = check(listener.target, { contains: 'fine' });
      const { reason } = await probeOnce(t, http, spec, { listeners: [listener] });
      t.same(reason, { kind: 'reset', phase: 'response' }, JSON.stringify(said));
    }
  });

  t.test(`${way}: silence at any point ends with the deadline`, async (t) => {
    const rows: readonly (readonly [string, (socket: Socket) => unknown])[] = [
      ['after the accept', () => undefined],
      ['after half a status line', answering((s) => s.write('HTTP/1.1 2'))],
      ['after half a head', answering((s) => s.write(HEAD))],
      ['after an interim response', answering((s) => s.write('HTTP/1.1 100 Continue\r\n\r\n'))],
      ['in the body', answering((s) => s.write(counted('fin', 9)))],
      ['not quite: a byte now and then', answering(drip)],
    ];
    for (const [name, talk] of rows) {
      const listener = await listen(t, talk);
      const spec = check(listener.target, { contains: 'fine' });
      const result = await probeOnce(t, http, spec, { deadline: 250, listeners: [listener] });
      t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'response' } }, name);
      // A busy machine may begin to count late, but not after most of the time.
      t.ok(result.elapsed >= 100_000, `${name}: it waits for the rest`);
      await listener.close();
    }
  });

  t.test(`${way}: nobody there`, async (t) => {
    const result = await probeOnce(t, http, check(await closedPort(t)));
    t.match(result, { outcome: 'fail', reason: { kind: 'refused', phase: 'connect' } });
  });
}

t.test('the server gets exactly what was configured, once', async (t) => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(JSON.stringify([request.method, request.url, request.rawHeaders]));
    response.end('fine');
  });
  const listener = await Listener.open(t, server);
  const spec = check(listener.target, {
    method: 'OPTIONS',
    path: '/a?b=c',
    headers: [['x-key', 'v']],
    host: 'h:8080',
  });
  t.equal((await probeOnce(t, http, spec, { listeners: [listener] })).outcome, 'pass');
  t.equal((await probeOnce(t, http, spec, { listeners: [listener] })).outcome, 'pass');
  const expected = [
    'OPTIONS',
    '/a?b=c',
    ['Host', 'h:8080', 'user-agent', 'lvsentry', 'accept', '*/*', 'connection', 'close', 'x-key', 'v'],
  ];
  t.same(
    requests.map((text) => JSON.parse(text)),
    [expected, expected],
  );
});

t.test('a request that cannot be written is our fault, and nothing is sent', async (t) => {
  const listener = await listen(t, () => t.fail('a connection came'));
  for (const more of [{ path: '/\r\nX: y' }, { host: 'a\nb' }, { headers: [['x', '\r']] as const }]) {
    const result = await probeOnce(t, http, check(listener.target, more), { listeners: [listener] });
    t.match(result, { outcome: 'unknown', reason: { kind: 'local', errno: 'MALFORMED' } });
  }
});

t.test('a hundred probes at once leave nothing behind', async (t) => {
  const listener = await listen(
    t,
    answering((socket) => socket.write(counted('fine'))),
  );
  const spec = check(listener.target, { contains: 'fine' });
  const results = await Promise.all(Array.from({ length: 100 }, () => http(spec, AbortSignal.timeout(5000))));
  t.equal(results.filter(({ outcome }) => outcome === 'pass').length, 100);
  t.ok(await eventually(() => listener.sockets === 1), 'the server saw every connection end');
  t.equal((await probeOnce(t, http, spec, { listeners: [listener] })).outcome, 'pass');
});
