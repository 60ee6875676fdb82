import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { ProbeResult } from '../../src/checks/model.js';
import { DIALOGUE_LIMIT, sendExpectProber } from '../../src/checks/send-expect.js';
import type { DialogueStep, SendExpectCheck } from '../../src/checks/spec-text.js';
import type { TlsSettings } from '../../src/checks/spec-tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import {
  closedPort,
  dribble,
  eventually,
  flood,
  Listener,
  listen,
  probeOnce,
  resetHard,
} from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const prober = sendExpectProber(systemClock.monotonic, tlsClient);

const send = (text: string): DialogueStep => ({ kind: 'send', text });
const expect = (text: string): DialogueStep => ({ kind: 'expect', text });
const regex = (text: string): DialogueStep => ({ kind: 'expect-regex', regex: text });
const bytes = (pattern: string): DialogueStep => ({ kind: 'expect-hex', pattern });

function check(listener: Listener, steps: readonly DialogueStep[], tls?: TlsSettings): SendExpectCheck {
  return { type: 'send-expect', target: listener.target, steps, tls };
}

async function probe(
  t: Test,
  talk: (socket: Socket) => unknown,
  steps: readonly DialogueStep[],
  deadline = 5000,
): Promise<ProbeResult> {
  const listener = await listen(t, talk);
  const result = await probeOnce(t, prober, check(listener, steps), { deadline, listeners: [listener] });
  await listener.close();
  return result;
}

/** Says something at once, and then something to what it hears. */
const saying =
  (greeting: string, answers: Readonly<Record<string, string>> = {}) =>
  (socket: Socket): void => {
    socket.write(greeting, 'latin1');
    socket.on('data', (heard: Buffer) => socket.write(answers[heard.toString('latin1')] ?? '', 'latin1'));
  };

const OK = { kind: 'ok' } as const;

t.test('what comes of the steps', async (t) => {
  const absent = (what: string, count: number) => ({
    kind: 'bad-content',
    phase: 'response',
    detail: `no ${what} in ${count} bytes`,
  });
  const rows: readonly (readonly [string, (socket: Socket) => unknown, readonly DialogueStep[], object])[] = [
    ['a text', saying('hello world'), [expect('o w')], OK],
    ['a regex', saying('SSH-2.0-x\r\n'), [regex('^SSH-2\\.0-.*$')], OK],
    ['bytes', saying('\x16\x03\x01'), [bytes('16 03 0X')], OK],
    ['letters of any alphabet', (s) => s.write('žluť'), [expect('luť')], OK],
    [
      'a question and its answer',
      saying('', { 'PING\r\n': '+PONG\r\n' }),
      [send('PING\r\n'), expect('+PONG')],
      OK,
    ],
    [
      'a dialogue',
      saying('220 a\r\n', { 'A\n': '1\n', B: '2\n' }),
      [expect('220'), send('A\n'), expect('1'), { kind: 'send-hex', hex: ' 42 ' }, expect('2')],
      OK,
    ],
    ['two in one piece', saying('one two'), [expect('one'), expect('two')], OK],
    [
      'nothing is found twice',
      (s) => s.end('one'),
      [expect('one'), expect('one')],
      { kind: 'closed', phase: 'response' },
    ],
    [
      'only what comes later counts',
      (s) => s.end('two one'),
      [expect('one'), expect('two')],
      { kind: 'closed', phase: 'response' },
    ],
    ['in pieces', (s) => dribble(s, 'hello\r\nworld\r\n'), [expect('hello'), regex('^world$')], OK],
    ['a line end that only the close makes', (s) => s.end('ready'), [regex('^ready$')], OK],
    ['something else', (s) => s.end('hallo'), [expect('hello')], absent('"hello"', 5)],
    ['a regex that does not match', (s) => s.end('SSH-1.0'), [regex('^SSH-2')], absent('/^SSH-2/', 7)],
    ['other bytes', (s) => s.end('\x15'), [bytes('16')], absent('16', 1)],
    ['a close without a word', (s) => s.end(), [expect('x')], { kind: 'closed', phase: 'response' }],
    ['a last word of ours', saying(''), [send('bye')], OK],
    [
      'more than is read',
      (s) => flood(s, 'x'.repeat(9999)),
      [expect('hello')],
      { kind: 'too-long', phase: 'response', limit: DIALOGUE_LIMIT },
    ],
    ['NULs are bytes like others', (s) => s.write('\0\0a'), [bytes('00 00 61')], OK],
  ];
  for (const [name, talk, steps, reason] of rows) t.same((await probe(t, talk, steps)).reason, reason, name);
});

