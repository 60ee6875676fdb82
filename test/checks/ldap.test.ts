/** LDAP: what answers mean, Debian's slapd, and servers that are none. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ldapProber } from '../../src/checks/ldap.js';
import type { LdapCheck, LdapSearch } from '../../src/checks/spec-directory.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { closedPort, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { folder, start } from './servers.js';
import { type Answer, goodBehaviours, misbehaviours, turnServer } from './turn-server.js';

const prober = ldapProber(systemClock.monotonic, tlsClient);
const LOGIN = { user: 'cn=probe,dc=example,dc=org', password: 's3cret' };
const SEARCH: LdapSearch = {
  base: 'dc=example,dc=org',
  scope: 'sub',
  filter: '(cn=*)',
  entriesMin: 1,
};
const TLS: TlsUse = { start: 'starttls', ...tlsSettings({ verify: false }) };

const check =
  (more: Partial<LdapCheck> = {}) =>
  (target: Target): LdapCheck => ({
    type: 'ldap',
    target,
    login: undefined,
    search: undefined,
    tls: undefined,
    ...more,
  });

// The library is read before anything is timed.
await import('ldapts');

/** BER with lengths of one byte. */
const ber = (tag: number, body: string): string => String.fromCharCode(tag, body.length) + body;
const result = (code: number, text = ''): string =>
  ber(0x0a, String.fromCharCode(code)) + ber(4, '') + ber(4, text);
/** Messages are numbered from 2 on. */
const reply = (id: number, tag: number, body: string): string =>
  ber(0x30, ber(2, String.fromCharCode(id)) + ber(tag, body));
const [BOUND, FOUND, DONE, EXTENDED] = [0x61, 0x64, 0x65, 0x78];
const entry = (id: number): string => reply(id, FOUND, ber(4, 'cn=a') + ber(0x30, ''));

t.test('each step in its phase, whatever the server does', async (t) => {
  const answers: readonly Answer[] = [
    { says: reply(2, BOUND, result(0)), phase: 'login' },
    { says: entry(3) + reply(3, DONE, result(0)), phase: 'request' },
  ];
  const kind = { prober, spec: check({ login: LOGIN, search: SEARCH }), answers };
  const server = await turnServer(t, { answers });
  const passed = await probeOnce(t, prober, kind.spec(server.target), { listeners: [server] });
  t.equal(passed.outcome, 'pass');
  t.same(
    passed.phases.map(([phase]) => phase),
    ['connect', 'login', 'request'],
  );
  await misbehaviours(t, kind);
  await goodBehaviours(t, kind);
});

t.test('what an answer means', async (t) => {
  const bound = reply(2, BOUND, result(0));
  const rows: readonly (readonly [string, Partial<LdapCheck>, readonly string[], object])[] = [
    ['a bind', {}, [bound], { kind: 'ok' }],
    [
      'a bind that is refused',
      {},
      [reply(2, BOUND, result(49, 'who?'))],
      { kind: 'rejected', phase: 'login', code: 49, detail: /who\?/ },
    ],
    [
      'too few',
      { search: { ...SEARCH, entriesMin: 2 } },
      [bound, entry(3) + reply(3, DONE, result(0))],
      { kind: 'bad-content', phase: 'request', detail: '1 of 2 entries at dc=example,dc=org' },
    ],
    [
      'as many as may be told',
      { search: SEARCH },
      [bound, entry(3) + reply(3, DONE, result(4))],
      { kind: 'ok' },
    ],
    [
      'nothing there',
      { search: SEARCH },
      [bound, reply(3, DONE, result(32))],
      { kind: 'bad-content', detail: /^0 of 1/ },
    ],
    ['busy', { search: SEARCH }, [bound, reply(3, DONE, result(51))], { kind: 'rejected', code: 51 }],
    [
      'no StartTLS',
      { tls: TLS },
      [reply(2, EXTENDED, result(2, 'unsupported'))],
      { kind: 'rejected', phase: 'request', code: 2 },
    ],
    [
      'StartTLS that is none',
      { tls: TLS },
      [reply(2, EXTENDED, result(0)), 'nonsense'],
      { kind: 'tls', problem: 'handshake' },
    ],
    [
      'a filter that is none, a fault of ours',
      { search: { ...SEARCH, filter: '(((' } },
      [bound],
      { kind: 'local', errno: 'filter' },
    ],
  ];
  for (const [name, more, says, reason] of rows) {
    const answers = says.map((text): Answer => ({ says: text, phase: 'request' }));
    const server = await turnServer(t, { answers });
    const found = await probeOnce(t, prober, check(more)(server.target), { listeners: [server] });
    t.match(found.reason, reason, name);
    await server.close();
  }
  t.match((await probeOnce(t, prober, check()(await closedPort(t)))).reason, { kind: 'refused' });
});

