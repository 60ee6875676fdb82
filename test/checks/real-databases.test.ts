/** PostgreSQL and MariaDB of Debian, with a replica each. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Reason } from '../../src/checks/model.js';
import { mysqlProber } from '../../src/checks/mysql.js';
import { postgresProber } from '../../src/checks/postgres.js';
import type { MysqlCheck, PostgresCheck } from '../../src/checks/spec-database.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { seconds } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { closedPort, eventually, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { folder, missing, start } from './servers.js';

const now = systemClock.monotonic;
const prober = { postgres: postgresProber(now, tlsClient), mysql: mysqlProber(now, tlsClient) };
const isRoot = process.getuid?.() === 0;

const VERSIONS = '/usr/lib/postgresql';
const VERSION = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort().at(-1) : undefined;
const NO_POSTGRES = (VERSION === undefined && 'PostgreSQL is not installed') || (!isRoot && 'it needs root');
const NO_MARIADB = missing('mariadbd', true);

const REST = { database: undefined, statement: undefined, role: 'any', maxLag: undefined } as const;

interface Row<Spec> {
  readonly name: string;
  readonly target: Target;
  readonly more: Partial<Spec>;
  readonly reason: object;
}

/** Runs a program as another user and gives what it prints. */
function as(user: string, ...command: readonly string[]): string {
  const args = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...command];
  return execFileSync('setpriv', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

const startAs = (t: Test, user: string, target: Target, command: readonly string[]) =>
  start(t, target, ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...command]);

function ownFolder(t: Test, user: string, files: Readonly<Record<string, string>> = {}): string {
  const path = folder(t, files);
  for (const name of Object.keys(files)) execFileSync('chmod', ['600', join(path, name)]);
  execFileSync('chown', ['-R', `${user}:${user}`, path]);
  return path;
}

/** Until the server takes statements: it listens before. */
async function ready(t: Test, probe: () => Promise<Reason>): Promise<void> {
  let reason = await probe();
  for (let tries = 0; tries < 200 && reason.kind !== 'ok'; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    reason = await probe();
  }
  t.equal(reason.kind, 'ok', 'it takes statements');
}

