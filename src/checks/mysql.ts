/** MySQL and MariaDB check: a login, a statement, and the server's part in replication. */
import type { Socket } from 'node:net';
import type { Connection, TypeCastField } from 'mysql2';
import { type DriverStream, probeByDriver } from './driver.js';
import { LIBRARIES } from './libraries.js';
import type { Reason } from './model.js';
import type { Now, ProbeRun } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { MysqlCheck } from './spec-database.js';
import { judgePart, judgeStatement, type SqlPart, type SqlValue, secondsOf } from './sql.js';
import type { TlsClient } from './tls.js';

type Library = Pick<typeof import('mysql2'), 'createConnection'>;

/** ER_PARSE_ERROR: the server does not know the statement. */
const UNKNOWN_STATEMENT = 1064;

/**
 * Passes when the server lets us in, the statement comes to what is expected, and the server is what `role` and `maxLag`
 * want it to be. Phases: `greeting`, `tls`, `login`, `request`.
 */
export function mysqlProber(now: Now, client: TlsClient): Prober<MysqlCheck> {
  return (spec, signal) =>
    probeByDriver({ now, client }, signal, {
      target: spec.target,
      tls: spec.tls,
      load: LIBRARIES.mysql,
      talk: (library, stream, run) => talk(connectionOf(library, stream, run, spec), stream, run, spec),
      rejection: (thrown, { phase }) => {
        const said = refusalOf(thrown);
        return said && { kind: 'rejected', phase, code: said.code, detail: printable(said.text) };
      },
    });
}

/** The server's error packet; undefined where the error is none of the server's. */
function refusalOf(thrown: unknown): { readonly code: number; readonly text: string } | undefined {
  const { errno, sqlMessage } = thrown as { readonly errno?: unknown; readonly sqlMessage?: unknown };
  return typeof errno === 'number' && typeof sqlMessage === 'string'
    ? { code: errno, text: sqlMessage }
    : undefined;
}

function connectionOf(
  library: Library,
  stream: DriverStream,
  run: ProbeRun,
  { target, user, password, database, tls }: MysqlCheck,
): Connection {
  const connection = library.createConnection({
    // It asks nothing of a socket that the stream has not.
    stream: () => stream as unknown as Socket,
    host: target.address,
    port: target.port,
    user,
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(tls === undefined ? {} : { ssl: {} }),
    // All values as the server writes them.
    typeCast: (field: TypeCastField) => field.string(),
    // The deadline is ours.
    connectTimeout: 0,
    flags: ['-LOCAL_FILES'],
  });
  // It has agreed on TLS, and believes that it begins it itself.
  Object.assign(connection, {
    startTLS: (onSecure: () => void) => {
      void stream.secure().then(() => {
        run.enter('login');
        onSecure();
      });
    },
  });
  // It would write to the console.
  connection.on('warn', (error: unknown) => {
    throw error;
  });
  connection.on('error', () => undefined);
  return connection;
}

async function talk(
  connection: Connection,
  stream: DriverStream,
  run: ProbeRun,
  spec: MysqlCheck,
): Promise<Reason> {
  run.enter('greeting');
  // What it says first is its login, or that TLS may begin.
  if (spec.tls === undefined) stream.once('sent', () => run.enter('login'));
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
  if (spec.tls !== undefined && !stream.isSecure)
    return { kind: 'protocol-error', phase: run.phase, detail: 'plain text before the TLS handshake' };
  run.enter('request');
  if (spec.statement !== undefined) {
    const [first] = Object.values((await ask(connection, spec.statement.sql)) ?? {});
    const wrong = judgeStatement(run, spec.statement, first);
    if (wrong !== undefined) return wrong;
  }
  if (spec.role === 'any' && spec.maxLag === undefined) return { kind: 'ok' };
  return judgePart(run, spec, await partOf(connection, spec));
}

type Row = Readonly<Record<string, SqlValue>>;

/** The first row that a statement comes to. */
function ask(connection: Connection, sql: string): Promise<Row | undefined> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error, rows) => {
      if (error === null) resolve(Array.isArray(rows) ? (rows[0] as Row | undefined) : undefined);
      else reject(error);
    });
  });
}

/** Who is read-only is a replica; how far behind is asked only where it matters, as it needs a privilege. */
async function partOf(connection: Connection, { role, maxLag }: MysqlCheck): Promise<SqlPart> {
  const state = await ask(connection, 'SELECT @@global.read_only AS read_only');
  const isReadOnly = state?.read_only !== '0' && state?.read_only !== 'OFF';
  const found = isReadOnly ? 'replica' : 'master';
  if (maxLag === undefined || !isReadOnly || role === 'master') return { role: found, lagSeconds: undefined };
  const status = await ask(connection, 'SHOW REPLICA STATUS').catch((thrown: unknown) => {
    // MySQL before 8.0.22, MariaDB before 10.5.
    if (refusalOf(thrown)?.code !== UNKNOWN_STATEMENT) throw thrown;
    return ask(connection, 'SHOW SLAVE STATUS');
  });
  return {
    role: found,
    lagSeconds: secondsOf(status?.Seconds_Behind_Source ?? status?.Seconds_Behind_Master),
  };
}
