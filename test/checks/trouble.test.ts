/** Every kind of check against everything that servers may do to it. What each answer means is tested with its kind. */
import { createServer as createTlsServer } from 'node:tls';
import t from 'tap';
import { probeByType } from '../../src/checks/kinds.js';
import { readLibraries } from '../../src/checks/libraries.js';
import { CHECK_TYPES, type ProbeResult } from '../../src/checks/model.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { datagramServer } from './datagram-server.js';
import { BY_TYPE, ROWS } from './every-kind.js';
import {
  dribble,
  eventually,
  flood,
  Listener,
  LOCALHOST,
  listen,
  openSockets,
  resetHard,
} from './listeners.js';
import { tlsSettings } from './secure.js';
import {
  type Act,
  afterQuestion,
  column,
  DEAF,
  FAR,
  probers,
  rowOf,
  TCP,
  tcpColumn,
  trickle,
  UDP,
  type Wanted,
} from './trouble-column.js';

// The libraries are read before anything is watched.
await readLibraries(CHECK_TYPES);

t.test('every kind has a row', async (t) => {
  t.same(Object.keys(BY_TYPE).sort(), [...CHECK_TYPES].sort());
  for (const [name, { spec }] of Object.entries(BY_TYPE))
    t.equal(spec({ address: LOCALHOST, port: 1 }).type, name);
  t.same([...TCP, ...UDP, ...DEAF].sort(), Object.keys(ROWS).sort(), 'and each row is in some column');
});

const TLS_FIRST = { https: 'tls', tls: 'tls' };
const COLUMNS: Readonly<Record<string, readonly [Act, Wanted]>> = {
  'silence after the connection stands': [() => undefined, { rest: 'timeout', tcp: 'ok' }],
  'one byte now and then': [
    (socket) => trickle(socket, '1'),
    {
      ...{ rest: 'timeout', tcp: 'ok', ...TLS_FIRST },
      ...{
        grpc: 'protocol-error',
        'http 2': 'protocol-error',
        redis: 'protocol-error',
        mqtt: 'protocol-error',
      },
      // Lengths that such bytes come to, and lines without an end, are given up at some time.
      ...{
        mysql: 'timeout protocol-error',
        postgres: 'timeout protocol-error',
        ldap: 'timeout protocol-error',
      },
    },
  ],
  'an endless reply': [
    (socket) => flood(socket, 'x'.repeat(10_000)),
    {
      ...{ rest: 'too-long', tcp: 'ok', ...TLS_FIRST, redis: 'protocol-error', mqtt: 'protocol-error' },
      ...{
        grpc: 'protocol-error too-long',
        'http 2': 'protocol-error too-long',
        'dns tcp': 'protocol-error',
      },
      ...{ mysql: 'protocol-error too-long', postgres: 'protocol-error too-long' },
      ldap: 'protocol-error too-long',
    },
  ],
  'endless lines': [
    (socket) => flood(socket, 'x y z\r\n'.repeat(2000)),
    {
      ...{
        rest: 'protocol-error',
        tcp: 'ok',
        'send-expect': 'too-long',
        ...TLS_FIRST,
        'sip tcp': 'too-long protocol-error',
      },
      ...{ grpc: 'protocol-error too-long', 'http 2': 'protocol-error too-long' },
      ...{ mysql: 'protocol-error too-long', postgres: 'protocol-error too-long' },
      ldap: 'protocol-error too-long',
    },
  ],
  'NULs without end': [
    (socket) => flood(socket, '\0'.repeat(10_000)),
    {
      ...{ rest: 'too-long protocol-error', tcp: 'ok', ...TLS_FIRST, 'send-expect': 'too-long' },
      ...{ redis: 'protocol-error', mqtt: 'protocol-error', 'dns tcp': 'protocol-error' },
    },
  ],
  'NULs, one by one': [
    (socket) => void dribble(socket, '\0'.repeat(300)),
    {
      ...{ rest: 'timeout', tcp: 'ok', ...TLS_FIRST, grpc: 'protocol-error', 'http 2': 'protocol-error' },
      ...{ redis: 'protocol-error', mysql: 'protocol-error', postgres: 'protocol-error' },
      ...{ mqtt: 'protocol-error', 'dns tcp': 'protocol-error' },
    },
  ],
  'an answer of a gigabyte': [
    (socket, row) =>
      afterQuestion(socket, () => {
        socket.write(rowOf(row).huge ?? '', 'latin1');
        flood(socket, 'a'.repeat(10_000));
      }),
    {
      ...{ rest: 'too-long', tcp: 'ok', ...TLS_FIRST, 'dns tcp': 'protocol-error' },
      ...{
        grpc: 'too-long protocol-error',
        'http 2': 'too-long protocol-error',
        mysql: 'too-long protocol-error',
      },
    },
  ],
  'what TLS begins with': [
    (socket) => socket.write(Buffer.from(`1603010200010001fc0303${'c8fe0a0d0aff0a00'.repeat(60)}`, 'hex')),
    {
      ...{ rest: 'protocol-error', tcp: 'ok', 'send-expect': 'timeout' },
      ...{ https: 'timeout tls', tls: 'timeout tls', mysql: 'timeout', postgres: 'timeout', ldap: 'timeout' },
      ...{ 'dns tcp': 'timeout', 'sip tcp': 'timeout' },
    },
  ],
  'a reset at once': [(socket) => resetHard(socket), { rest: 'reset', tcp: 'ok reset' }],
  'a reset after the question': [
    (socket) => afterQuestion(socket, () => resetHard(socket)),
    { rest: 'reset', tcp: 'ok' },
  ],
  'an orderly end after the question': [
    (socket) => afterQuestion(socket, () => socket.end()),
    { rest: 'closed', tcp: 'ok' },
  ],
};

