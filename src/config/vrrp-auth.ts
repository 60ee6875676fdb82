/** How the directors of one entry of `vrrp:` know each other. */
import { millis, parseDuration } from '../core/units.js';
import type { Auth } from '../vrrp/model.js';
import type { VrrpVersion } from '../vrrp/packet.js';
import { type Checked, type Context, type Cursor, entries, FAULTY, member, read, report } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';
import { expandSecrets } from './secrets.js';

type At = Cursor<RawRouter>;

const PASSWORD_BYTES = 8;
const SECOND = 1000;

interface AuthParts {
  readonly auth: Auth;
  readonly keys: ReadonlyMap<number, string>;
}

const NO_KEYS: ReadonlyMap<number, string> = new Map();

type RawAuth = NonNullable<RawRouter['auth']>;
type RawHmac = NonNullable<RawAuth['hmac']>;

function keysOf(context: Context, at: Cursor<RawHmac>): Checked<ReadonlyMap<number, string>> {
  const given = member(at, 'keys');
  if (given === undefined || given === FAULTY) return FAULTY;
  const keys = new Map<number, string>();
  for (const [name, key] of entries(given)) {
    if (!/^[1-9]\d{0,2}$/.test(name) || Number(name) > 255)
      return report(context, key, `${name} is not the id of a key, 1 to 255`);
    const secret = expandSecrets(context, key);
    if (secret === FAULTY) return FAULTY;
    keys.set(Number(name), secret);
  }
  if (keys.size < (given.node.fields?.size ?? 0)) return FAULTY;
  return keys.size > 0 ? keys : report(context, given, 'empty; there must be a key');
}

function hmacOf(context: Context, at: Cursor<RawHmac>): Checked<AuthParts> {
  const keys = keysOf(context, at);
  const active = member(at, 'active');
  const mode = read(at, 'mode', 'enforce');
  const antiReplay = read(at, 'anti-replay', 'time');
  const window = read(at, 'window', '10s');
  if (keys === FAULTY || active === FAULTY || mode === FAULTY || antiReplay === FAULTY || window === FAULTY)
    return FAULTY;
  if (active === undefined && keys.size > 1)
    return report(context, at, 'with several keys, `active` says which signs');
  const activeKey = active?.value ?? [...keys.keys()][0] ?? 1;
  if (active !== undefined && !keys.has(activeKey))
    return report(context, active, `there is no key ${activeKey}`);
  const rule = { mode, activeKey, antiReplay, window: parseDuration(window) ?? millis(SECOND) };
  return { auth: { kind: 'hmac', rule }, keys };
}

function passwordOf(context: Context, at: Cursor<string>, version: Checked<VrrpVersion>): Checked<AuthParts> {
  const password = expandSecrets(context, at);
  if (password === FAULTY) return FAULTY;
  if (version === 3) return report(context, at, 'version 3 has no passwords; use `hmac`, or `version: 2`');
  if (!/^[\x20-\x7e]{1,8}$/.test(password))
    return report(context, at, 'not 1 to 8 characters in printable ASCII');
  // Zeros behind it: RFC 3768 5.3.6.
  const data = Uint8Array.from({ length: PASSWORD_BYTES }, (_, at) => password.charCodeAt(at) || 0);
  return { auth: { kind: 'password', data }, keys: NO_KEYS };
}

/** The rule, and the keys that it names. */
export function authOf(context: Context, at: At, version: Checked<VrrpVersion>): Checked<AuthParts> {
  const auth = member(at, 'auth');
  if (auth === FAULTY) return FAULTY;
  if (auth === undefined) return { auth: { kind: 'none' }, keys: NO_KEYS };
  const password = member(auth, 'password');
  const hmac = member(auth, 'hmac');
  if (password === FAULTY || hmac === FAULTY) return FAULTY;
  if (password !== undefined && hmac !== undefined)
    return report(context, auth, 'either `password` or `hmac`, not both');
  if (hmac !== undefined) return hmacOf(context, hmac);
  if (password !== undefined) return passwordOf(context, password, version);
  return report(context, auth, 'empty; say `password` or `hmac`, or leave it out');
}
