/** The headers of a request: those of the check, and who asks. */
import type { HttpCheck, HttpCredentials } from './spec-web.js';

type Headers = HttpCheck['headers'];

/** Who we are is no business of another host to which we are sent. */
const PRIVATE_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

function credentialsText(credentials: HttpCredentials): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64')}`;
}

/** @param trusted whether the server may be told who asks */
export function headersWith(
  { headers, credentials }: Pick<HttpCheck, 'headers' | 'credentials'>,
  trusted = true,
): Headers {
  if (!trusted) return headers.filter(([name]) => !PRIVATE_HEADERS.has(name));
  return credentials === undefined ? headers : [...headers, ['authorization', credentialsText(credentials)]];
}
