import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import type { UdpCheck } from '../../src/checks/spec-datagram.js';
import type { Target } from '../../src/checks/spec-target.js';
import { udpProber } from '../../src/checks/udp.js';
import { ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { datagramServer } from './datagram-server.js';
import { LOCALHOST, probeOnce } from './listeners.js';

const udp = udpProber(systemClock.monotonic);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function check(target: Target, more: Partial<UdpCheck> = {}): UdpCheck {
  const payload = { form: 'text', value: 'hello' } as const;
  return { type: 'udp', target, payload, replyRequired: true, replyPattern: undefined, ...more };
}

async function closedPort(t: Test): Promise<Target> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOCALHOST, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  t.comment(`nobody listens at ${port}`);
  return { address: LOCALHOST, port };
}

t.test('what a reply means', async (t) => {
  const mismatch = (detail: string) => ({ kind: 'bad-content', phase: 'response', detail });
  const rows: readonly (readonly [string, Partial<UdpCheck>, readonly Buffer[], object])[] = [
    ['any reply', {}, [Buffer.from('whatever')], { kind: 'ok' }],
    ['an empty reply', {}, [Buffer.alloc(0)], { kind: 'ok' }],
    ['a reply that fits', { replyPattern: '01 XX 0X' }, [hex('01ff0f99')], { kind: 'ok' }],
    [
      'one that does not',
      { replyPattern: '01 XX 0X' },
      [hex('01ff1f')],
      mismatch('reply of 3 bytes: 01 ff 1f'),
    ],
    ['one that is too short', { replyPattern: '01 XX' }, [hex('01')], mismatch('reply of 1 bytes: 01')],
    ['an empty one', { replyPattern: 'XX' }, [Buffer.alloc(0)], mismatch('reply of 0 bytes')],
    [
      'a long one',
      { replyPattern: '01' },
      [Buffer.alloc(2000)],
      mismatch(`reply of 2000 bytes: ${Array(16).fill('00').join(' ')} …`),
    ],
    ['the first counts', { replyPattern: '01' }, [hex('01'), hex('02')], { kind: 'ok' }],
    [
      'a wrong one where none is required',
      { replyPattern: '01', replyRequired: false },
      [hex('02')],
      mismatch('reply of 1 bytes: 02'),
    ],
    [
      'a right one where none is required',
      { replyPattern: '02', replyRequired: false },
      [hex('02')],
      { kind: 'ok' },
    ],
  ];
  for (const [name, more, replies, reason] of rows) {
    const server = await datagramServer(t, () => replies);
    const result = await probeOnce(t, udp, check(server.target, more));
    t.same(result.reason, reason, name);
    t.equal(result.outcome, name.startsWith('any') || 'ok' === result.reason.kind ? 'pass' : 'fail', name);
  }
});

t.test('silence', async (t) => {
  const server = await datagramServer(t, () => []);
  const needed = await probeOnce(t, udp, check(server.target), { deadline: 100 });
  t.match(needed, { outcome: 'fail', reason: { kind: 'timeout', phase: 'response' } }, 'a reply is required');
  const free = await probeOnce(t, udp, check(server.target, { replyRequired: false }), { deadline: 100 });
  t.match(free, { outcome: 'pass', reason: { kind: 'ok' } }, 'none is required');
  t.ok(free.elapsed >= 50_000, 'it waits for a refusal until the deadline');
});

t.test('a port where nobody listens is a refusal, whether a reply is required or not', async (t) => {
  const target = await closedPort(t);
  for (const replyRequired of [true, false]) {
    const result = await probeOnce(t, udp, check(target, { replyRequired }));
    t.match(result, { outcome: 'fail', reason: { kind: 'refused', phase: 'response' } });
  }
});

t.test('the payload goes out as it was configured, once', async (t) => {
  for (const address of [LOCALHOST, ip('::1')]) {
    const server = await datagramServer(t, () => [Buffer.from('x')], address);
    await probeOnce(t, udp, check(server.target, { payload: { form: 'text', value: 'žluť\n' } }));
    await probeOnce(t, udp, check(server.target, { payload: { form: 'hex', value: '00 ff 0A' } }));
    t.same(
      server.heard.map((bytes) => bytes.toString('hex')),
      [Buffer.from('žluť\n').toString('hex'), '00ff0a'],
      address,
    );
  }
});

t.test('a payload that no datagram can carry is our fault', async (t) => {
  const server = await datagramServer(t, () => []);
  const payload = { form: 'text', value: 'x'.repeat(70_000) } as const;
  const result = await probeOnce(t, udp, check(server.target, { payload }));
  t.match(result, { outcome: 'unknown', reason: { kind: 'local', errno: 'EMSGSIZE' } });
  t.same(server.heard, []);
});
