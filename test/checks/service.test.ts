/** DNS, NTP, SIP and TLS checks against servers that answer, and others. */
import { createServer } from 'node:tls';
import t, { type Test } from 'tap';
import { dnsProber } from '../../src/checks/dns.js';
import { ntpProber } from '../../src/checks/ntp.js';
import { sipProber } from '../../src/checks/sip.js';
import type { DnsCheck, NtpCheck, SipCheck } from '../../src/checks/spec-datagram.js';
import type { Target } from '../../src/checks/spec-target.js';
import { tlsProber } from '../../src/checks/tls-handshake.js';
import { systemClock } from '../../src/sys/clock.js';
import { SIP_HEAD_LIMIT } from '../../src/wire/sip.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { datagramServer } from './datagram-server.js';
import { closedPort, dribble, flood, Listener, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const now = systemClock.monotonic;
const [dns, ntp, sip, tls] = [dnsProber(now), ntpProber(now), sipProber(now), tlsProber(now, tlsClient)];

function dnsCheck(target: Target, more: Partial<DnsCheck> = {}): DnsCheck {
  const basics = { type: 'dns', target, transport: 'udp', name: 'a.example', record: 1 } as const;
  return { ...basics, rcode: 0, answer: undefined, ...more };
}

/** The response to a question with these flags and addresses. */
function respond(question: Buffer, flags: number, addresses: readonly (readonly number[])[] = []): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, ...address]),
  );
  return Buffer.concat([header, question.subarray(12), ...records]);
}

const [OK, CUT, NXDOMAIN] = [0x8180, 0x8380, 0x8183];

t.test('dns: what a response means', async (t) => {
  const one = [192, 0, 2, 1];
  const rows: readonly (readonly [string, Partial<DnsCheck>, (question: Buffer) => Buffer[], object])[] = [
    ['a code', {}, (q) => [respond(q, OK)], { kind: 'ok' }],
    ['an answer', { answer: '192.0.2.1' }, (q) => [respond(q, OK, [[1, 2, 3, 4], one])], { kind: 'ok' }],
    [
      'another answer',
      { answer: '192.0.2.2' },
      (q) => [respond(q, OK, [one])],
      { kind: 'bad-content', detail: /no 192.0.2.2 among 192.0.2.1/ },
    ],
    [
      'no answer',
      { answer: '192.0.2.2' },
      (q) => [respond(q, OK)],
      { kind: 'bad-content', detail: /no answers/ },
    ],
    ['another code', {}, (q) => [respond(q, NXDOMAIN)], { kind: 'rejected', phase: 'response', code: 3 }],
    ['that code where it is wanted', { rcode: 3 }, (q) => [respond(q, NXDOMAIN)], { kind: 'ok' }],
    ['a cut one whose code is enough', {}, (q) => [respond(q, CUT)], { kind: 'ok' }],
    ['no response', {}, (q) => [q], { kind: 'protocol-error', phase: 'response' }],
    ['garbage', {}, () => [Buffer.from('nonsense')], { kind: 'protocol-error', phase: 'response' }],
    ['nothing in it', {}, () => [Buffer.alloc(0)], { kind: 'protocol-error', phase: 'response' }],
    [
      'one of somebody else first',
      {},
      (q) => {
        const other = respond(q, NXDOMAIN);
        other.writeUInt16BE((other.readUInt16BE(0) + 1) & 0xffff, 0);
        return [other, respond(q, OK)];
      },
      { kind: 'ok' },
    ],
  ];
  for (const [name, more, answer, reason] of rows) {
    const server = await datagramServer(t, answer);
    t.match((await probeOnce(t, dns, dnsCheck(server.target, more))).reason, reason, name);
  }
});

/** Hears a question over TCP. */
const overTcp = (talk: (question: Buffer) => Buffer) => (t: Test) =>
  listen(t, (socket) =>
    socket.once('data', (bytes: Buffer) => {
      const reply = talk(bytes.subarray(2));
      const length = Buffer.from([reply.length >> 8, reply.length & 255]);
      void dribble(socket, Buffer.concat([length, reply]).toString('latin1'));
    }),
  );

