/** References to secrets, `${env:NAME}` and `${file:/path}`, replaced by what they stand for. */
import { type Checked, type Context, type Cursor, FAULTY, type Faulty, report } from './cursor.js';

const REFERENCE = /\$\{(?<kind>env|file):(?<name>[^}]*)\}/g;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function fromEnvironment(context: Context, at: Cursor<string>, name: string): Checked<string> {
  if (!ENV_NAME.test(name)) {
    return report(context, at, `"${name}" is not the name of an environment variable`);
  }
  const value = context.deps.env(name);
  if (value === undefined) return report(context, at, `the environment variable ${name} is not set`);
  if (value === '') return report(context, at, `the environment variable ${name} is empty`);
  return value;
}

function fromFile(context: Context, at: Cursor<string>, path: string): Checked<string> {
  if (!path.startsWith('/')) return report(context, at, `"${path}" is not an absolute path`);
  const file = context.deps.readFile(path);
  if (!file.ok) return report(context, at, `the secret's file ${path} ${file.problem}`);
  const text = file.text.replace(/\r?\n$/, '');
  if (text === '') return report(context, at, `the secret's file ${path} is empty`);
  return text;
}

/** The text with every reference replaced. What a secret holds never stands in a fault. */
export function expandSecrets(context: Context, at: Cursor<string>): Checked<string> {
  let faulty: Faulty | undefined;
  const text = at.value.replaceAll(REFERENCE, (whole, kind: string, name: string) => {
    const value = kind === 'env' ? fromEnvironment(context, at, name) : fromFile(context, at, name);
    if (value !== FAULTY) return value;
    faulty = FAULTY;
    return whole;
  });
  return faulty ?? text;
}
