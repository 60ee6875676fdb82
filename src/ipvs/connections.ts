/** The kernel's connections as /proc/net/ip_vs_conn lists them (ip_vs_conn_seq_show of net/netfilter/ipvs/ip_vs_conn.c). Pure. */
import { endpointText, type Ip, ipFromBytes, parseIp } from '../core/ip.js';

/** One connection, or the template that keeps a client with its server. */
export interface Connection {
  /** `TCP`, `UDP`, `SCTP`; `IP` of a template that holds for all ports. */
  readonly protocol: string;
  /** The kernel's word, such as `ESTABLISHED`; `NONE` of a template. */
  readonly state: string;
  readonly expiresSeconds: number;
  /** Addresses with their ports; port 0 of a template's client. */
  readonly client: string;
  readonly virtual: string;
  readonly server: string;
  /** The persistence engine and what it goes by, such as a SIP call. */
  readonly engine: string | undefined;
}

const IPV4_HEX = /^[0-9A-F]{8}$/;
const PORT_HEX = /^[0-9A-F]{4}$/;
const SECONDS = /^\d{1,10}$/;
const ENGINE_WORDS_MAX = 8;

/** IPv4 as one number in hexadecimal, IPv6 in all its groups. */
function readAddress(word: string): Ip | undefined {
  if (!IPV4_HEX.test(word)) return word.includes(':') ? parseIp(word) : undefined;
  return ipFromBytes(
    Uint8Array.from({ length: 4 }, (_, byte) => Number.parseInt(word.slice(byte * 2, byte * 2 + 2), 16)),
  );
}

function readEndpoint(address = '', port = ''): string | undefined {
  const ip = readAddress(address);
  if (ip === undefined || !PORT_HEX.test(port)) return undefined;
  return endpointText(ip, Number.parseInt(port, 16));
}

/** One line of it; undefined for its heading and for what is none. */
export function readConnection(line: string): Connection | undefined {
  const words = line.trim().split(/\s+/, 10 + ENGINE_WORDS_MAX);
  const [protocol = '', from, fromPort, to, toPort, dest, destPort, state = '', expires = '', ...engine] =
    words;
  const client = readEndpoint(from, fromPort);
  const virtual = readEndpoint(to, toPort);
  const server = readEndpoint(dest, destPort);
  if (client === undefined || virtual === undefined || server === undefined || !SECONDS.test(expires))
    return undefined;
  const expiresSeconds = Number(expires);
  return {
    protocol,
    state,
    expiresSeconds,
    client,
    virtual,
    server,
    engine: engine.length === 0 ? undefined : engine.join(' '),
  };
}
