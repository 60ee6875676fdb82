import type { FtpCheck } from '../checks/model.js';
import type { Target } from '../checks/spec-target.js';
import { commandLine } from './check-login.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

const ANONYMOUS = 'anonymous';
/** RFC 1635: an anonymous login gives a mail address as its password. */
const ANONYMOUS_PASSWORD = 'lvsentry@';

/** The FTP check that these layers describe. */
export function ftpProbe(context: Context, layers: Layers): Checked<(target: Target) => FtpCheck> {
  const user = commandLine(context, layers, 'user') ?? ANONYMOUS;
  const given = commandLine(context, layers, 'password');
  const file = commandLine(context, layers, 'file');
  const fileBy = pickValue(layers, 'file-by', 'size');
  const tls = tlsUse(context, layers);
  if (tls === FAULTY) return FAULTY;
  if (user === FAULTY || given === FAULTY || file === FAULTY || fileBy === FAULTY) return FAULTY;
  const by = pick(layers, 'file-by');
  if (file === undefined && by !== undefined && by !== FAULTY) {
    return report(context, by, 'it says how a file is asked for, but there is no `file`');
  }
  const password = given ?? (user === ANONYMOUS ? ANONYMOUS_PASSWORD : undefined);
  if (password !== undefined) return (target) => ({ type: 'ftp', target, user, password, file, fileBy, tls });
  const at = pick(layers, 'user');
  return at === undefined || at === FAULTY
    ? FAULTY
    : report(context, at, `the user ${user} has no \`password\``);
}
