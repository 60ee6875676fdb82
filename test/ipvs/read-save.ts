/** Reads what `ipvsadm -Sn` printed: a second, independent view of the format, for tests that compare tables. */
import { ip } from '../../src/core/ip.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import type {
  DestSeen,
  Forward,
  ObservedService,
  ObservedTable,
  Service,
  ServiceKey,
} from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';

type Options = ReadonlyMap<string, string>;

/** `-A -t 1.2.3.4:80 -o` as a map from option to its value, '' where it has none. */
function readOptions(line: string): Options {
  const options = new Map<string, string>();
  const words = line.split(' ');
  for (let at = 0; at < words.length; at += 1) {
    const option = words[at] ?? '';
    const value = words[at + 1];
    // A mark can be negative: `-f -6 -6` is mark -6 of IPv6.
    const takesValue = value !== undefined && (!value.startsWith('-') || option === '-f');
    options.set(option, takesValue ? value : '');
    if (takesValue) at += 1;
  }
  return options;
}

function readEndpoint(text: string): { address: ReturnType<typeof ip>; port: number } {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text);
  return { address: ip(match?.[1] ?? ''), port: Number(match?.[2]) };
}

function readKey(options: Options): ServiceKey {
  const mark = options.get('-f');
  if (mark !== undefined)
    return { kind: 'fwmark', family: options.has('-6') ? 'ipv6' : 'ipv4', mark: Number(mark) >>> 0 };
  const protocol = options.has('-t') ? 'tcp' : options.has('-u') ? 'udp' : 'sctp';
  const text = options.get('-t') ?? options.get('-u') ?? options.get('--sctp-service') ?? '';
  return { kind: 'address', protocol, ...readEndpoint(text) };
}

function prefixOf(mask: string | undefined, isIpv6: boolean): number {
  if (mask === undefined) return isIpv6 ? 128 : 32;
  if (isIpv6) return Number(mask);
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  return bits.join('').replace(/0+$/, '').length;
}

function readService(options: Options): Service {
  const key = readKey(options);
  const isIpv6 = key.kind === 'fwmark' ? key.family === 'ipv6' : key.address.includes(':');
  const flags = (options.get('-b') ?? '').split(',');
  const timeout = options.get('-p');
  return {
    key,
    settings: {
      scheduler: options.get('-s') ?? '',
      schedulerFlags: {
        flag1: flags.some((flag) => flag === 'flag-1' || flag.endsWith('-fallback')),
        flag2: flags.some((flag) => flag === 'flag-2' || flag.endsWith('-port')),
        // ipvsadm prints an empty list where the third flag is the only one and has no name.
        flag3: flags.includes('flag-3') || options.get('-b') === '',
      },
      onePacket: options.has('-o'),
      persistence:
        timeout === undefined
          ? undefined
          : { timeoutSeconds: Number(timeout), prefix: prefixOf(options.get('-M'), isIpv6) },
      persistenceEngine: options.get('--pe'),
    },
  };
}

function readForward(options: Options): Forward {
  if (options.has('-m')) return { method: 'masquerade' };
  if (options.has('-g')) return { method: 'direct' };
  const checksum = options.has('--tun-csum')
    ? 'checksum'
    : options.has('--tun-remcsum')
      ? 'remote-checksum'
      : 'none';
  const type = options.get('--tun-type') as 'ipip' | 'gue' | 'gre';
  return { method: 'tunnel', type, port: Number(options.get('--tun-port') ?? 0), checksum };
}

function readDest(options: Options): DestSeen {
  return {
    key: readEndpoint(options.get('-r') ?? ''),
    settings: {
      forward: readForward(options),
      weight: Number(options.get('-w')),
      upperThreshold: Number(options.get('-x') ?? 0),
      lowerThreshold: Number(options.get('-y') ?? 0),
    },
    active: 0,
    inactive: 0,
    persistent: 0,
    stats: ZERO_STATS,
  };
}

/** The table that printed these lines; counters are zero. Thresholds are read where a line has them. */
export function readSave(text: string): ObservedTable {
  const table = new Map<string, ObservedService>();
  const dests = new Map<string, Map<string, DestSeen>>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const options = readOptions(line);
    const name = serviceText(readKey(options));
    if (options.has('-A')) {
      const own = new Map<string, DestSeen>();
      dests.set(name, own);
      table.set(name, { service: { ...readService(options), stats: ZERO_STATS }, dests: own });
    } else {
      const dest = readDest(options);
      dests.get(name)?.set(destText(dest.key), dest);
    }
  }
  return table;
}