t.test('dns over TCP, byte by byte, and ways to go wrong', async (t) => {
  const listener = await overTcp((q) => respond(q, OK, [[192, 0, 2, 1]]))(t);
  const spec = dnsCheck(listener.target, { transport: 'tcp', answer: '192.0.2.1' });
  t.equal((await probeOnce(t, dns, spec, { listeners: [listener] })).outcome, 'pass');
  const bad = [
    ['a close', (s) => s.end(), { kind: 'closed', phase: 'response' }],
    ['a reset', (s) => s.once('data', () => resetHard(s)), { kind: 'reset', phase: 'response' }],
    ['garbage', (s) => s.write('\0\x01x'), { kind: 'protocol-error' }],
    ['silence', () => undefined, { kind: 'timeout', phase: 'response' }],
    ['half a message', (s) => s.write('\x7f\xff half'), { kind: 'timeout', phase: 'response' }],
  ] satisfies readonly (readonly [string, Parameters<typeof listen>[1], object])[];
  for (const [name, talk, reason] of bad) {
    const server = await listen(t, talk);
    const options = { deadline: 300, listeners: [server] };
    const result = await probeOnce(t, dns, dnsCheck(server.target, { transport: 'tcp' }), options);
    t.match(result.reason, reason, name);
    await server.close();
  }
});

t.test('dns: silence and refusal', async (t) => {
  const mute = await datagramServer(t, () => []);
  const { reason } = await probeOnce(t, dns, dnsCheck(mute.target), { deadline: 100 });
  t.same(reason, { kind: 'timeout', phase: 'response' });
  const refused = await probeOnce(t, dns, dnsCheck(await closedPort(t), { transport: 'tcp' }));
  t.match(refused.reason, { kind: 'refused' });
  const local = await probeOnce(t, dns, dnsCheck(mute.target, { name: 'a..b' }));
  t.match(local, { outcome: 'unknown', reason: { kind: 'local', errno: 'MALFORMED' } });
});

const ntpCheck = (target: Target, maxStratum = 15): NtpCheck => ({ type: 'ntp', target, maxStratum });

/** A server's answer to a request. */
function ntpReply(request: Buffer, first: number, stratum: number, reference = 'GPS'): Buffer {
  const reply = Buffer.alloc(48);
  reply[0] = first;
  reply[1] = stratum;
  reply.write(reference, 12, 'latin1');
  request.copy(reply, 24, 40, 48);
  return reply;
}

t.test('ntp: what a reply means', async (t) => {
  const [SERVER, UNSYNCHRONISED] = [0x24, 0xe4];
  const unsynchronised = { kind: 'bad-content', detail: 'its clock is not synchronised' };
  const rows: readonly (readonly [string, number, (request: Buffer) => Buffer[], object])[] = [
    ['a good one', 15, (q) => [ntpReply(q, SERVER, 2)], { kind: 'ok' }],
    [
      'one that is longer',
      15,
      (q) => [Buffer.concat([ntpReply(q, SERVER, 2), Buffer.alloc(20)])],
      { kind: 'ok' },
    ],
    [
      'far from its clock',
      2,
      (q) => [ntpReply(q, SERVER, 3)],
      { kind: 'bad-content', detail: /stratum 3, at most 2/ },
    ],
    ['no clock', 15, (q) => [ntpReply(q, UNSYNCHRONISED, 2)], unsynchronised],
    ['stratum 16', 15, (q) => [ntpReply(q, SERVER, 16)], unsynchronised],
    [
      'a kiss of death',
      15,
      (q) => [ntpReply(q, SERVER, 0, 'RATE')],
      { kind: 'rejected', detail: 'kiss of death RATE' },
    ],
    ['our own words', 15, (q) => [q], { kind: 'protocol-error' }],
    ['half a reply', 15, (q) => [ntpReply(q, SERVER, 2).subarray(0, 47)], { kind: 'protocol-error' }],
    ['nothing in it', 15, () => [Buffer.alloc(0)], { kind: 'protocol-error' }],
    [
      'one of somebody else first',
      15,
      (q) => [ntpReply(Buffer.alloc(48), SERVER, 16), ntpReply(q, SERVER, 1)],
      { kind: 'ok' },
    ],
  ];
  for (const [name, most, answer, reason] of rows) {
    const server = await datagramServer(t, answer);
    t.match((await probeOnce(t, ntp, ntpCheck(server.target, most))).reason, reason, name);
  }
  const forged = await datagramServer(t, () => [ntpReply(Buffer.alloc(48), SERVER, 1)]);
  const { reason } = await probeOnce(t, ntp, ntpCheck(forged.target), { deadline: 100 });
  t.same(reason, { kind: 'timeout', phase: 'response' }, 'only one of somebody else');
});

function sipCheck(target: Target, more: Partial<SipCheck> = {}): SipCheck {
  return { type: 'sip', target, transport: 'udp', status: [[200, 299]], ...more };
}

