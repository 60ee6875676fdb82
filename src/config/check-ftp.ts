import type { FtpCheck } from '../checks/model.js';
import type { Target } from '../checks/spec-target.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';
import { expandSecrets } from './secrets.js';

type LineKey = 'user' | 'password' | 'file';

/** One line of an FTP command: a line break in it would be a second command. */
function line(context: Context, layers: Layers, key: LineKey): Checked<string> | undefined {
  const at = pick(layers, key);
  if (at === undefined || at === FAULTY) return at;
  const text = key === 'file' ? at.value : expandSecrets(context, at);
  if (text === FAULTY) return FAULTY;
  return /[\r\n\0]/.test(text) ? report(context, at, 'what it stands for holds a line break') : text;
}

const ANONYMOUS = 'anonymous';
/** RFC 1635: an anonymous login gives a mail address as its password. */
const ANONYMOUS_PASSWORD = 'lvsentry@';

/** The FTP check that these layers describe. */
export function ftpProbe(context: Context, layers: Layers): Checked<(target: Target) => FtpCheck> {
  const user = line(context, layers, 'user') ?? ANONYMOUS;
  const given = line(context, layers, 'password');
  const file = line(context, layers, 'file');
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
