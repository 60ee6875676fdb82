/** Ping: against kernels that answer, refuse and are silent, and against answers that no kernel gives. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ProbeResult } from '../../src/checks/model.js';
import { pingProber } from '../../src/checks/ping.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { checksum } from '../../src/wire/checksum.js';
import { encodeSockaddr } from '../../src/wire/sockaddr.js';
import { FakePacketSocket, opening } from '../fakes/packet-socket.js';
import { probeOnce } from './listeners.js';

const [EPERM, EACCES, EMFILE, EAGAIN] = [1, 13, 24, 11];
const now = () => systemClock.monotonic();
const at = (address: Ip) => ({ type: 'ping', target: { address, port: 0 } }) as const;

const noNamespace =
  spawnSync('unshare', ['-n', 'ip', 'link']).status !== 0 && 'network namespaces need root and iproute2';

interface LabResult {
  readonly results: Readonly<Record<string, ProbeResult>>;
  readonly mixed: readonly (readonly [address: string, outcome: string, reason: string])[];
  readonly rawSockets: number;
}

function lab(t: Test, range: string): LabResult {
  const script = fileURLToPath(new URL('./ping-lab.js', import.meta.url));
  const { stdout, stderr } = spawnSync('unshare', ['-n', process.execPath, script, range], {
    timeout: 60_000,
  });
  if (stderr.length > 0) t.comment(stderr.toString());
  return JSON.parse(stdout.toString()) as LabResult;
}

const ok = { outcome: 'pass', reason: { kind: 'ok' } };
const unreachable = (errno: string, phase = 'response') => ({
  outcome: 'fail',
  reason: { kind: 'unreachable', phase, errno },
});
const silent = { outcome: 'fail', reason: { kind: 'timeout', phase: 'response' } };

/** What the kernels of the lab make of it, on either kind of socket. */
const EXPECTED: Readonly<Record<string, object>> = {
  '127.0.0.1': ok,
  '::1': ok,
  '10.9.0.2': ok,
  '2001:db8:9::2': ok,
  '198.18.1.1': unreachable('EHOSTUNREACH'),
  '2001:db8:101::1': unreachable('ENETUNREACH'),
  '198.18.2.1': unreachable('EHOSTUNREACH'),
  '2001:db8:102::1': unreachable('EACCES'),
  '198.18.4.1': unreachable('ENETUNREACH'),
  '2001:db8:104::1': unreachable('ENETUNREACH'),
  '198.18.3.1': silent,
  '2001:db8:103::1': silent,
  '192.0.2.1': unreachable('ENETUNREACH', 'request'),
  // Our own route forbids it.
  '203.0.113.1': { outcome: 'unknown', reason: { kind: 'local', phase: 'request', errno: 'EACCES' } },
};

for (const [name, range] of [
  ['raw', '1 0'],
  ['unprivileged', '0 2147483647'],
] as const)
  t.test(`${name} sockets and real kernels`, { skip: noNamespace }, (t) => {
    const { results, mixed, rawSockets } = lab(t, range);
    for (const [address, expected] of Object.entries(EXPECTED))
      t.match(results[address], expected, `${address}: ${JSON.stringify(results[address]?.reason)}`);
    t.equal(rawSockets > 0, name === 'raw', 'which sockets they are');
    t.equal(mixed.length, 60);
    for (const [address, outcome, reason] of mixed) {
      const { outcome: wanted, reason: why } = EXPECTED[address] as {
        outcome: string;
        reason: { kind: string };
      };
      if (outcome !== wanted || reason !== why.kind) t.fail(`among many, ${address}: ${outcome}, ${reason}`);
    }
    t.same(
      results['127.0.0.1']?.phases.map(([phase]) => phase),
      ['connect', 'request', 'response'],
    );
    t.end();
  });

const TARGET = ip('192.0.2.7');
const SENDER = encodeSockaddr(TARGET, 0);
const NO_CONTROL = new Uint8Array(0);

/** An unprivileged socket on which `answers` come once the echo is sent; then nothing more. */
async function answered(
  t: Test,
  answers: (echo: Uint8Array, socket: FakePacketSocket) => void,
  deadline = 150,
): Promise<ProbeResult> {
  const socket = new FakePacketSocket();
  const { send } = socket;
  socket.send = (bytes, to, control) => {
    setImmediate(() => {
      answers(bytes, socket);
      socket.listener?.();
    });
    return send.call(socket, bytes, to, control);
  };
  const result = await probeOnce(t, pingProber(now, opening(socket)), at(TARGET), { deadline });
  t.ok(socket.closed, 'its socket is closed');
  t.equal(socket.sent.length, 1, 'one echo goes out');
  t.same(socket.sent[0]?.to, SENDER);
  return result;
}

