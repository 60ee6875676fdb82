/** Addresses and endpoints as the configuration writes them. */
import { type Ip, ipFamily, parseIp } from '../core/ip.js';
import type { Listen } from './model.js';

export interface Endpoint {
  readonly address: Ip;
  readonly port: number | undefined;
}

/** A value, or what is wrong with the text (completes "PATH: ..."). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const IN_BRACKETS = /^\[([^\]]*)\](?::(.*))?$/s;
const WITH_PORT = /^([^:]*):(.*)$/s;

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** Whether a text that is no address is a name. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(text) && /[A-Za-z]/.test(text);
}

function addressProblem(text: string, whole: string): string {
  if (isName(text)) {
    return `"${whole}" holds a name; names are not looked up, write the address`;
  }
  if (text.includes('/')) return `"${whole}" is not an address; leave the prefix length out`;
  return `"${whole}" is not an address`;
}

/** Text before and after the colon of a port. */
export interface HostPort {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: string | undefined;
}

/** Cuts `HOST:PORT` and `[HOST]:PORT`; the port may be missing. */
export function splitHostPort(text: string): HostPort {
  const match = IN_BRACKETS.exec(text) ?? WITH_PORT.exec(text);
  return { host: match?.[1] ?? text, port: match?.[2] };
}

/** A port: 0 to 65535. */
export function parsePort(text: string): Parsed<number> {
  if (/^\d{1,9}$/.test(text) && Number(text) <= 65_535) return { ok: true, value: Number(text) };
  return bad(`${/^\d{1,20}$/.test(text) ? text : JSON.stringify(text)} is not a port (0 to 65535)`);
}

/** Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`. Ports are 0 to 65535. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  const alone = parseIp(text);
  if (alone !== undefined) return { ok: true, value: { address: alone, port: undefined } };
  const { host, port } = splitHostPort(text);
  const address = parseIp(host);
  if (address === undefined) return bad(addressProblem(host, text));
  if (port === undefined) return { ok: true, value: { address, port: undefined } };
  const number = parsePort(port);
  return number.ok ? { ok: true, value: { address, port: number.value } } : number;
}

/** What keeps an address from being a VIP or a real server; the kernel answers EINVAL for most of these. */
export function unusable(address: Ip): string | undefined {
  if (ipFamily(address) === 'ipv6') {
    if (address === '::') return 'the unspecified address';
    if (address.startsWith('ff')) return 'a multicast address';
    return /^fe[89ab]/.test(address) ? 'a link-local address, which names no interface' : undefined;
  }
  const first = Number(address.slice(0, address.indexOf('.')));
  if (first === 0) return 'an unspecified address';
  if (first >= 224 && first < 240) return 'a multicast address';
  return address === '255.255.255.255' ? 'the broadcast address' : undefined;
}

/** 127.0.0.0/8 or ::1. */
export function onLoopback(address: Ip): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** The longest path that fits into sockaddr_un (linux/un.h: 108 bytes with the closing zero). */
const UNIX_PATH_MAX = 107;

/** Reads `unix:/path`, or an address and port on loopback. */
export function parseListen(text: string): Parsed<Listen> {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/'))
      return bad(`"${text}" needs an absolute path, such as unix:/run/lvsentry.sock`);
    if (path.length > UNIX_PATH_MAX) return bad(`the path is longer than ${UNIX_PATH_MAX} characters`);
    return { ok: true, value: { kind: 'unix', path } };
  }
  const endpoint = parseEndpoint(text);
  if (!endpoint.ok) return endpoint;
  const { address, port } = endpoint.value;
  if (port === undefined) return bad(`"${text}" has no port; write ${text}:8405`);
  if (port === 0) return bad('0 is not a port that clients can find; the usual one is 8405');
  if (!onLoopback(address)) {
    return bad(
      `${address} is not on loopback; the API has no authentication yet, so it listens on 127.0.0.1, ::1 or a unix socket only`,
    );
  }
  return { ok: true, value: { kind: 'tcp', host: address, port } };
}
