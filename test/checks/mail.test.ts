/** POP3, IMAP, NNTP and memcached: scripts, ways to leave them, and TLS in the middle. */
import t from 'tap';
import { mailboxProber, memcachedProber } from '../../src/checks/mail.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { MailboxCheck } from '../../src/checks/spec-text.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { goodBehaviours, misbehaviours, scripted, type Turn } from './line-server.js';
import { probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';

const mailbox = mailboxProber(systemClock.monotonic, tlsClient);
const memcached = memcachedProber(systemClock.monotonic, tlsClient);
const LOGIN = { user: 'probe', password: 'se"cret' };

const check =
  (type: MailboxCheck['type'], more: Partial<MailboxCheck> = {}) =>
  (target: Target): MailboxCheck => ({ type, target, login: LOGIN, tls: undefined, ...more });

const turn = (hears: string | undefined, says: string, phase: Turn['phase'], secure = false): Turn => ({
  ...(hears === undefined ? {} : { hears }),
  says,
  phase,
  ...(secure ? { secure: true } : {}),
});

const POP3 = [
  turn(undefined, '+OK ready', 'greeting'),
  turn('USER probe', '+OK', 'login'),
  turn('PASS se"cret', '+OK in', 'login'),
  turn('QUIT', '+OK bye', 'quit'),
];
const IMAP_LOGIN = 'a2 LOGIN "probe" "se\\"cret"';
const IMAP = [
  turn(undefined, '* OK [CAPABILITY IMAP4rev1] ready', 'greeting'),
  turn(IMAP_LOGIN, '* CAPABILITY IMAP4rev1\r\n* OK fine so far\r\na2 OK in', 'login'),
  turn('a3 LOGOUT', '* BYE bye\r\na3 OK done', 'quit'),
];
const NNTP = [
  turn(undefined, '201 no posting', 'greeting'),
  turn('AUTHINFO USER probe', '381 more', 'login'),
  turn('AUTHINFO PASS se"cret', '281 in', 'login'),
  turn('QUIT', '205 bye', 'quit'),
];
const SCRIPTS = { pop3: POP3, imap: IMAP, nntp: NNTP } as const;
const WORDS = { pop3: 'not a POP3 reply', imap: 'not an IMAP reply', nntp: 'not an NNTP reply' } as const;

for (const type of ['pop3', 'imap', 'nntp'] as const) {
  const kind = { prober: mailbox, spec: check(type), script: SCRIPTS[type], notReply: WORDS[type] };
  t.test(`${type}: what is said, in order`, async (t) => {
    const server = await scripted(t, SCRIPTS[type]);
    const result = await probeOnce(t, mailbox, check(type)(server.target), { listeners: [server] });
    t.equal(result.outcome, 'pass');
    t.same(
      server.heard,
      SCRIPTS[type].flatMap(({ hears }) => hears ?? []),
    );
    t.same(
      result.phases.map(([phase]) => phase),
      ['connect', 'greeting', 'login', 'quit'],
    );
  });
  t.test(`${type}: a server that leaves its script`, async (t) => misbehaviours(t, kind));
  t.test(`${type}: the right words in pieces`, async (t) => goodBehaviours(t, kind));
}

t.test('memcached', async (t) => {
  const spec = (target: Target) => ({ type: 'memcached', target }) as const;
  const script = [turn('version', 'VERSION 1.6.18', 'request')];
  const kind = { prober: memcached, spec, script, notReply: 'not a memcached reply' };
  await misbehaviours(t, kind);
  await goodBehaviours(t, kind);
  const server = await scripted(t, [turn('version', 'SERVER_ERROR out of memory', 'request')]);
  const { reason } = await probeOnce(t, memcached, spec(server.target), { listeners: [server] });
  t.same(reason, { kind: 'rejected', phase: 'request', code: undefined, detail: 'out of memory' });
});

t.test('a greeting and a goodbye are enough where nobody logs in', async (t) => {
  for (const type of ['pop3', 'imap', 'nntp'] as const) {
    const script = SCRIPTS[type].filter(({ phase }) => phase !== 'login');
    const server = await scripted(t, script);
    const spec = check(type, { login: undefined })(server.target);
    t.equal((await probeOnce(t, mailbox, spec, { listeners: [server] })).outcome, 'pass', type);
  }
});

t.test('refusals, each in its phase', async (t) => {
  const rows: readonly (readonly [MailboxCheck['type'], readonly Turn[], object])[] = [
    [
      'pop3',
      [turn(undefined, '-ERR busy', 'greeting')],
      { phase: 'greeting', code: undefined, detail: 'busy' },
    ],
    [
      'pop3',
      [...POP3.slice(0, 2), turn('PASS se"cret', '-ERR [AUTH] no', 'login')],
      { phase: 'login', code: undefined, detail: '[AUTH] no' },
    ],
    ['imap', [turn(undefined, '* BYE busy', 'greeting')], { phase: 'greeting', detail: 'BYE busy' }],
    [
      'imap',
      [IMAP[0] ?? turn(undefined, '', 'greeting'), turn(IMAP_LOGIN, 'a2 NO who?', 'login')],
      { phase: 'login', detail: 'NO who?' },
    ],
    [
      'imap',
      [IMAP[0] ?? turn(undefined, '', 'greeting'), turn(IMAP_LOGIN, '* BYE too late', 'login')],
      { phase: 'login', detail: 'BYE too late' },
    ],
    [
      'imap',
      [IMAP[0] ?? turn(undefined, '', 'greeting'), turn(IMAP_LOGIN, 'a9 OK of somebody else', 'login')],
      { phase: 'login', detail: 'BAD of somebody else' },
    ],
    ['nntp', [turn(undefined, '400 not now', 'greeting')], { phase: 'greeting', code: 400 }],
    [
      'nntp',
      [...NNTP.slice(0, 2), turn('AUTHINFO PASS se"cret', '481 no', 'login')],
      { phase: 'login', code: 481, detail: 'no' },
    ],
  ];
  for (const [type, script, reason] of rows) {
    const server = await scripted(t, script);
    const result = await probeOnce(t, mailbox, check(type)(server.target), { listeners: [server] });
    t.match(result.reason, { kind: 'rejected', ...reason }, `${type} ${script.at(-1)?.says}`);
  }
});

t.test('a password of two lines is our fault', async (t) => {
  for (const type of ['pop3', 'imap', 'nntp'] as const) {
    const server = await scripted(t, SCRIPTS[type]);
    const spec = check(type, { login: { user: 'probe', password: 'a\r\nDELE 1' } })(server.target);
    const result = await probeOnce(t, mailbox, spec, { listeners: [server] });
    t.match(result, { outcome: 'unknown', reason: { kind: 'local', errno: 'MALFORMED' } }, type);
    t.notMatch(server.heard.join(), /DELE/);
  }
});

t.test('STARTTLS before the login, so that nothing of it is seen', { skip: NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'mail');
  const identity = authority.issue('DNS:mail.example.org');
  const settings = tlsSettings({ serverName: 'mail.example.org', authorities: authority.cert });
  const tls: TlsUse = { start: 'starttls', ...settings };
  const agreements = {
    pop3: turn('STLS', '+OK go on', 'request', true),
    imap: turn('a1 STARTTLS', 'a1 OK go on', 'request', true),
    nntp: turn('STARTTLS', '382 go on', 'request', true),
  };
  for (const type of ['pop3', 'imap', 'nntp'] as const) {
    const [greeting, ...rest] = SCRIPTS[type];
    if (greeting === undefined) continue;
    for (const login of [LOGIN, undefined]) {
      const later = rest.filter(({ phase }) => login !== undefined || phase !== 'login');
      const server = await scripted(t, [greeting, agreements[type], ...later], { identity });
      const spec = check(type, { tls, login })(server.target);
      const result = await probeOnce(t, mailbox, spec, { listeners: [server] });
      t.equal(result.outcome, 'pass', `${type} ${login === undefined ? 'alone' : 'with a login'}`);
      const injected = { ...agreements[type], says: `${agreements[type].says}\r\nx` };
      const liar = await scripted(t, [greeting, injected, ...later], { identity });
      const { reason } = await probeOnce(t, mailbox, check(type, { tls, login })(liar.target), {
        listeners: [liar],
      });
      t.match(reason, { kind: 'protocol-error', detail: /plain text before/ }, `${type}: injected`);
      t.notMatch(liar.heard.join(), /se.*cret/);
    }
  }
});