const missing = spawnSync('which', ['slapd']).status !== 0 && 'slapd is not installed';

const CONF = (dir: string): string => `
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${dir}/pid
TLSCertificateFile ${dir}/cert.pem
TLSCertificateKeyFile ${dir}/key.pem
database mdb
suffix "dc=example,dc=org"
rootdn "cn=probe,dc=example,dc=org"
rootpw s3cret
directory ${dir}/data
maxsize 1048576
access to dn.base="ou=hidden,dc=example,dc=org" by * none
access to * by * read
`;

const ENTRIES = ['people', 'groups', 'hidden']
  .map((name) => `dn: ou=${name},dc=example,dc=org\nobjectClass: organizationalUnit\nou: ${name}\n\n`)
  .join('');
const ROOT = 'dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n\n';

t.test('slapd', { skip: missing || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'slapd');
  const { key, cert } = authority.issue('DNS:ldap.example.org');
  const dir = folder(t, { 'cert.pem': cert, 'key.pem': key, 'data.ldif': ROOT + ENTRIES });
  mkdirSync(join(dir, 'data'));
  writeFileSync(join(dir, 'conf'), CONF(dir));
  execFileSync('slapadd', ['-q', '-f', join(dir, 'conf'), '-l', join(dir, 'data.ldif')], { stdio: 'pipe' });
  const [plain, secure] = [await closedPort(t), await closedPort(t)];
  const urls = `ldap://127.0.0.1:${plain.port}/ ldaps://127.0.0.1:${secure.port}/`;
  await start(t, plain, ['slapd', '-f', join(dir, 'conf'), '-h', urls, '-d', '0']);
  const settings = tlsSettings({ serverName: 'ldap.example.org', authorities: authority.cert });
  const starttls: TlsUse = { start: 'starttls', ...settings };
  const units = { ...SEARCH, filter: '(objectClass=organizationalUnit)' };
  const rows: readonly (readonly [string, Target, Partial<LdapCheck>, object])[] = [
    ['nobody', plain, {}, { kind: 'ok' }],
    ['a name', plain, { login: LOGIN }, { kind: 'ok' }],
    ['StartTLS', plain, { login: LOGIN, tls: starttls, search: units }, { kind: 'ok' }],
    ['TLS', secure, { login: LOGIN, tls: { start: 'implicit', ...settings } }, { kind: 'ok' }],
    [
      'another name',
      plain,
      { tls: { ...starttls, serverName: 'www.example.org' } },
      { kind: 'tls', problem: 'wrong-name' },
    ],
    [
      'a wrong password',
      plain,
      { login: { ...LOGIN, password: 'guess' } },
      { kind: 'rejected', phase: 'login', code: 49 },
    ],
    ['two of them', plain, { search: { ...units, entriesMin: 2 } }, { kind: 'ok' }],
    ['all of them', plain, { login: LOGIN, search: { ...units, entriesMin: 3 } }, { kind: 'ok' }],
    [
      'more than nobody may see',
      plain,
      { search: { ...units, entriesMin: 3 } },
      { kind: 'bad-content', detail: /^2 of 3/ },
    ],
    ['below', plain, { search: { ...units, scope: 'one', entriesMin: 2 } }, { kind: 'ok' }],
    [
      'the base alone',
      plain,
      { search: { ...units, scope: 'base' } },
      { kind: 'bad-content', detail: /^0 of 1/ },
    ],
    [
      'another tree',
      plain,
      { search: { ...SEARCH, base: 'ou=nowhere,dc=example,dc=org' } },
      { kind: 'bad-content', detail: /^0 of 1/ },
    ],
    [
      'a base that is none',
      plain,
      { search: { ...SEARCH, base: 'nonsense' } },
      { kind: 'rejected', phase: 'request', code: 34 },
    ],
  ];
  for (const [name, target, more, reason] of rows)
    t.match((await probeOnce(t, prober, check(more)(target), { deadline: 10_000 })).reason, reason, name);
});
