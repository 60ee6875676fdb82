/** PostgreSQL and MySQL: what their answers mean, and servers that are none. */
import t from 'tap';
import { mysqlProber } from '../../src/checks/mysql.js';
import { postgresProber } from '../../src/checks/postgres.js';
import type { MysqlCheck, PostgresCheck } from '../../src/checks/spec-database.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { seconds } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { closedPort, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { type Answer, goodBehaviours, misbehaviours, turnServer } from './turn-server.js';

const now = systemClock.monotonic;
const prober = { postgres: postgresProber(now, tlsClient), mysql: mysqlProber(now, tlsClient) };
const TLS: TlsUse = { start: 'starttls', ...tlsSettings({ verify: false }) };

// The libraries are read before anything is timed.
await Promise.all([import('pg'), import('mysql2')]);

const BASICS = { user: 'probe', password: 's3cret', database: undefined, statement: undefined } as const;
const REST = { role: 'any', maxLag: undefined, tls: undefined } as const;
const STATEMENT = { sql: 'SELECT 1', value: '1' };

const postgres =
  (more: Partial<PostgresCheck> = {}) =>
  (target: Target): PostgresCheck => ({ type: 'postgres', target, ...BASICS, ...REST, ...more });
const mysql =
  (more: Partial<MysqlCheck> = {}) =>
  (target: Target): MysqlCheck => ({ type: 'mysql', target, ...BASICS, ...REST, ...more });

/** Big-endian, of so many bytes. */
const be = (value: number, size: number): string =>
  Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex').toString('latin1');
const le = (value: number, size: number): string => [...be(value, size)].reverse().join('');

/** A message of PostgreSQL's. */
const message = (type: string, body: string): string => `${type}${be(body.length + 4, 4)}${body}`;
const READY = message('Z', 'I');
const LET_IN = message('R', be(0, 4)) + READY;
const fields = (...values: readonly (string | null)[]): string => {
  const head = values.map((_, index) => `c${index}\0${be(0, 6)}${be(25, 4)}${be(0, 8)}`).join('');
  const row = values.map((value) => (value === null ? '\xff\xff\xff\xff' : `${be(value.length, 4)}${value}`));
  return (
    message('T', be(values.length, 2) + head) +
    message('D', be(values.length, 2) + row.join('')) +
    message('C', 'SELECT 1\0') +
    READY
  );
};
const refusal = (code: string, text: string): string =>
  message('E', `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);

/** A packet of MySQL's. */
const packet = (sequence: number, body: string): string => le(body.length, 3) + be(sequence, 1) + body;
const counted = (text: string): string => be(text.length, 1) + text;
const [PROTOCOL_41, SSL, SECURE, PLUGIN] = [0x200, 0x800, 0x8000, 0x80000];
const greetingOf = (flags: number): string =>
  packet(
    0,
    `\x0a8.0.36\0${le(7, 4)}abcdefgh\0${le(flags & 0xffff, 2)}\x2d${le(2, 2)}${le(flags >>> 16, 2)}\x15${'\0'.repeat(10)}ijklmnopqrst\0mysql_native_password\0`,
  );
const GREETING = greetingOf(PROTOCOL_41 | SECURE | PLUGIN);
const done = (sequence: number): string => packet(sequence, '\0\0\0\x02\0\0\0');
const END = `\xfe\0\0\x02\0`;
const rowOf = (values: Readonly<Record<string, string | null>>): string => {
  const names = Object.keys(values);
  const columns = names.map(
    (name) => `${counted('def')}\0\0\0${counted(name)}\0\x0c${le(0x2d, 2)}${le(80, 4)}\xfd\0\0\0\0\0`,
  );
  const row = Object.values(values).map((value) => (value === null ? '\xfb' : counted(value)));
  const bodies = [be(names.length, 1), ...columns, END, row.join(''), END];
  return bodies.map((body, index) => packet(index + 1, body)).join('');
};
const error = (sequence: number, code: number, text: string): string =>
  packet(sequence, `\xff${le(code, 2)}#HY000${text}`);

t.test('postgres: each step in its phase, whatever the server does', async (t) => {
  const answers: readonly Answer[] = [
    { says: LET_IN, phase: 'login' },
    { says: fields('1'), phase: 'request' },
    { says: fields('f', '0'), phase: 'request' },
  ];
  const kind = {
    prober: prober.postgres,
    spec: postgres({ statement: STATEMENT, role: 'master' }),
    answers,
  };
  const server = await turnServer(t, { answers });
  const result = await probeOnce(t, kind.prober, kind.spec(server.target), { listeners: [server] });
  t.equal(result.outcome, 'pass');
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'login', 'request'],
  );
  t.match(String(server.heard[0]), /user\0probe\0database\0probe\0/, 'the database of the name of the user');
  await misbehaviours(t, kind);
  await goodBehaviours(t, kind);
});

