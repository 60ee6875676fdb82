/** What the keys of TLS come to, in every kind of check that has them. */
import type { TlsSettings, TlsUse } from '../checks/spec-tls.js';
import { assert } from '../core/assert.js';
import { parseDuration } from '../core/units.js';
import { type Checked, type Context, type Cursor, FAULTY, report, reportKey } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** Of the keys of TLS all that mean nothing without it. */
const KEYS = [
  'server-name',
  'verify',
  'authorities',
  'certificate',
  'key',
  'expires-within',
  'alpn',
] as const;

/** The text of a PEM file that must hold something of a kind, such as `CERTIFICATE`. */
function pem(context: Context, at: Cursor<string>, kind: 'CERTIFICATE' | 'PRIVATE KEY'): Checked<string> {
  const file = context.deps.readFile(at.value);
  if (!file.ok) return report(context, at, `${at.value} ${file.problem}`);
  const isThere = new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(file.text);
  const what = kind === 'CERTIFICATE' ? 'certificate' : 'private key without a passphrase';
  return isThere && !file.text.includes('ENCRYPTED')
    ? file.text
    : report(context, at, `${at.value} holds no ${what} in PEM form`);
}

function authorities(context: Context, layers: Layers, verify: boolean): Checked<string> | undefined {
  const at = pick(layers, 'authorities');
  if (at === undefined || at === FAULTY) return at;
  if (!verify) return report(context, at, 'with `verify: false` nobody looks at authorities');
  return pem(context, at, 'CERTIFICATE');
}

function clientCertificate(context: Context, layers: Layers): Checked<TlsSettings['client']> {
  const certificate = pick(layers, 'certificate');
  const key = pick(layers, 'key');
  if (certificate === FAULTY || key === FAULTY) return FAULTY;
  if (certificate === undefined)
    return key === undefined
      ? undefined
      : reportKey(context, key, 'there is no `certificate` that it is the key of');
  if (key === undefined) return reportKey(context, certificate, 'its `key` is missing');
  const texts = [pem(context, certificate, 'CERTIFICATE'), pem(context, key, 'PRIVATE KEY')] as const;
  if (texts[0] === FAULTY || texts[1] === FAULTY) return FAULTY;
  return { certificate: texts[0], key: texts[1] };
}

function expiresWithin(layers: Layers): Checked<TlsSettings['expiresWithin']> {
  const at = pick(layers, 'expires-within');
  if (at === undefined || at === FAULTY) return at;
  const value = parseDuration(at.value);
  assert(value !== undefined, 'the schema lets only durations through');
  return value;
}

/** @param alpn what is offered where the kind has no key `alpn`, or it is not said. */
export function tlsSettings(context: Context, layers: Layers, alpn: readonly string[]): Checked<TlsSettings> {
  const name = pick(layers, 'server-name');
  const verify = pickValue(layers, 'verify', true);
  const offered = pickValue(layers, 'alpn', [...alpn]);
  if (verify === FAULTY) return FAULTY;
  const trusted = authorities(context, layers, verify);
  const client = clientCertificate(context, layers);
  const within = expiresWithin(layers);
  if (name === FAULTY || trusted === FAULTY || client === FAULTY) return FAULTY;
  if (within === FAULTY || offered === FAULTY) return FAULTY;
  const serverName = name?.value;
  return { serverName, verify, authorities: trusted, client, expiresWithin: within, alpn: offered };
}

/** Where TLS is a choice: undefined without it, and then no key of TLS may stand there. */
export function tlsUse(context: Context, layers: Layers): Checked<TlsUse | undefined> {
  const start = pickValue(layers, 'tls', 'none');
  if (start === FAULTY) return FAULTY;
  if (start !== 'none') {
    const settings = tlsSettings(context, layers, []);
    return settings === FAULTY ? FAULTY : { start, ...settings };
  }
  for (const key of KEYS) {
    const at = pick(layers, key);
    if (at === undefined) continue;
    return at === FAULTY ? FAULTY : reportKey(context, at, 'it means nothing without `tls`');
  }
  return undefined;
}