/** The reply to an echo of IPv4, after a change. */
function replyTo(echo: Uint8Array, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Uint8Array {
  const bytes = echo.slice();
  bytes[0] = 0;
  const changed = change(bytes);
  changed.set([0, 0], 2);
  const sum = checksum(changed);
  changed.set([sum >> 8, sum & 0xff], 2);
  return changed;
}

const from = (bytes: Uint8Array, sender = SENDER) => ({ bytes, from: sender, control: NO_CONTROL });
const flip = (index: number) => (bytes: Uint8Array) => {
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes;
};

t.test('only the whole echo, from the target, is a pass', async (t) => {
  const rows: readonly (readonly [string, (echo: Uint8Array) => ReturnType<typeof from>, object])[] = [
    ['the echo', (echo) => from(replyTo(echo)), ok],
    ['with an identifier of the kernel', (echo) => from(replyTo(echo, flip(4))), ok],
    ['of another sequence', (echo) => from(replyTo(echo, flip(7))), silent],
    ['from somebody else', (echo) => from(replyTo(echo), encodeSockaddr(ip('192.0.2.8'), 0)), silent],
    ['with a wrong checksum', (echo) => from(flip(3)(replyTo(echo))), silent],
    ['the request itself', (echo) => from(echo), silent],
    ['one byte', () => from(Uint8Array.of(0)), silent],
    ['nothing', () => from(new Uint8Array(0)), silent],
    ['more than we ever read', () => from(new Uint8Array(60_000)), silent],
  ];
  for (const [name, answer, expected] of rows)
    t.match(await answered(t, (echo, socket) => socket.incoming.push(answer(echo))), expected, name);
  for (const [name, change] of [
    ['a changed byte', flip(30)],
    ['a cut payload', (bytes: Uint8Array) => bytes.slice(0, 40)],
    ['no payload', (bytes: Uint8Array) => bytes.slice(0, 8)],
    ['a longer payload', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
  ] as const) {
    const result = await answered(t, (echo, socket) => socket.incoming.push(from(replyTo(echo, change))));
    t.match(result, { outcome: 'fail', reason: { kind: 'bad-content', phase: 'response' } }, name);
  }
});

t.test('what is not ours does not stand in the way of what is', async (t) => {
  const result = await answered(
    t,
    (echo, socket) => {
      for (let count = 0; count < 200; count += 1) socket.incoming.push(from(replyTo(echo, flip(7))));
      socket.incoming.push(from(replyTo(echo)));
      // The kernel tells again of what is left.
      setImmediate(function again() {
        socket.listener?.();
        if (socket.incoming.length > 0) setImmediate(again);
      });
    },
    5000,
  );
  t.match(result, ok);
});

t.test('errors of the socket: what others say is a failure, the rest is ours', async (t) => {
  const rows: readonly (readonly [number, object])[] = [
    [113, unreachable('EHOSTUNREACH')],
    [112, unreachable('EHOSTDOWN')],
    [92, unreachable('ENOPROTOOPT')],
    [13, unreachable('EACCES')],
    [111, { outcome: 'fail', reason: { kind: 'refused', phase: 'response' } }],
    [12, { outcome: 'unknown', reason: { kind: 'local', phase: 'response', errno: 'ENOMEM' } }],
  ];
  for (const [errno, expected] of rows)
    t.match(await answered(t, (_, socket) => socket.incoming.push(-errno)), expected, `${errno}`);
  t.match(await answered(t, (_, socket) => socket.incoming.push(-EAGAIN)), silent, 'nothing there yet');
});

t.test('what cannot be opened or sent is unknown', async (t) => {
  const unknown = (errno: string, phase: string) => ({
    outcome: 'unknown',
    reason: { kind: 'local', phase, errno },
  });
  const asked: string[] = [];
  const refusing = pingProber(now, opening(-EACCES, asked));
  t.match(await probeOnce(t, refusing, at(TARGET)), unknown('EACCES', 'connect'));
  t.match(await probeOnce(t, refusing, at(ip('2001:db8::1'))), unknown('EACCES', 'connect'));
  t.same(asked, ['2 2 1', '2 3 1', '10 2 58', '10 3 58'], 'the unprivileged socket is asked for first');
  const full: string[] = [];
  t.match(
    await probeOnce(t, pingProber(now, opening(-EMFILE, full)), at(TARGET)),
    unknown('EMFILE', 'connect'),
  );
  t.same(full, ['2 2 1'], 'another kind of socket would not help');
  const socket = new FakePacketSocket();
  socket.sendResult = -EPERM;
  t.match(await probeOnce(t, pingProber(now, opening(socket)), at(TARGET)), unknown('EPERM', 'request'));
  t.ok(socket.closed);
  const odd = new FakePacketSocket(['0 11', -22]);
  t.match(await probeOnce(t, pingProber(now, opening(odd)), at(TARGET)), unknown('EINVAL', 'connect'));
  t.ok(odd.closed);
});

t.test('a raw socket hears replies to its own identifier alone', async (t) => {
  const socket = new FakePacketSocket();
  const openSocket = (_: number, type: number) => (type === 3 ? socket : -EACCES);
  const header = Buffer.from('4500005400004000400100000000000000000000', 'hex');
  socket.send = (bytes) => {
    setImmediate(() => {
      const wrap = (reply: Uint8Array) => from(new Uint8Array([...header, ...reply]));
      socket.incoming.push(wrap(replyTo(bytes, flip(4))), from(replyTo(bytes)), wrap(replyTo(bytes)));
      socket.listener?.();
    });
    return bytes.length;
  };
  t.match(await probeOnce(t, pingProber(now, openSocket), at(TARGET)), ok);
  t.equal(socket.incoming.length, 0, 'only the last one was it');
  t.match(socket.options, [/^filter /]);
});

t.test('a deadline that has fired before the start opens nothing', async (t) => {
  const asked: string[] = [];
  const result = await pingProber(now, opening(-EMFILE, asked))(at(TARGET), AbortSignal.abort());
  t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'connect' } });
  t.same(asked, []);
});