t.test('mysql: each step in its phase, whatever the server does', async (t) => {
  const answers: readonly Answer[] = [
    { says: GREETING, phase: 'greeting' },
    { says: done(2), phase: 'login' },
    { says: rowOf({ 1: '1' }), phase: 'request' },
    { says: rowOf({ read_only: '0' }), phase: 'request' },
  ];
  const kind = { prober: prober.mysql, spec: mysql({ statement: STATEMENT, role: 'master' }), answers };
  const server = await turnServer(t, { answers, greets: true });
  const result = await probeOnce(t, kind.prober, kind.spec(server.target), { listeners: [server] });
  t.match(result, { outcome: 'pass' });
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'greeting', 'login', 'request'],
  );
  await misbehaviours(t, { ...kind, greets: true });
  await goodBehaviours(t, { ...kind, greets: true });
});

t.test('postgres: what an answer means', async (t) => {
  const lag = { role: 'replica', maxLag: seconds(10) } as const;
  const rows: readonly (readonly [string, Partial<PostgresCheck>, readonly string[], object])[] = [
    ['a login', {}, [LET_IN], { kind: 'ok' }],
    [
      'starting',
      {},
      [refusal('57P03', 'the database system is starting up')],
      { kind: 'rejected', phase: 'login', detail: '57P03 the database system is starting up' },
    ],
    ['another value', { statement: STATEMENT }, [LET_IN, fields('2')], { detail: '"2", not "1"' }],
    ['NULL', { statement: STATEMENT }, [LET_IN, fields(null)], { detail: 'NULL, not "1"' }],
    [
      'any value',
      { statement: { sql: 'SELECT 1', value: undefined } },
      [LET_IN, fields('2')],
      { kind: 'ok' },
    ],
    [
      'a statement that fails',
      { statement: STATEMENT },
      [LET_IN, refusal('42P01', 'no such table') + READY],
      { kind: 'rejected', phase: 'request', detail: '42P01 no such table' },
    ],
    ['a replica in time', lag, [LET_IN, fields('t', '9.5')], { kind: 'ok' }],
    ['a late replica', lag, [LET_IN, fields('t', '10.6')], { detail: /is 11 s behind/ }],
    ['a replica that never got anything', lag, [LET_IN, fields('t', null)], { detail: /does not replicate/ }],
    ['a master', lag, [LET_IN, fields('f', '0')], { kind: 'bad-content', detail: 'a master, not a replica' }],
    ['no TLS', { tls: TLS }, ['N'], { kind: 'rejected', phase: 'request', detail: /no TLS/ }],
    ['no answer to TLS', { tls: TLS }, ['E'], { kind: 'protocol-error', phase: 'request' }],
    ['words before TLS', { tls: TLS }, [`S${LET_IN}`], { kind: 'protocol-error', detail: /plain text/ }],
    ['TLS that is none', { tls: TLS }, ['S', 'nonsense'], { kind: 'tls', problem: 'handshake' }],
  ];
  for (const [name, more, says, reason] of rows) {
    const answers = says.map((text): Answer => ({ says: text, phase: 'request' }));
    const server = await turnServer(t, { answers });
    const result = await probeOnce(t, prober.postgres, postgres(more)(server.target), {
      listeners: [server],
    });
    t.match(result.reason, reason, name);
    await server.close();
  }
});