t.test('PostgreSQL', { skip: NO_POSTGRES || NO_OPENSSL }, async (t) => {
  const bin = (name: string): string => join(VERSIONS, VERSION ?? '', 'bin', name);
  const authority = new Authority(t, 'postgres');
  const { key, cert } = authority.issue('DNS:db.example.org');
  const place = ownFolder(t, 'postgres', { 'server.key': key, 'server.crt': cert, secret: 's3cret' });
  const [first, second] = [join(place, 'first'), join(place, 'second')];
  const login = [`--pwfile=${join(place, 'secret')}`, '--auth=scram-sha-256', '-U', 'probe'];
  as('postgres', bin('initdb'), '-D', first, '--no-sync', '-E', 'UTF8', '--locale=C', ...login);
  const auth = ['local all all trust', 'host all md5user all md5', 'host replication all all trust'];
  writeFileSync(join(first, 'pg_hba.conf'), [...auth, 'host all all all scram-sha-256', ''].join('\n'));
  const settings = { listen_addresses: '127.0.0.1', fsync: 'off', shared_buffers: '1MB', ssl: 'on' };
  const files = { ssl_key_file: join(place, 'server.key'), ssl_cert_file: join(place, 'server.crt') };
  const lines = Object.entries({ ...settings, ...files, unix_socket_directories: place });
  appendFileSync(
    join(first, 'postgresql.conf'),
    lines.map(([name, value]) => `${name} = '${value}'\n`).join(''),
  );
  const [master, replica] = [await closedPort(t), await closedPort(t)];
  const run = (data: string, target: Target) =>
    startAs(t, 'postgres', target, [bin('postgres'), '-D', data, '-p', String(target.port)]);
  const check = (target: Target, more: Partial<PostgresCheck>): PostgresCheck => {
    const basics = { type: 'postgres', target, user: 'probe', password: 's3cret', tls: undefined } as const;
    return { ...basics, ...REST, database: 'postgres', ...more };
  };
  const probe = async (target: Target, more: Partial<PostgresCheck> = {}) =>
    (await probeOnce(t, prober.postgres, check(target, more), { deadline: 10_000 })).reason;
  await run(first, master);
  await ready(t, () => probe(master));
  const psql = (sql: string): string =>
    as(
      'postgres',
      bin('psql'),
      '-h',
      place,
      '-p',
      String(master.port),
      '-U',
      'probe',
      '-Atc',
      sql,
      'postgres',
    );
  psql("SET password_encryption = 'md5'; CREATE ROLE md5user LOGIN PASSWORD 'old'");
  const from = ['-h', '127.0.0.1', '-p', String(master.port), '-U', 'probe'];
  as('postgres', bin('pg_basebackup'), '-D', second, '-R', '-c', 'fast', '--no-sync', ...from);
  const copy = await run(second, replica);
  await ready(t, () => probe(replica));

  const tls: TlsUse = {
    start: 'starttls',
    ...tlsSettings({ serverName: 'db.example.org', authorities: authority.cert }),
  };
  const yes = { sql: 'SELECT true', value: 't' };
  const rows: readonly Row<PostgresCheck>[] = [
    { name: 'a login by SCRAM', target: master, more: {}, reason: { kind: 'ok' } },
    { name: 'by MD5', target: master, more: { user: 'md5user', password: 'old' }, reason: { kind: 'ok' } },
    { name: 'by TLS', target: master, more: { tls }, reason: { kind: 'ok' } },
    {
      name: 'another name',
      target: master,
      more: { tls: { ...tls, serverName: 'www.example.org' } },
      reason: { kind: 'tls', problem: 'wrong-name' },
    },
    {
      name: 'a wrong password',
      target: master,
      more: { password: 'guess', tls },
      reason: { kind: 'rejected', phase: 'login', detail: /^28P01 password/ },
    },
    {
      name: 'no password',
      target: master,
      more: { password: undefined },
      reason: { kind: /rejected|protocol-error/, phase: 'login' },
    },
    {
      name: 'no such database',
      target: master,
      more: { database: 'nowhere' },
      reason: { kind: 'rejected', detail: /^3D000/ },
    },
    { name: 'a statement', target: master, more: { statement: yes, role: 'master' }, reason: { kind: 'ok' } },
    {
      name: 'another value',
      target: master,
      more: { statement: { sql: 'SELECT 40 + 2', value: '41' } },
      reason: { kind: 'bad-content', detail: '"42", not "41"' },
    },
    {
      name: 'a statement that is none',
      target: master,
      more: { statement: { sql: 'SELEKT', value: undefined } },
      reason: { kind: 'rejected', phase: 'request', detail: /^42601/ },
    },
    { name: 'not a replica', target: master, more: { role: 'replica' }, reason: { kind: 'bad-content' } },
    {
      name: 'a replica',
      target: replica,
      more: { role: 'replica', maxLag: seconds(5), tls },
      reason: { kind: 'ok' },
    },
    { name: 'not a master', target: replica, more: { role: 'master' }, reason: { kind: 'bad-content' } },
  ];
  for (const { name, target, more, reason } of rows) t.match(await probe(target, more), reason, name);
  copy.kill('SIGSTOP');
  const frozen = await probeOnce(t, prober.postgres, check(replica, {}), { deadline: 200 });
  t.match(frozen.reason, { kind: 'timeout', phase: 'login' }, 'frozen');
  copy.kill('SIGCONT');
});