/** A response that repeats the call of the request. */
function sipReply(request: string, status: string, body = ''): string {
  const call = /Call-ID: (\S+)/.exec(request)?.[1] ?? '';
  return `SIP/2.0 ${status}\r\ni: ${call}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

t.test('sip: what a response means, over UDP and TCP', async (t) => {
  const rows: readonly (readonly [string, (request: string) => string[], object])[] = [
    ['fine', (q) => [sipReply(q, '200 OK')], { kind: 'ok' }],
    ['wait', (q) => [sipReply(q, '100 Trying', 'body'), sipReply(q, '200')], { kind: 'ok' }],
    [
      'of another call first',
      (q) => ['SIP/2.0 500 No\r\nCall-ID: x\r\n\r\n', sipReply(q, '200 OK')],
      { kind: 'ok' },
    ],
    ['busy', (q) => [sipReply(q, '503 Busy')], { kind: 'bad-status', status: 503 }],
    ['declined by all', (q) => [sipReply(q, '603 Decline')], { kind: 'bad-status', status: 603 }],
    ['another protocol', () => ['HTTP/1.1 200 OK\r\n\r\n'], { kind: 'protocol-error', phase: 'response' }],
    ['NULs', () => ['\0\0\0\0\r\n\r\n'], { kind: 'protocol-error', phase: 'response' }],
  ];
  for (const [name, answer, reason] of rows) {
    const server = await datagramServer(t, (bytes) =>
      answer(bytes.toString()).map((text) => Buffer.from(text)),
    );
    t.match((await probeOnce(t, sip, sipCheck(server.target))).reason, reason, `${name}, UDP`);
    t.match(
      server.heard.join(),
      /^OPTIONS sip:127\.0\.0\.1:\d+ SIP\/2\.0\r\nVia: SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK/,
    );
    const listener = await listen(t, (socket) =>
      socket.once('data', (bytes: Buffer) => {
        void dribble(socket, `\r\n\r\n${answer(bytes.toString()).join('')}`);
      }),
    );
    const spec = sipCheck(listener.target, { transport: 'tcp' });
    t.match((await probeOnce(t, sip, spec, { listeners: [listener] })).reason, reason, `${name}, TCP`);
  }
});

t.test('sip over TCP: ways to go wrong', async (t) => {
  const rows = [
    ['a close', (s) => s.end(), { kind: 'closed', phase: 'response' }],
    ['a reset', (s) => s.once('data', () => resetHard(s)), { kind: 'reset', phase: 'response' }],
    [
      'a head without end',
      (s) => flood(s, 'X: y\r\n'.repeat(2000)),
      { kind: 'too-long', limit: SIP_HEAD_LIMIT },
    ],
    ['silence', () => undefined, { kind: 'timeout', phase: 'response' }],
  ] satisfies readonly (readonly [string, Parameters<typeof listen>[1], object])[];
  for (const [name, talk, reason] of rows) {
    const server = await listen(t, talk);
    const options = { deadline: 300, listeners: [server] };
    t.match(
      (await probeOnce(t, sip, sipCheck(server.target, { transport: 'tcp' }), options)).reason,
      reason,
      name,
    );
    await server.close();
  }
});

t.test('tls: handshakes', { skip: NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'handshakes');
  const identity = authority.issue('DNS:a.example');
  const settings = tlsSettings({ serverName: 'a.example', authorities: authority.cert });
  const shown: string[] = [];
  const wants = { ...identity, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const server = createServer({ ...wants, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }, (socket) => {
    shown.push(String(socket.getPeerCertificate().subject.CN));
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  const listener = await Listener.open(t, server);
  const probe = (more: Partial<typeof settings>) =>
    probeOnce(
      t,
      tls,
      { type: 'tls', target: listener.target, tls: { ...settings, ...more } },
      { listeners: [listener] },
    );
  const client = { certificate: identity.cert, key: identity.key };
  t.match((await probe({})).reason, { kind: 'tls', problem: 'handshake' }, 'without our certificate');
  t.equal((await probe({ client })).outcome, 'pass', 'with it');
  t.same(shown, ['server']);
  t.equal((await probe({ client, alpn: ['h2', 'http/1.1'] })).outcome, 'pass', 'a protocol that it has');
  t.match((await probe({ client, serverName: 'b.example' })).reason, { problem: 'wrong-name' });
  const foreign = { certificate: identity.cert, key: authority.issue('DNS:x').key };
  t.match(
    await probe({ client: foreign }),
    { outcome: 'unknown', reason: { kind: 'local' } },
    "another's key",
  );
  const plain = await Listener.open(
    t,
    createServer(identity, (socket) => socket.on('error', () => undefined)),
  );
  const spec = { type: 'tls', target: plain.target, tls: { ...settings, alpn: ['h2'] } } as const;
  const { reason } = await probeOnce(t, tls, spec, { listeners: [plain] });
  t.match(reason, { kind: 'bad-content', phase: 'tls', detail: 'none of h2 agreed' });
});
