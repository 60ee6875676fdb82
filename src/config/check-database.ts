/** redis, mysql and postgres checks. */
import type { MysqlCheck, PostgresCheck, RedisCheck, SqlCheck } from '../checks/spec-database.js';
import type { Target } from '../checks/spec-target.js';
import { assert } from '../core/assert.js';
import { type Millis, parseDuration } from '../core/units.js';
import { commandLine } from './check-login.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, report, reportKey } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** A password alone is that of the user `default`. */
function redisLogin(context: Context, layers: Layers): Checked<RedisCheck['login']> {
  const user = commandLine(context, layers, 'user');
  const password = commandLine(context, layers, 'password');
  if (user === FAULTY || password === FAULTY) return FAULTY;
  if (password !== undefined) return { user, password };
  const at = pick(layers, 'user');
  if (at === undefined) return undefined;
  return at === FAULTY ? FAULTY : report(context, at, `the user ${user} has no \`password\``);
}

function redisDatabase(context: Context, layers: Layers): Checked<number> {
  const at = pick(layers, 'database');
  if (at === undefined) return 0;
  if (at === FAULTY || typeof at.value === 'number') return at === FAULTY ? FAULTY : Number(at.value);
  return report(context, at, 'the databases of Redis have numbers, not names');
}

/** What a server must be, and how far behind. */
function replication(
  context: Context,
  layers: Layers,
): Checked<{ readonly role: RedisCheck['role']; readonly maxLag: Millis | undefined }> {
  const role = pickValue(layers, 'role', 'any');
  const at = pick(layers, 'maximum-lag');
  if (role === FAULTY || at === FAULTY) return FAULTY;
  if (at === undefined) return { role, maxLag: undefined };
  if (role === 'master') return report(context, at, 'a master is behind nobody; leave it out');
  const maxLag = parseDuration(at.value);
  assert(maxLag !== undefined, 'the schema lets only durations through');
  return { role, maxLag };
}

/** The Redis check that these layers describe. */
export function redisProbe(context: Context, layers: Layers): Checked<(target: Target) => RedisCheck> {
  const login = redisLogin(context, layers);
  const database = redisDatabase(context, layers);
  const part = replication(context, layers);
  const tls = tlsUse(context, layers);
  if (login === FAULTY || database === FAULTY || part === FAULTY || tls === FAULTY) return FAULTY;
  if (tls?.start === 'starttls') {
    const at = pick(layers, 'tls');
    return at === undefined || at === FAULTY
      ? FAULTY
      : report(context, at, 'Redis has no STARTTLS; use implicit, or none');
  }
  return (target) => ({ type: 'redis', target, login, database, ...part, tls });
}

function statement(context: Context, layers: Layers): Checked<SqlCheck | undefined> {
  const sql = pick(layers, 'sql');
  const value = pick(layers, 'sql-value');
  if (sql === FAULTY || value === FAULTY) return FAULTY;
  if (sql !== undefined) return { sql: sql.value, value: value?.value };
  return value === undefined ? undefined : reportKey(context, value, 'there is no `sql` that comes to it');
}

/** The MySQL or PostgreSQL check that these layers describe. */
export function sqlProbe(
  context: Context,
  type: 'mysql' | 'postgres',
  layers: Layers,
): Checked<(target: Target) => MysqlCheck | PostgresCheck> {
  const user = commandLine(context, layers, 'user');
  const password = commandLine(context, layers, 'password');
  const database = pick(layers, 'database');
  const what = statement(context, layers);
  const part = replication(context, layers);
  const tls = tlsUse(context, layers);
  if (user === FAULTY || password === FAULTY || database === FAULTY || what === FAULTY) return FAULTY;
  if (part === FAULTY || tls === FAULTY) return FAULTY;
  const [innermost] = layers;
  if (user === undefined)
    return innermost === undefined
      ? FAULTY
      : report(context, innermost, `a ${type} check needs a \`user\` who logs in`);
  if (type === 'mysql' && tls?.start === 'implicit') {
    const at = pick(layers, 'tls');
    return at === undefined || at === FAULTY
      ? FAULTY
      : report(context, at, 'MySQL agrees on TLS after its greeting; use starttls, or none');
  }
  const name = database === undefined ? undefined : String(database.value);
  return (target) => ({ type, target, user, password, database: name, statement: what, ...part, tls });
}