for (const [name, [act, wanted]] of Object.entries(COLUMNS)) t.test(name, (t) => tcpColumn(t, act, wanted));

t.test('nobody listens', async (t) => {
  const server = await listen(t, () => undefined);
  await server.close();
  const wanted = { rest: 'refused', ping: 'ok', exec: 'ok', file: 'ok' };
  await column(t, Object.keys(ROWS), wanted, () => server.target);
});

const NOTHING: readonly Buffer[] = [];
const DATAGRAMS: Readonly<Record<string, readonly [readonly Buffer[], Wanted]>> = {
  silence: [NOTHING, { rest: 'timeout' }],
  'an empty datagram': [[Buffer.alloc(0)], { rest: 'protocol-error', udp: 'bad-content' }],
  'one byte': [[Buffer.from('x')], { rest: 'protocol-error', udp: 'bad-content' }],
  NULs: [[Buffer.alloc(1000)], { rest: 'protocol-error', udp: 'bad-content' }],
  'the longest datagram': [[Buffer.alloc(65_507, 'a')], { rest: 'protocol-error', udp: 'bad-content' }],
  'a thousand datagrams': [
    Array(1000).fill(Buffer.alloc(300, 0xff)),
    { rest: 'protocol-error', udp: 'bad-content' },
  ],
};

for (const [name, [replies, wanted]] of Object.entries(DATAGRAMS)) {
  t.test(`by UDP: ${name}`, async (t) => {
    const before = openSockets();
    const server = await datagramServer(t, () => replies);
    await column(t, UDP, wanted, () => server.target);
    t.ok(await eventually(() => openSockets() <= before + 1), 'its own is left');
  });
}

const SECURE = TCP.filter((row) => rowOf(row).tls !== 'never');

t.test('certificates that are none of theirs', { skip: NO_OPENSSL }, async (t) => {
  const [ours, others] = [new Authority(t, 'ours'), new Authority(t, 'others')];
  const names = 'DNS:a.test';
  const identities = {
    expired: ours.issue(names, ['20200101000000Z', '20210101000000Z']),
    'not-yet-valid': ours.issue(names, ['20480101000000Z', '20490101000000Z']),
    'wrong-name': ours.issue('DNS:b.test'),
    'unknown-authority': others.issue(names),
    'self-signed': ours.selfSigned('/CN=a.test', `subjectAltName=${names}`),
  };
  for (const [problem, identity] of Object.entries(identities)) {
    const before = openSockets();
    const server = await Listener.open(t, createTlsServer({ ...identity, ALPNProtocols: ['h2'] }));
    const results: ProbeResult[] = [];
    const settings = tlsSettings({ authorities: ours.cert, serverName: 'a.test' });
    const signal = AbortSignal.timeout(FAR);
    for (const row of SECURE) {
      const result = await probeByType(probers, rowOf(row).spec(server.target, settings), signal);
      t.match(result, { reason: { kind: 'tls', problem } }, `${row}: ${problem}`);
      results.push(result);
    }
    t.ok(results.every(({ outcome }) => outcome === 'fail'));
    await server.close();
    t.ok(await eventually(() => openSockets() <= before), 'no socket is left');
  }
});

const HANDSHAKES: Readonly<Record<string, readonly [Act, Wanted]>> = {
  silence: [() => undefined, { rest: 'timeout' }],
  'a reset': [(socket) => afterQuestion(socket, () => resetHard(socket)), { rest: 'reset' }],
  'an end': [(socket) => afterQuestion(socket, () => socket.end()), { rest: 'closed reset' }],
  NULs: [(socket) => flood(socket, '\0'.repeat(10_000)), { rest: 'tls' }],
  text: [(socket) => flood(socket, '220 hello\r\n'.repeat(1000)), { rest: 'tls' }],
  'a record that never ends': [
    (socket) => {
      socket.write(Buffer.from('1603034000', 'hex'));
      trickle(socket, '\x02');
    },
    { rest: 'timeout tls' },
  ],
};

for (const [name, [act, wanted]] of Object.entries(HANDSHAKES)) {
  t.test(`in place of a handshake: ${name}`, async (t) => {
    const before = openSockets();
    const server = await listen(t, (socket) => act(socket, ''));
    await column(t, SECURE, wanted, () => server.target, { verify: false });
    await server.close();
    t.ok(await eventually(() => openSockets() <= before), 'no socket is left');
  });
}