t.test('a reset is one, in the phase where it comes', async (t) => {
  const talk = (socket: Socket): void => {
    socket.once('data', () => resetHard(socket));
  };
  const { reason } = await probe(t, talk, [send('x'), expect('y')]);
  t.same(reason, { kind: 'reset', phase: 'response' });
});

t.test('silence, and letters that come slowly, end with the deadline', async (t) => {
  const slowly = (socket: Socket): void => {
    const timer = setInterval(() => socket.write('x'), 20);
    socket.once('close', () => clearInterval(timer));
  };
  for (const talk of [() => undefined, slowly]) {
    const { reason } = await probe(t, talk, [expect('hello')], 150);
    t.same(reason, { kind: 'timeout', phase: 'response' });
  }
});

t.test('phases: request while we speak, response while we listen', async (t) => {
  const { phases } = await probe(t, saying('', { x: 'y' }), [send('x'), expect('y')]);
  t.same(
    phases.map(([phase]) => phase),
    ['connect', 'request', 'response'],
  );
});

t.test('the last word is sent before the connection is reset', async (t) => {
  let heard = '';
  const listener = await listen(t, (socket) =>
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString())),
  );
  const result = await probeOnce(t, prober, check(listener, [send('last'), send(' word')]), {
    listeners: [listener],
  });
  t.equal(result.outcome, 'pass');
  t.ok(await eventually(() => heard === 'last word' || listener.sockets === 1));
});

t.test('nobody there', async (t) => {
  const target = await closedPort(t);
  const result = await probeOnce(t, prober, {
    type: 'send-expect',
    target,
    steps: [expect('x')],
    tls: undefined,
  });
  t.match(result.reason, { kind: 'refused', phase: 'connect' });
});

t.test('a pattern and a flood that would cost a backtracking engine hours', async (t) => {
  const talk = (socket: Socket): unknown => flood(socket, 'a'.repeat(9999));
  const { reason } = await probe(t, talk, [regex('(a+)+$b')]);
  t.match(reason, { kind: 'too-long' });
});

t.test('over TLS', { skip: NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'dialogues');
  const identity = authority.issue('DNS:irc.example.org');
  const settings = tlsSettings({ serverName: 'irc.example.org', authorities: authority.cert, alpn: ['irc'] });
  const agreed: (string | false | null)[] = [];
  const server = createServer({ ...identity, ALPNProtocols: ['irc'] }, (socket: TLSSocket) => {
    agreed.push(socket.alpnProtocol);
    socket.on('error', () => undefined);
    saying('hello', { x: 'y' })(socket);
  });
  server.on('tlsClientError', () => undefined);
  const listener = await Listener.open(t, server);
  const steps = [expect('hello'), send('x'), expect('y')];
  const result = await probeOnce(t, prober, check(listener, steps, settings), { listeners: [listener] });
  t.equal(result.outcome, 'pass');
  t.same(agreed, ['irc']);
  const wrong = { ...settings, serverName: 'www.example.org' };
  const refused = await probeOnce(t, prober, check(listener, steps, wrong), { listeners: [listener] });
  t.match(refused.reason, { kind: 'tls', problem: 'wrong-name' });
});

t.test('fifty at once leave nothing behind', async (t) => {
  const listener = await listen(t, saying('', { x: 'y' }));
  const spec = check(listener, [send('x'), expect('y')]);
  const results = await Promise.all(
    Array.from({ length: 50 }, () => prober(spec, AbortSignal.timeout(5000))),
  );
  t.equal(results.filter(({ outcome }) => outcome === 'pass').length, 50);
  t.ok(await eventually(() => listener.sockets === 1));
});
