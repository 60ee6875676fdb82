/** Reads an ipvsadm command line into our words: what a captured request was meant to say. */
import { type Ip, ip, ipBytes } from '../../src/core/ip.js';
import type {
  Dest,
  Forward,
  Operation,
  Protocol,
  Service,
  ServiceKey,
  TunnelType,
} from '../../src/ipvs/model.js';

export type Command =
  | Operation
  | { readonly kind: 'zero'; readonly key: ServiceKey | undefined }
  | { readonly kind: 'flush' }
  | { readonly kind: 'read'; readonly key: ServiceKey };

const KINDS: Readonly<Record<string, Command['kind']>> = {
  '-A': 'add-service',
  '-E': 'edit-service',
  '-D': 'delete-service',
  '-a': 'add-dest',
  '-e': 'edit-dest',
  '-d': 'delete-dest',
  '-Z': 'zero',
  '-C': 'flush',
  '-L': 'read',
};

const PROTOCOLS: Readonly<Record<string, Protocol>> = { '-t': 'tcp', '-u': 'udp', '--sctp-service': 'sctp' };

const SWITCHES = new Set([
  '-n',
  '-m',
  '-g',
  '-i',
  '-o',
  '-6',
  '--tun-csum',
  '--tun-remcsum',
  ...Object.keys(KINDS),
]);

/** Options with their values; a switch has the value "". */
function options(line: string): Map<string, string> {
  const words = line.split(' ').slice(1);
  const found = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const value = SWITCHES.has(word) ? '' : (words[index + 1] ?? '');
    if (!SWITCHES.has(word)) index += 1;
    found.set(word, value);
  }
  return found;
}

function endpoint(text: string, port: number): { address: Ip; port: number } {
  const match = /^\[(.+)\](?::(\d+))?$/.exec(text) ?? /^([\d.]+)(?::(\d+))?$/.exec(text);
  if (match?.[1] === undefined) throw new Error(`no endpoint: ${text}`);
  return { address: ip(match[1]), port: match[2] === undefined ? port : Number(match[2]) };
}

function serviceKey(found: ReadonlyMap<string, string>): ServiceKey | undefined {
  const mark = found.get('-f');
  if (mark !== undefined)
    return { kind: 'fwmark', mark: Number(mark), family: found.has('-6') ? 'ipv6' : 'ipv4' };
  for (const [option, protocol] of Object.entries(PROTOCOLS)) {
    const text = found.get(option);
    if (text !== undefined) return { kind: 'address', protocol, ...endpoint(text, 0) };
  }
  return undefined;
}

function prefix(mask: string): number {
  if (!mask.includes('.')) return Number(mask);
  return [...ipBytes(ip(mask))]
    .map((byte) => byte.toString(2))
    .join('')
    .replaceAll('0', '').length;
}

function service(found: ReadonlyMap<string, string>, key: ServiceKey): Service {
  const flags = (found.get('-b') ?? '').split(',');
  const bits = key.kind === 'fwmark' ? (key.family === 'ipv4' ? 32 : 128) : ipBytes(key.address).length * 8;
  const mask = found.get('-M');
  const timeout = found.get('-p');
  return {
    key,
    settings: {
      scheduler: found.get('-s') ?? 'wlc',
      schedulerFlags: {
        flag1: flags.some((flag) => flag.endsWith('-fallback')),
        flag2: flags.some((flag) => flag.endsWith('-port')),
        flag3: false,
      },
      onePacket: found.has('-o'),
      persistence:
        timeout === undefined
          ? undefined
          : { timeoutSeconds: Number(timeout), prefix: mask === undefined ? bits : prefix(mask) },
      persistenceEngine: found.get('--pe'),
    },
  };
}

function forward(found: ReadonlyMap<string, string>): Forward {
  if (found.has('-m')) return { method: 'masquerade' };
  if (!found.has('-i')) return { method: 'direct' };
  return {
    method: 'tunnel',
    type: (found.get('--tun-type') ?? 'ipip') as TunnelType,
    port: Number(found.get('--tun-port') ?? 0),
    checksum: found.has('--tun-csum') ? 'checksum' : found.has('--tun-remcsum') ? 'remote-checksum' : 'none',
  };
}

function dest(found: ReadonlyMap<string, string>, key: ServiceKey): Dest {
  return {
    key: endpoint(found.get('-r') ?? '', key.kind === 'fwmark' ? 0 : key.port),
    settings: {
      forward: forward(found),
      weight: Number(found.get('-w') ?? 1),
      upperThreshold: Number(found.get('-x') ?? 0),
      lowerThreshold: Number(found.get('-y') ?? 0),
    },
  };
}

/** What `ipvsadm ...` asks for; undefined for what is no change, zero, flush or read of services. */
export function parseIpvsadm(line: string): Command | undefined {
  if (!line.startsWith('ipvsadm ')) return undefined;
  const found = options(line);
  const kind = [...found.keys()].map((option) => KINDS[option]).find((kind) => kind !== undefined);
  const key = serviceKey(found);
  if (kind === 'flush') return { kind };
  if (kind === 'zero') return { kind, key };
  if (kind === undefined || key === undefined) return undefined;
  if (kind === 'read' || kind === 'delete-service') return { kind, key };
  if (kind === 'add-service' || kind === 'edit-service') return { kind, service: service(found, key) };
  const target = dest(found, key);
  if (kind === 'delete-dest') return { kind, service: key, dest: target.key };
  return { kind, service: key, dest: target };
}