t.test('mysql: what an answer means', async (t) => {
  const lag = { role: 'replica', maxLag: seconds(10) } as const;
  const behind = (name: string, value: string | null): string => rowOf({ [name]: value });
  const readOnly = rowOf({ read_only: '1' });
  const rows: readonly (readonly [string, Partial<MysqlCheck>, readonly string[], object])[] = [
    ['a login', {}, [GREETING, done(2)], { kind: 'ok' }],
    [
      'full',
      {},
      [error(0, 1040, 'Too many connections')],
      { kind: 'rejected', phase: /greeting|login/, code: 1040 },
    ],
    [
      'a wrong password',
      {},
      [GREETING, error(2, 1045, 'Access denied')],
      { kind: 'rejected', phase: 'login', code: 1045, detail: 'Access denied' },
    ],
    [
      'another value',
      { statement: STATEMENT },
      [GREETING, done(2), rowOf({ 1: '2' })],
      { kind: 'bad-content', detail: '"2", not "1"' },
    ],
    ['no rows', { statement: STATEMENT }, [GREETING, done(2), done(1)], { detail: 'no row, not "1"' }],
    [
      'a statement that fails',
      { statement: STATEMENT },
      [GREETING, done(2), error(1, 1146, 'no such table')],
      { kind: 'rejected', phase: 'request', code: 1146 },
    ],
    [
      'a replica in time',
      lag,
      [GREETING, done(2), readOnly, behind('Seconds_Behind_Source', '9')],
      { kind: 'ok' },
    ],
    [
      'a late replica of another age',
      lag,
      [GREETING, done(2), readOnly, error(1, 1064, 'what?'), behind('Seconds_Behind_Master', '11')],
      { kind: 'bad-content', detail: /11 s behind/ },
    ],
    [
      'a replica that has stopped',
      lag,
      [GREETING, done(2), readOnly, behind('Seconds_Behind_Source', null)],
      { detail: /does not replicate/ },
    ],
    [
      'one that may not say',
      lag,
      [GREETING, done(2), readOnly, error(1, 1227, 'no')],
      { kind: 'rejected', code: 1227 },
    ],
    [
      'a master',
      lag,
      [GREETING, done(2), rowOf({ read_only: 'OFF' })],
      { detail: 'a master, not a replica' },
    ],
    ['no TLS', { tls: TLS }, [GREETING], { outcome: 'fail', kind: 'protocol-error' }],
    [
      'words before TLS',
      { tls: TLS },
      [greetingOf(PROTOCOL_41 | SSL | SECURE | PLUGIN) + done(2)],
      { kind: /protocol-error|tls/ },
    ],
    ['numbers out of order', {}, [GREETING, done(9)], { kind: 'protocol-error', detail: /out of order/ }],
  ];
  for (const [name, more, says, reason] of rows) {
    const answers = says.map((text): Answer => ({ says: text, phase: 'request' }));
    const server = await turnServer(t, { answers, greets: true });
    const result = await probeOnce(t, prober.mysql, mysql(more)(server.target), { listeners: [server] });
    t.match({ outcome: result.outcome, ...result.reason }, reason, name);
    await server.close();
  }
});

t.test('where nobody listens', async (t) => {
  const target = await closedPort(t);
  t.match((await probeOnce(t, prober.postgres, postgres()(target))).reason, { kind: 'refused' });
  t.match((await probeOnce(t, prober.mysql, mysql()(target))).reason, { kind: 'refused' });
});
