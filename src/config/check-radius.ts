/** radius checks. */
import type { RadiusCheck } from '../checks/spec-radius.js';
import type { Target } from '../checks/spec-target.js';
import type { Login } from '../checks/spec-text.js';
import { login } from './check-login.js';
import { type Checked, type Context, FAULTY, report, reportKey } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';
import { expandSecrets } from './secrets.js';

/** RFC 2865 5.1 and 5.2, in bytes. */
const PASSWORD_MAX = 128;
const USER_MAX = 253;

function sharedSecret(context: Context, layers: Layers): Checked<string> {
  const at = pick(layers, 'secret');
  const [innermost] = layers;
  if (at === undefined && innermost !== undefined)
    return report(context, innermost, 'a radius check needs the `secret` that the server shares with us');
  return at === undefined || at === FAULTY ? FAULTY : expandSecrets(context, at);
}

/** Bytes of a text as UTF-8. */
function utf8Length(text: string): number {
  let length = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

function bounded(context: Context, layers: Layers, who: Login): Checked<Login> {
  for (const [key, max] of [
    ['user', USER_MAX],
    ['password', PASSWORD_MAX],
  ] as const) {
    if (utf8Length(who[key]) <= max) continue;
    const at = pick(layers, key);
    return at === undefined || at === FAULTY
      ? FAULTY
      : report(context, at, `RADIUS carries at most ${max} bytes of it`);
  }
  return who;
}

/** Who asks for access; undefined with Status-Server. Exactly one of them must be there. */
function asker(context: Context, layers: Layers): Checked<Login | undefined> {
  const isStatus = pickValue(layers, 'status-server', false);
  const who = login(context, layers);
  if (isStatus === FAULTY || who === FAULTY) return FAULTY;
  if (who !== undefined && !isStatus) return bounded(context, layers, who);
  if (isStatus) {
    const at = who === undefined ? pick(layers, 'reject-passes') : pick(layers, 'user');
    if (at === undefined) return undefined;
    return at === FAULTY ? FAULTY : reportKey(context, at, 'with `status-server` nobody logs in');
  }
  const [innermost] = layers;
  return innermost === undefined
    ? FAULTY
    : report(context, innermost, 'a radius check needs a `user` who logs in, or `status-server: true`');
}

/** The RADIUS check that these layers describe. */
export function radiusProbe(context: Context, layers: Layers): Checked<(target: Target) => RadiusCheck> {
  const secret = sharedSecret(context, layers);
  const who = asker(context, layers);
  const rejectPasses = pickValue(layers, 'reject-passes', false);
  if (secret === FAULTY || who === FAULTY || rejectPasses === FAULTY) return FAULTY;
  return (target) => ({ type: 'radius', target, secret, login: who, rejectPasses });
}