t.test('MariaDB', { skip: NO_MARIADB || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'mariadb');
  const { key, cert } = authority.issue('DNS:db.example.org');
  const place = ownFolder(t, 'mysql', { 'server.key': key, 'server.crt': cert });
  const [first, second] = [join(place, 'first'), join(place, 'second')];
  const quiet = ['--skip-test-db', '--skip-name-resolve', '--innodb-log-file-size=4M'];
  as('mysql', 'mariadb-install-db', '--no-defaults', `--datadir=${first}`, ...quiet);
  cpSync(first, second, { recursive: true });
  execFileSync('chown', ['-R', 'mysql:mysql', second]);
  const [master, replica] = [await closedPort(t), await closedPort(t)];
  const socketOf = (id: number): string => join(place, `socket${id}`);
  const run = (data: string, target: Target, id: number, ...more: readonly string[]) =>
    startAs(t, 'mysql', target, [
      'mariadbd',
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${target.port}`,
      '--bind-address=127.0.0.1',
      `--socket=${socketOf(id)}`,
      `--pid-file=${join(place, `pid${id}`)}`,
      `--server-id=${id}`,
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=8M',
      '--innodb-log-file-size=4M',
      '--innodb-flush-log-at-trx-commit=0',
      '--performance-schema=off',
      `--ssl-key=${join(place, 'server.key')}`,
      `--ssl-cert=${join(place, 'server.crt')}`,
      ...more,
    ]);
  await run(first, master, 1, `--log-bin=${join(place, 'bin')}`);
  await run(second, replica, 2, '--read-only=1', `--relay-log=${join(place, 'relay')}`);
  const sql = (id: number, text: string): string =>
    execFileSync('mariadb', ['--no-defaults', '-u', 'root', '-S', socketOf(id), '-NBe', text], {
      encoding: 'utf8',
    });
  const user = (name: string, how: string, rights = 'USAGE'): string =>
    `CREATE USER ${name}@'127.0.0.1' IDENTIFIED ${how}; GRANT ${rights} ON *.* TO ${name}@'127.0.0.1';`;
  // Each writes its own users: the replica takes what comes after.
  for (const id of [1, 2]) {
    const users = [
      user('probe', "BY 's3cret'", 'SLAVE MONITOR'),
      user('weak', "BY 'weak'"),
      user('copy', "BY 'copy'", 'REPLICATION SLAVE'),
    ];
    sql(id, `SET sql_log_bin = 0; ${users.join(' ')}`);
  }
  const to = `MASTER_HOST='127.0.0.1', MASTER_PORT=${master.port}, MASTER_USER='copy', MASTER_PASSWORD='copy'`;
  sql(2, `CHANGE MASTER TO ${to}, MASTER_USE_GTID=slave_pos; START SLAVE`);
  t.ok(
    await eventually(() => /\b0\b/.test(sql(2, 'SHOW SLAVE STATUS').split('\t')[32] ?? ''), 20_000),
    'it follows',
  );
  const tls: TlsUse = {
    start: 'starttls',
    ...tlsSettings({ serverName: 'db.example.org', authorities: authority.cert }),
  };
  const probe = async (target: Target, more: Partial<MysqlCheck> = {}) => {
    const basics = { type: 'mysql', target, user: 'probe', password: 's3cret', tls: undefined } as const;
    const spec: MysqlCheck = { ...basics, ...REST, ...more };
    return (await probeOnce(t, prober.mysql, spec, { deadline: 10_000 })).reason;
  };
  const weak = { user: 'weak', password: 'weak' };
  const lag = { role: 'replica', maxLag: seconds(30) } as const;
  const rows: readonly Row<MysqlCheck>[] = [
    { name: 'a login', target: master, more: {}, reason: { kind: 'ok' } },
    { name: 'by TLS', target: master, more: { tls, database: 'information_schema' }, reason: { kind: 'ok' } },
    {
      name: 'another name',
      target: master,
      more: { tls: { ...tls, serverName: 'www.example.org' } },
      reason: { kind: 'tls', problem: 'wrong-name' },
    },
    {
      name: 'a wrong password',
      target: master,
      more: { password: 'guess', tls },
      reason: { kind: 'rejected', phase: 'login', code: 1045 },
    },
    {
      name: 'no password',
      target: master,
      more: { password: undefined },
      reason: { kind: 'rejected', phase: 'login', code: 1045 },
    },
    {
      name: 'a database that is not its own',
      target: master,
      more: { database: 'nowhere' },
      reason: { kind: 'rejected', phase: 'login', code: 1044 },
    },
    {
      name: 'a statement',
      target: master,
      more: { statement: { sql: 'SELECT 40 + 2', value: '42' }, role: 'master' },
      reason: { kind: 'ok' },
    },
    {
      name: 'a statement that is none',
      target: master,
      more: { statement: { sql: 'SELEKT', value: undefined } },
      reason: { kind: 'rejected', phase: 'request', code: 1064 },
    },
    { name: 'not a replica', target: master, more: { role: 'replica' }, reason: { kind: 'bad-content' } },
    { name: 'a replica', target: replica, more: { ...lag, tls }, reason: { kind: 'ok' } },
    { name: 'not a master', target: replica, more: { role: 'master' }, reason: { kind: 'bad-content' } },
    {
      name: 'read-only, for all to see',
      target: replica,
      more: { ...weak, role: 'replica' },
      reason: { kind: 'ok' },
    },
    {
      name: 'one who may not ask for more',
      target: replica,
      more: { ...weak, ...lag },
      reason: { kind: 'rejected', phase: 'request', code: 1227 },
    },
  ];
  for (const { name, target, more, reason } of rows) t.match(await probe(target, more), reason, name);
  sql(2, 'STOP SLAVE');
  t.match(await probe(replica, lag), { kind: 'bad-content', detail: /does not replicate/ }, 'stopped');
});
