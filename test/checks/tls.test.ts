import { connect, type Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { httpProber } from '../../src/checks/http.js';
import type { TlsProblem } from '../../src/checks/model.js';
import type { TlsSettings } from '../../src/checks/spec-tls.js';
import type { HttpCheck } from '../../src/checks/spec-web.js';
import { SecureContexts } from '../../src/checks/tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, type Identity, NO_OPENSSL } from './certificates.js';
import { answering, check, counted } from './http-talks.js';
import { Listener, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const NAME = 'www.example.org';
const http = httpProber(systemClock.monotonic, tlsClient);

function https(listener: Listener, tls: Partial<TlsSettings>, more: Partial<HttpCheck> = {}): HttpCheck {
  const settings = tlsSettings({ serverName: NAME, alpn: ['http/1.1'], ...tls });
  return check(listener.target, { type: 'https', tls: settings, ...more });
}

async function serve(t: Test, identity: Identity, more: TlsOptions = {}) {
  const talk = (socket: TLSSocket): void => {
    socket.on('error', () => undefined);
    answering((plain) => plain.end(counted('all fine')))(socket);
  };
  const server = createServer({ ...identity, ...more }, talk);
  server.on('tlsClientError', () => undefined);
  return Listener.open(t, server);
}

t.test('certificates', { skip: NO_OPENSSL }, async (t) => {
  const ours = new Authority(t, 'ours');
  const theirs = new Authority(t, 'theirs');
  const good = ours.issue(`DNS:${NAME}`);
  const trust = { authorities: ours.cert };

  t.test('a good one passes, and every phase is timed', async (t) => {
    const listener = await serve(t, good);
    const result = await probeOnce(t, http, https(listener, trust, { contains: 'fine' }), {
      listeners: [listener],
    });
    t.match(result, { outcome: 'pass', reason: { kind: 'ok' } });
    t.same(
      result.phases.map(([phase]) => phase),
      ['connect', 'tls', 'request', 'response'],
    );
  });

  t.test('the name goes out as SNI, an address does not', async (t) => {
    const asked: (string | false)[] = [];
    const listener = await serve(t, ours.issue(`DNS:${NAME},IP:127.0.0.1`));
    listener.server.on('secureConnection', (socket: TLSSocket) => asked.push(socket.servername ?? false));
    for (const serverName of [NAME, undefined]) {
      const spec = https(listener, { ...trust, serverName });
      t.equal(
        (await probeOnce(t, http, spec, { listeners: [listener] })).outcome,
        'pass',
        String(serverName),
      );
    }
    t.same(asked, [NAME, false]);
  });

  const self = ours.selfSigned('/CN=self', `subjectAltName=DNS:${NAME}`);
  const rows: readonly (readonly [string, Identity, Partial<TlsSettings>, TlsProblem, string])[] = [
    [
      'expired',
      ours.issue(`DNS:${NAME}`, ['20200101000000Z', '20210101000000Z']),
      trust,
      'expired',
      'CERT_HAS_EXPIRED',
    ],
    [
      'not yet valid',
      ours.issue(`DNS:${NAME}`, ['20480101000000Z', '20490101000000Z']),
      trust,
      'not-yet-valid',
      'CERT_NOT_YET_VALID',
    ],
    ['self-signed', self, {}, 'self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['self-signed, though we trust another', self, trust, 'self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'of an authority that the system does not know',
      good,
      {},
      'unknown-authority',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'of another authority than ours',
      good,
      { authorities: theirs.cert },
      'unknown-authority',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'sent with its unknown authority',
      { ...good, cert: good.cert + ours.cert },
      {},
      'unknown-authority',
      'SELF_SIGNED_CERT_IN_CHAIN',
    ],
    [
      'for another name',
      good,
      { ...trust, serverName: 'mail.example.org' },
      'wrong-name',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      'for a name where we know only the address',
      good,
      { ...trust, serverName: undefined },
      'wrong-name',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ];
  for (const [name, identity, tls, problem, detail] of rows) {
    t.test(`one that is ${name} is refused, unless nothing is verified`, async (t) => {
      const listener = await serve(t, identity);
      const result = await probeOnce(t, http, https(listener, tls), { listeners: [listener] });
      t.same(result.reason, { kind: 'tls', problem, detail });
      t.equal(result.outcome, 'fail');
      t.same(
        result.phases.map(([phase]) => phase),
        ['connect', 'tls'],
      );
      const careless = https(listener, { ...tls, verify: false });
      t.equal((await probeOnce(t, http, careless, { listeners: [listener] })).outcome, 'pass');
    });
  }

  t.test('a server that wants a certificate of ours has refused us, whenever it says so', async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const listener = await serve(t, good, { requestCert: true, rejectUnauthorized: true, maxVersion });
      const result = await probeOnce(t, http, https(listener, trust), { listeners: [listener] });
      t.match(
        result,
        { outcome: 'fail', reason: { kind: 'tls', problem: 'handshake', detail: /alert/ } },
        maxVersion,
      );
    }
  });

  t.test('a server of the last century, and one that speaks HTTP/2 only', async (t) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    for (const options of [old, { ALPNProtocols: ['h2'] }]) {
      const listener = await serve(t, good, options);
      const result = await probeOnce(t, http, https(listener, trust), { listeners: [listener] });
      t.match(result, { outcome: 'fail', reason: { kind: 'tls', problem: 'handshake', detail: /alert/ } });
    }
  });

  t.test('silence after the handshake is a timeout of the answer', async (t) => {
    const server = createServer(good, (socket) => socket.on('error', () => undefined));
    const listener = await Listener.open(t, server);
    const result = await probeOnce(t, http, https(listener, trust), { deadline: 300, listeners: [listener] });
    t.match(result.reason, { kind: 'timeout', phase: 'response' });
  });

  t.test('a reset, an end and garbage after the handshake', async (t) => {
    // Each answer is put onto the bare connection, past TLS.
    const talks: readonly (readonly [string, (socket: Socket) => unknown, object])[] = [
      ['reset', (socket) => resetHard(socket), { kind: 'reset', phase: 'response' }],
      ['end', (socket) => socket.end(), { kind: 'closed', phase: 'response' }],
      ['garbage', (socket) => socket.write('garbage garbage'), { kind: 'tls', problem: 'handshake' }],
    ];
    for (const [name, talk, reason] of talks) {
      const inner = await serve(t, good);
      inner.server.removeAllListeners('secureConnection');
      const outer = await relay(t, inner, talk);
      const result = await probeOnce(t, http, https(outer, trust), { listeners: [inner, outer] });
      t.match(result.reason, reason, name);
    }
  });
});

