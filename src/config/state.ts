/** Completes `state:`. */
import { parseDuration, seconds } from '../core/units.js';
import type { RedisTarget, StateConfig } from '../store/model.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import type { RawState } from './schema-state.js';
import { expandSecrets } from './secrets.js';

/** References may hold any character, so they count as one. */
const REDIS_URL =
  /^(?<scheme>rediss?):\/\/(?:(?<user>(?:\$\{[^}]*\}|[^:@/])*)(?::(?<password>(?:\$\{[^}]*\}|[^@/])*))?@)?(?<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?<port>\d{1,5}))?(?:\/(?<database>\d{1,5})?)?$/;
const DEFAULT_PORT = 6379;
const PORT_MAX = 65_535;

interface Parts {
  readonly secure: boolean;
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly database: number;
}

function split(url: string): Parts | undefined {
  const groups = REDIS_URL.exec(url)?.groups;
  if (groups === undefined) return undefined;
  const { scheme, user = '', password = '', host = '', port, database } = groups;
  const number = Number(port ?? DEFAULT_PORT);
  if (number < 1 || number > PORT_MAX) return undefined;
  return {
    secure: scheme === 'rediss',
    user,
    password,
    host: host.replace(/^\[|\]$/g, ''),
    port: number,
    database: Number(database ?? 0),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A reference stands for what its file says, letter by letter; only what the URL itself says may be escaped. */
function credential(context: Context, at: Cursor<string>, text: string): Checked<string | undefined> {
  if (text === '') return undefined;
  return text.includes('${') ? expandSecrets(context, { ...at, value: text }) : decoded(text);
}

/** The parts of the URL with all secrets in them. The fault never shows the URL: it may hold a password. */
function partsOf(context: Context, at: Cursor<string>): Checked<Parts & Credentials> {
  const direct = split(at.value);
  // The whole URL may be a secret.
  const text = direct === undefined ? expandSecrets(context, at) : '';
  if (text === FAULTY) return FAULTY;
  const parts = direct ?? split(text);
  if (parts === undefined)
    return report(
      context,
      at,
      'not a URL such as redis://10.0.0.5:6379/0 (redis or rediss; user and password stand in USER:PASSWORD@)',
    );
  const literal = direct === undefined;
  const username = literal ? decoded(parts.user) || undefined : credential(context, at, parts.user);
  const password = literal ? decoded(parts.password) || undefined : credential(context, at, parts.password);
  if (username === FAULTY || password === FAULTY) return FAULTY;
  return { ...parts, secrets: { username, password } };
}

interface Credentials {
  readonly secrets: Pick<RedisTarget, 'username' | 'password'>;
}

function authoritiesOf(context: Context, at: Cursor<string>): Checked<string> {
  const file = context.deps.readFile(at.value);
  if (!file.ok) return report(context, at, `${at.value} ${file.problem}`);
  if (file.text.includes('-----BEGIN CERTIFICATE-----')) return file.text;
  return report(context, at, `${at.value} holds no certificate in PEM form`);
}

function redisOf(context: Context, at: Cursor<RawState>): Checked<RedisTarget | undefined> {
  const url = member(at, 'redis');
  const file = member(at, 'authorities');
  const parts = url === undefined || url === FAULTY ? url : partsOf(context, url);
  const authorities = file === undefined || file === FAULTY ? file : authoritiesOf(context, file);
  if (parts === FAULTY || authorities === FAULTY || file === FAULTY) return FAULTY;
  if (file !== undefined && parts?.secure !== true)
    return reportKey(context, file, 'only with `redis: rediss://...`, whose certificate they vouch for');
  if (parts === undefined) return undefined;
  const { host, port, database, secrets, secure } = parts;
  return { host, port, database, ...secrets, tls: secure ? { authorities } : undefined };
}

/** What outlives a restart; undefined: nothing. */
export function completeState(
  context: Context,
  at: Checked<Cursor<RawState>> | undefined,
): StateConfig | undefined {
  if (at === undefined || at === FAULTY) return undefined;
  const directory = member(at, 'directory');
  const redis = redisOf(context, at);
  const age = member(at, 'verdicts-age');
  if (directory === FAULTY || redis === FAULTY || age === FAULTY) return undefined;
  if (directory === undefined && redis === undefined) {
    report(context, at, 'nothing is kept; say `directory` or `redis`, or leave it out');
    return undefined;
  }
  if (age !== undefined && directory === undefined)
    reportKey(context, age, 'only with `directory`, where verdicts are kept');
  return {
    directory: directory?.value,
    redis,
    verdictsAge: parseDuration(read(at, 'verdicts-age', '60s') as string) ?? seconds(60),
  };
}
