/** PostgreSQL check: a login, a statement, and the server's part in replication. */
import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { type DriverStream, probeByDriver } from './driver.js';
import { LIBRARIES } from './libraries.js';
import type { Reason } from './model.js';
import type { Now, ProbeRun } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { PostgresCheck } from './spec-database.js';
import { judgePart, judgeStatement, type SqlPart, type SqlValue, secondsOf } from './sql.js';
import type { TlsClient } from './tls.js';

type Library = Pick<typeof import('pg'), 'Client'>;

/** SSLRequest; the answer is one byte. Source: PostgreSQL's manual, Message Formats. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Whether it is a replica, and how many seconds behind. One that has replayed all it got is not behind while it is
 * connected: its master may have had nothing to say.
 */
const PART = `SELECT pg_is_in_recovery(), CASE
  WHEN NOT pg_is_in_recovery() THEN 0
  WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
  ELSE EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp()) END`;

/**
 * Passes when the server lets us in, the statement comes to what is expected, and the server is what `role` and `maxLag`
 * want it to be. Phases: `request` and `tls` (SSLRequest), `login`, `request`.
 */
export function postgresProber(now: Now, client: TlsClient): Prober<PostgresCheck> {
  return (spec, signal) =>
    probeByDriver({ now, client }, signal, {
      target: spec.target,
      tls: spec.tls,
      load: LIBRARIES.postgres,
      talk: (library, stream, run) => talk(library, stream, run, spec),
      rejection,
    });
}

/** ErrorResponse as a reason: SQLSTATE and the server's words. */
function rejection(thrown: unknown, { phase }: ProbeRun): Reason | undefined {
  const { severity, code, message } = thrown as Partial<Record<'severity' | 'code' | 'message', string>>;
  if (severity === undefined || code === undefined) return undefined;
  return { kind: 'rejected', phase, code: undefined, detail: printable(`${code} ${message}`) };
}

async function talk(
  library: Library,
  stream: DriverStream,
  run: ProbeRun,
  spec: PostgresCheck,
): Promise<Reason> {
  if (spec.tls?.start === 'starttls') {
    const refused = await begin(stream, run);
    if (refused !== undefined) return refused;
  }
  run.enter('login');
  const client = clientOf(library, stream, spec);
  await client.connect();
  run.enter('request');
  const ask = async (text: string): Promise<readonly SqlValue[] | undefined> =>
    (await client.query<SqlValue[]>({ text, rowMode: 'array' })).rows[0];
  if (spec.statement !== undefined) {
    const wrong = judgeStatement(run, spec.statement, (await ask(spec.statement.sql))?.[0]);
    if (wrong !== undefined) return wrong;
  }
  if (spec.role === 'any' && spec.maxLag === undefined) return { kind: 'ok' };
  const [recovering, lag] = (await ask(PART)) ?? [];
  const part: SqlPart = { role: recovering === 't' ? 'replica' : 'master', lagSeconds: secondsOf(lag) };
  return judgePart(run, spec, part);
}

/** Agrees on TLS and begins it. */
async function begin(stream: DriverStream, run: ProbeRun): Promise<Reason | undefined> {
  run.enter('request');
  const answered = new Promise<Buffer>((resolve) => stream.once('data', resolve));
  stream.write(SSL_REQUEST);
  const answer = (await answered).toString('latin1');
  const { phase } = run;
  if (answer === 'N') return { kind: 'rejected', phase, code: undefined, detail: 'the server has no TLS' };
  if (!answer.startsWith('S'))
    return { kind: 'protocol-error', phase, detail: 'strange reply to SSLRequest' };
  // CVE-2021-23222: what stands behind it would pass for what was said in secret.
  if (answer.length > 1)
    return { kind: 'protocol-error', phase, detail: 'plain text before the TLS handshake' };
  await stream.secure();
  return undefined;
}

/** A client on our connection. What the daemon's environment says of PostgreSQL (PGPASSWORD, ~/.pgpass) is not for it. */
function clientOf(library: Library, stream: DriverStream, spec: PostgresCheck): Client {
  const { target, user, password = '', database = user } = spec;
  const client = new library.Client({
    // It asks nothing of a socket that the stream has not.
    stream: () => stream as unknown as Socket,
    host: target.address,
    port: target.port,
    user,
    database,
    password: () => password,
    ssl: false,
    application_name: 'lvsentry',
    // All values as the server writes them.
    types: { getTypeParser: () => (text: string) => text },
  });
  // What goes wrong comes back as the failure of what was asked.
  client.on('error', () => undefined);
  return client;
}