/** Passes bytes on to a TLS server until that has read the request; then `talk` has the client's bare connection. */
function relay(t: Test, inner: Listener, talk: (socket: Socket) => unknown): Promise<Listener> {
  return listen(t, (client) => {
    const onward = connect(inner.target.port, inner.target.address);
    onward.on('error', () => undefined);
    onward.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => onward.write(bytes));
    client.once('close', () => onward.destroy());
    inner.server.once('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => talk(client));
    });
  });
}

t.test('what is no TLS at all', async (t) => {
  const rows: readonly (readonly [string, (socket: Socket) => unknown, object])[] = [
    [
      'an HTTP answer',
      (s) => s.once('data', () => s.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      { kind: 'tls', problem: 'handshake', detail: 'wrong version number' },
    ],
    [
      'an FTP greeting',
      (s) => s.write('220 ready, whoever you are\r\n'),
      { kind: 'tls', problem: 'handshake' },
    ],
    ['NULs', (s) => s.write(Buffer.alloc(4000)), { kind: 'tls', problem: 'handshake' }],
    ['half a record', (s) => s.write(Buffer.from([22, 3, 3, 0x40, 0])), { kind: 'timeout', phase: 'tls' }],
    ['silence', () => undefined, { kind: 'timeout', phase: 'tls' }],
    ['an end at once', (s) => s.end(), { kind: 'closed', phase: 'tls' }],
    [
      'an end after the first message',
      (s) => s.once('data', () => s.end()),
      { kind: 'closed', phase: 'tls' },
    ],
    ['a reset', (s) => s.once('data', () => resetHard(s)), { kind: 'reset', phase: 'tls' }],
  ];
  for (const [name, talk, reason] of rows) {
    const listener = await listen(t, talk);
    const spec = https(listener, {});
    const result = await probeOnce(t, http, spec, { deadline: 300, listeners: [listener] });
    t.match(result.reason, reason, name);
    t.equal(result.outcome, 'fail', `${name}: outcome`);
  }
});

t.test('authorities that are none are our fault: unknown, and nothing is sent', async (t) => {
  const listener = await listen(t, () => t.fail('a connection came'));
  for (const authorities of [
    '',
    'nonsense',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  ]) {
    const result = await probeOnce(t, http, https(listener, { authorities }), { listeners: [listener] });
    t.match(result, { outcome: 'unknown', reason: { kind: 'local' } }, JSON.stringify(authorities));
  }
});

t.test('authorities are read once each, and not without bound', { skip: NO_OPENSSL }, async (t) => {
  const { cert } = new Authority(t, 'once');
  const contexts = new SecureContexts();
  const of = (authorities: string | undefined) => contexts.of(tlsSettings({ authorities }));
  t.equal(of(undefined), of(undefined));
  t.equal(of(cert), of(cert));
  t.not(of(cert), of(undefined));
  t.equal(contexts.size, 2);
  for (let count = 0; count < 200; count += 1) of(`${cert}\n${count}`);
  t.ok(contexts.size <= 64, `${contexts.size} contexts`);
});
