/** Where a redirect leads: to the server that is probed, under whatever name (RFC 9110 15.4, RFC 3986 5). */
import { isIP } from 'node:net';
import type { HttpUrl } from './spec-web.js';

/** What is asked, and how the server is reached. */
export interface Visit {
  readonly secure: boolean;
  /** Of the server that is probed. */
  readonly port: number;
  readonly url: HttpUrl;
  /** Names and tokens may be told: the redirects so far have not left the host that they are for. */
  readonly trusted: boolean;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether the status asks us to go elsewhere. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/** The URL as people write it. */
export function urlText({ secure, url }: Visit): string {
  return `${secure ? 'https' : 'http'}://${url.host}${url.path}`;
}

/** The name in a Host header, in lower case; undefined where that is an address. */
export function hostName(host: string): string | undefined {
  if (host.startsWith('[')) return undefined;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return isIP(name) === 0 ? name : undefined;
}

const defaultPort = (secure: boolean): string => (secure ? '443' : '80');

/**
 * The next visit, or undefined where `location` is no URL of the web. The port that the URL names is that of the virtual
 * service; a server may listen at another one. So the same scheme and port as before mean the same port as before.
 */
export function redirected(from: Visit, status: number, location: string): Visit | undefined {
  const base = URL.canParse(urlText(from)) ? new URL(urlText(from)) : undefined;
  if (base === undefined || !URL.canParse(location, base.href)) return undefined;
  const to = new URL(location, base);
  if ((to.protocol !== 'http:' && to.protocol !== 'https:') || to.port === '0') return undefined;
  const secure = to.protocol === 'https:';
  const named = to.port === '' ? defaultPort(secure) : to.port;
  const before = base.port === '' ? defaultPort(from.secure) : base.port;
  const isSamePlace = secure === from.secure && named === before;
  return {
    secure,
    port: isSamePlace ? from.port : Number(named),
    url: { ...from.url, ...asked(from.url, status), host: to.host, path: `${to.pathname}${to.search}` },
    trusted: from.trusted && isSamePlace && to.hostname === base.hostname,
  };
}

/** RFC 9110 15.4.2 to 15.4.4: after 303, and in practice 301 and 302, what was sent is fetched. */
function asked({ method, body }: HttpUrl, status: number): Pick<HttpUrl, 'method' | 'body'> {
  const fetches = status === 303 ? method !== 'HEAD' : method === 'POST' && status < 303;
  return fetches ? { method: 'GET', body: undefined } : { method, body };
}
