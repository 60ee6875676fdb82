import { createServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { ProbeResult } from '../../src/checks/model.js';
import { smtpProber } from '../../src/checks/smtp.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { SmtpCheck } from '../../src/checks/spec-text.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { goodBehaviours, misbehaviours, type ScriptOptions, scripted, type Turn } from './line-server.js';
import { closedPort, eventually, flood, Listener, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const smtp = smtpProber(systemClock.monotonic, tlsClient);

function check(target: Target, more: Partial<SmtpCheck> = {}): SmtpCheck {
  return { type: 'smtp', target, hello: 'director', tls: undefined, ...more };
}

const GREETING: Turn = { says: '220 mail ready', phase: 'greeting' };
const EHLO: Turn = {
  hears: 'EHLO director',
  says: '250-mail\r\n250-STARTTLS\r\n250 HELP',
  phase: 'request',
};
const STARTTLS: Turn = { hears: 'STARTTLS', says: '220 go on', phase: 'request', secure: true };
const QUIT: Turn = { hears: 'QUIT', says: '221 bye', phase: 'quit' };
const PLAIN = [GREETING, EHLO, QUIT];
const SECURE = [GREETING, EHLO, STARTTLS, EHLO, QUIT];

const KIND = { prober: smtp, spec: check, script: PLAIN, notReply: 'not an SMTP reply' };

async function probe(
  t: Test,
  script: readonly Turn[],
  more: Partial<SmtpCheck> = {},
  options: ScriptOptions = {},
): Promise<ProbeResult & { readonly heard: readonly string[] }> {
  const server = await scripted(t, script, options);
  const result = await probeOnce(t, smtp, check(server.target, more), { listeners: [server] });
  if (options.misbehave === undefined)
    t.ok(await eventually(() => server.sockets === 1), 'the server saw the connection end');
  return { ...result, heard: server.heard };
}

t.test('a greeting, EHLO and a goodbye: what is said, in order', async (t) => {
  const { outcome, phases, heard } = await probe(t, PLAIN);
  t.equal(outcome, 'pass');
  t.same(heard, ['EHLO director', 'QUIT']);
  t.same(
    phases.map(([phase]) => phase),
    ['connect', 'greeting', 'request', 'quit'],
  );
});

t.test('each dialogue has its reason', async (t) => {
  const says = (text: string, turn: Turn): Turn => ({ ...turn, says: text });
  const rows: readonly (readonly [string, readonly Turn[], object])[] = [
    [
      'a greeting of many lines',
      [says('220-mail\r\n220-no spam\r\n220 ready', GREETING), EHLO, QUIT],
      { kind: 'ok' },
    ],
    [
      'a server that knows no EHLO',
      [GREETING, says('502 what?', EHLO), { ...EHLO, hears: 'HELO director' }, QUIT],
      { kind: 'ok' },
    ],
    [
      'a server that knows neither',
      [GREETING, says('500 what?', EHLO), { ...EHLO, hears: 'HELO director', says: '500 what?' }],
      { kind: 'rejected', phase: 'request', code: 500, detail: 'what?' },
    ],
    [
      'no service',
      [says('554 not for you', GREETING)],
      { kind: 'rejected', phase: 'greeting', code: 554, detail: 'not for you' },
    ],
    [
      'a server that is overloaded',
      [GREETING, says('421 too \x07many', EHLO)],
      { kind: 'rejected', phase: 'request', code: 421, detail: 'too ?many' },
    ],
    [
      'a reply of the wrong kind',
      [GREETING, says('354 go ahead', EHLO)],
      { kind: 'protocol-error', phase: 'request', detail: 'unexpected reply 354 go ahead' },
    ],
    [
      'another greeting',
      [says('250 hello', GREETING)],
      { kind: 'protocol-error', phase: 'greeting', detail: 'unexpected reply 250 hello' },
    ],
    [
      'lines of different codes',
      [says('220-mail\r\n250 ready', GREETING)],
      { kind: 'protocol-error', phase: 'greeting', detail: 'not an SMTP reply' },
    ],
    [
      'no goodbye',
      [GREETING, EHLO, says('451 no', QUIT)],
      { kind: 'rejected', phase: 'quit', code: 451, detail: 'no' },
    ],
  ];
  for (const [name, script, reason] of rows) t.same((await probe(t, script)).reason, reason, name);
});

t.test('a server that leaves its script', async (t) => misbehaviours(t, KIND));
t.test('the right words in pieces', async (t) => goodBehaviours(t, KIND));

t.test('a greeting without end', async (t) => {
  const listener = await listen(t, (socket) => flood(socket, '220-hello\r\n'.repeat(1000)));
  const { reason } = await probeOnce(t, smtp, check(listener.target), { listeners: [listener] });
  t.match(reason, { kind: 'too-long', phase: 'greeting' });
});

t.test('nobody there', async (t) => {
  const { reason } = await probeOnce(t, smtp, check(await closedPort(t)));
  t.match(reason, { kind: 'refused', phase: 'connect' });
});

t.test('nothing of ours can add a command', async (t) => {
  const { outcome, heard } = await probe(t, PLAIN, { hello: 'x\r\nMAIL FROM:<>' });
  t.equal(outcome, 'unknown');
  t.same(heard, []);
});

t.test('STARTTLS', { skip: NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'smtp');
  const identity = authority.issue('DNS:mail.example.org');
  const settings = tlsSettings({ serverName: 'mail.example.org', authorities: authority.cert });
  const tls: TlsUse = { start: 'starttls', ...settings };

  t.test('EHLO is said again in secret', async (t) => {
    const { outcome, phases, heard } = await probe(t, SECURE, { tls }, { identity });
    t.equal(outcome, 'pass');
    t.same(heard, ['EHLO director', 'STARTTLS', 'EHLO director', 'QUIT']);
    t.same(
      phases.map(([phase]) => phase),
      ['connect', 'greeting', 'request', 'tls', 'request', 'quit'],
    );
  });

  t.test('the certificate must be right', async (t) => {
    const wrong: TlsUse = { ...tls, serverName: 'www.example.org' };
    t.match((await probe(t, SECURE, { tls: wrong }, { identity })).reason, {
      kind: 'tls',
      problem: 'wrong-name',
    });
    const careless: TlsUse = { ...wrong, verify: false };
    t.equal((await probe(t, SECURE, { tls: careless }, { identity })).outcome, 'pass');
  });

  t.test('a certificate that expires soon is a warning, and no failure', async (t) => {
    const within = (expiresWithin: number): TlsUse => ({ ...tls, expiresWithin: expiresWithin as never });
    const soon = await probe(t, SECURE, { tls: within(100 * 365 * 86_400_000) }, { identity });
    t.match(soon, { outcome: 'pass', warning: /^the certificate expires in \d+ days$/ });
    const later = await probe(t, SECURE, { tls: within(86_400_000) }, { identity });
    t.equal(later.outcome, 'pass');
    t.notOk('warning' in later);
  });

  t.test('plain text behind the agreement is not taken for what was said in secret', async (t) => {
    const injected = [GREETING, EHLO, { ...STARTTLS, says: '220 go on\r\n250 I am the man in the middle' }];
    const whole = await probe(t, injected, { tls }, { identity });
    t.same(whole.reason, {
      kind: 'protocol-error',
      phase: 'request',
      detail: 'plain text before the TLS handshake',
    });
    const half = [GREETING, EHLO, { ...STARTTLS, says: '220 go on\r\n25' }];
    t.match((await probe(t, half, { tls }, { identity })).reason, { kind: 'protocol-error' });
  });

  t.test('what may go wrong instead of the handshake', async (t) => {
    const rows: readonly (readonly [string, NonNullable<ScriptOptions['misbehave']>, object])[] = [
      ['a refusal', (s) => s.write('454 not now\r\n'), { kind: 'rejected', phase: 'request', code: 454 }],
      ['a close', (s) => s.end('220 go on\r\n'), { kind: 'closed', phase: 'tls' }],
      [
        'garbage later',
        (s) => s.write('220 go on\r\n', () => s.once('data', () => s.write('250 plain\r\n'))),
        { kind: 'tls', problem: 'handshake' },
      ],
      [
        'a reset',
        (s) => s.write('220 go on\r\n', () => s.once('data', () => resetHard(s))),
        { kind: 'reset', phase: 'tls' },
      ],
    ];
    for (const [name, misbehave, reason] of rows) {
      const { reason: is } = await probe(t, SECURE, { tls }, { identity, at: 2, misbehave });
      t.match(is, reason, name);
    }
    const server = await scripted(t, SECURE, { at: 2, misbehave: (s) => s.write('220 go on\r\n') });
    const mute = await probeOnce(t, smtp, check(server.target, { tls }), {
      deadline: 200,
      listeners: [server],
    });
    t.match(mute.reason, { kind: 'timeout', phase: 'tls' }, 'silence');
  });

  t.test('TLS from the first byte', async (t) => {
    const server = createServer({ ...identity }, (socket: TLSSocket) => {
      socket.on('error', () => undefined);
      socket.write('220 mail ready\r\n');
      socket.on('data', (bytes) =>
        socket.write(bytes.toString().startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n'),
      );
    });
    const listener = await Listener.open(t, server);
    const spec = check(listener.target, { tls: { ...tls, start: 'implicit' } });
    const result = await probeOnce(t, smtp, spec, { listeners: [listener] });
    t.equal(result.outcome, 'pass');
    t.same(
      result.phases.map(([phase]) => phase),
      ['connect', 'tls', 'greeting', 'request', 'quit'],
    );
  });

  t.test('fifty at once leave nothing behind', async (t) => {
    const server = await scripted(t, SECURE, { identity });
    const spec = check(server.target, { tls });
    const results = await Promise.all(
      Array.from({ length: 50 }, () => smtp(spec, AbortSignal.timeout(8000))),
    );
    t.equal(results.filter(({ outcome }) => outcome === 'pass').length, 50);
    t.ok(await eventually(() => server.sockets === 1));
  });
});
