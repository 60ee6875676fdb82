/** What the keys of a login come to, and of the dialogues that may have one. */
import type { Target } from '../checks/spec-target.js';
import type { Login, MailboxCheck } from '../checks/spec-text.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick } from './layers.js';
import { expandSecrets } from './secrets.js';

/** One line of a command: a line break in it would be a second command. */
export function commandLine(
  context: Context,
  layers: Layers,
  key: 'user' | 'password' | 'file',
): Checked<string> | undefined {
  const at = pick(layers, key);
  if (at === undefined || at === FAULTY) return at;
  const text = key === 'file' ? at.value : expandSecrets(context, at);
  if (text === FAULTY) return FAULTY;
  return /[\r\n\0]/.test(text) ? report(context, at, 'what it stands for holds a line break') : text;
}

/** A user with the password; undefined where neither is said. */
export function login(context: Context, layers: Layers): Checked<Login | undefined> {
  const user = commandLine(context, layers, 'user');
  const password = commandLine(context, layers, 'password');
  if (user === FAULTY || password === FAULTY) return FAULTY;
  if (user !== undefined && password !== undefined) return { user, password };
  const at = pick(layers, user === undefined ? 'password' : 'user');
  if (at === undefined) return undefined;
  if (at === FAULTY) return FAULTY;
  return report(
    context,
    at,
    user === undefined ? 'there is no `user`' : `the user ${user} has no \`password\``,
  );
}

/** The POP3, IMAP or NNTP check that these layers describe. */
export function mailboxProbe(
  context: Context,
  type: MailboxCheck['type'],
  layers: Layers,
): Checked<(target: Target) => MailboxCheck> {
  const who = login(context, layers);
  const tls = tlsUse(context, layers);
  if (who === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => ({ type, target, login: who, tls });
}
