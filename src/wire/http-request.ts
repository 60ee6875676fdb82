/** A request of HTTP/1.0 or HTTP/1.1 as a probe writes it (RFC 9112 3). */
import { LvsError } from '../core/errors.js';

export interface HttpRequest {
  readonly version: '1.0' | '1.1';
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Further fields, names in lower case. One that has a default replaces it. */
  readonly headers: readonly (readonly [string, string])[];
  /** Of the body that is sent behind the head; undefined: there is none. */
  readonly bodyLength: number | undefined;
  /** Another request shall go over the connection, which HTTP/1.1 allows unless a side refuses. */
  readonly keepsConnection: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9112 3.2.1 and 3.2.4: no space, no control character; other than ASCII must be percent-encoded. */
const REQUEST_TARGET = /^(?:\/[!-~]*|\*)$/;
const HOST = /^[!-~]*$/;
/** RFC 9110 5.5: visible ASCII, obs-text, space and tab. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What every request says of itself, unless it was told otherwise. */
const DEFAULT_FIELDS = [
  ['user-agent', 'lvsentry'],
  ['accept', '*/*'],
] as const;
/** Fields that would change where the request ends or whom it is for. */
const FRAMING_FIELDS = new Set(['host', 'content-length', 'transfer-encoding']);

/**
 * The head of the request as text, to be sent as latin1; the body comes right behind it.
 * @throws MALFORMED for a value that would not stay in its place (CR, LF, NUL, space in a path ...).
 */
export function encodeRequest(request: HttpRequest): string {
  const { method, path, host, version, bodyLength } = request;
  must(TOKEN.test(method), 'method', method);
  must(REQUEST_TARGET.test(path), 'path', path);
  must(HOST.test(host), 'host', host);
  const lines = [`${method} ${path} HTTP/${version}`, `Host: ${host}`];
  for (const [name, value] of DEFAULT_FIELDS)
    if (!request.headers.some(([given]) => given === name)) lines.push(`${name}: ${value}`);
  if (!request.keepsConnection && !request.headers.some(([given]) => given === 'connection'))
    lines.push('connection: close');
  if (bodyLength !== undefined) lines.push(`content-length: ${bodyLength}`);
  for (const [name, value] of request.headers) {
    must(TOKEN.test(name) && !FRAMING_FIELDS.has(name), 'header name', name);
    must(FIELD_VALUE.test(value), `value of header ${name}`, value);
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function must(holds: boolean, what: string, value: string): void {
  if (!holds) throw new LvsError('MALFORMED', `not a ${what} for HTTP: ${JSON.stringify(value)}`);
}
