/**
 * The table in the words of ipvsadm 1.31: what `ipvsadm -Sn` prints, and the command line of one operation.
 * Every rule here was read off the program itself; `test/ipvs/ipvsadm.test.ts` holds its output.
 */
import { unreachable } from '../core/assert.js';
import { type Family, type Ip, ipBytes, ipFamily } from '../core/ip.js';
import { destText, serviceFamily, serviceText } from './keys.js';
import type {
  Dest,
  DestKey,
  DestSeen,
  Forward,
  ObservedTable,
  Operation,
  Service,
  ServiceKey,
  ServiceSeen,
  ServiceSettings,
  SyncDaemon,
  Timeouts,
} from './model.js';
import type { SyncStep } from './sync.js';

const PROTOCOL_OPTIONS = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;
const CHECKSUM_OPTIONS = {
  none: '--tun-nocsum',
  checksum: '--tun-csum',
  'remote-checksum': '--tun-remcsum',
} as const;

/** Schedulers whose first two flags have names of their own (IP_VS_SVC_F_SCHED_SH_*, IP_VS_SVC_F_SCHED_MH_*). */
const NAMED_FLAGS: Readonly<Record<string, readonly [string, string]>> = {
  sh: ['sh-fallback', 'sh-port'],
  mh: ['mh-fallback', 'mh-port'],
};

/** `save` repeats what ipvsadm prints, losses included; `exact` says all there is in words that ipvsadm takes. */
type Manner = 'save' | 'exact';

/**
 * Address and port as glibc's inet_ntop has them: an IPv4 address behind `::` or `::ffff:` stands in dots, which
 * RFC 5952 leaves open and our own text does not do.
 */
function endpointWord(key: DestKey): string {
  const embedded = /^(::|::ffff:)[0-9a-f]+:[0-9a-f]+$/.exec(key.address);
  if (embedded === null) return destText(key);
  return `[${embedded[1]}${ipBytes(key.address).subarray(12).join('.')}]:${key.port}`;
}

function serviceWords(key: ServiceKey, manner: Manner): string[] {
  if (key.kind === 'address') {
    return [PROTOCOL_OPTIONS[key.protocol], endpointWord(key)];
  }
  // ipvsadm prints the mark as a signed number.
  const mark = manner === 'save' ? key.mark | 0 : key.mark;
  return ['-f', String(mark), ...(key.family === 'ipv6' ? ['-6'] : [])];
}

function netmaskWord(prefix: number, family: Family): string | undefined {
  if (family === 'ipv6') return prefix === 128 ? undefined : String(prefix);
  if (prefix === 32) return undefined;
  const mask = ~(0xffffffff >>> prefix);
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.');
}

/** Names of the scheduler flags that are set, as ipvsadm has them: `sh-fallback,sh-port`; undefined for none. */
export function schedulerFlagsText(settings: ServiceSettings): string | undefined {
  return flagsWord(settings, 'exact');
}

function flagsWord(settings: ServiceSettings, manner: Manner): string | undefined {
  const { flag1, flag2, flag3 } = settings.schedulerFlags;
  if (!(flag1 || flag2 || flag3)) return undefined;
  const named = NAMED_FLAGS[settings.scheduler];
  const [first, second] = named ?? ['flag-1', 'flag-2'];
  const names: string[] = [];
  if (flag1) names.push(first);
  if (flag2) names.push(second);
  // ipvsadm leaves the third flag of sh and mh out; neither scheduler reads it.
  if (flag3 && (named === undefined || manner === 'exact')) names.push('flag-3');
  return names.join(',');
}

function settingsWords(service: Service, manner: Manner): string[] {
  const { settings, key } = service;
  const words = ['-s', settings.scheduler];
  if (settings.persistence !== undefined) {
    words.push('-p', String(settings.persistence.timeoutSeconds));
    const netmask = netmaskWord(settings.persistence.prefix, serviceFamily(key));
    if (netmask !== undefined) words.push('-M', netmask);
  }
  if (settings.persistenceEngine !== undefined) words.push('--pe', settings.persistenceEngine);
  if (settings.onePacket) words.push('-o');
  const flags = flagsWord(settings, manner);
  if (flags !== undefined) words.push('-b', flags);
  return words;
}

function methodWord(method: Forward['method']): string {
  switch (method) {
    case 'masquerade':
      return '-m';
    case 'tunnel':
      return '-i';
    case 'direct':
    case 'local':
    case 'bypass':
      return '-g';
    default:
      return unreachable(method);
  }
}

function tunnelWords(forward: Forward): string[] {
  if (forward.method !== 'tunnel') return [];
  const words = ['--tun-type', forward.type];
  if (forward.type === 'gue') words.push('--tun-port', String(forward.port));
  if (forward.type !== 'ipip') words.push(CHECKSUM_OPTIONS[forward.checksum]);
  return words;
}

function destWords(dest: Dest, manner: Manner): string[] {
  const { forward, weight, upperThreshold, lowerThreshold } = dest.settings;
  const words = ['-r', endpointWord(dest.key), methodWord(forward.method), '-w', String(weight)];
  words.push(...tunnelWords(forward));
  if (manner === 'exact') {
    if (upperThreshold !== 0) words.push('-x', String(upperThreshold));
    if (lowerThreshold !== 0) words.push('-y', String(lowerThreshold));
  }
  return words;
}

/** The command line with which ipvsadm does the same: `-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1`. */
export function operationWords(operation: Operation): string {
  return wordsOf(operation).join(' ');
}

function wordsOf(operation: Operation): string[] {
  switch (operation.kind) {
    case 'add-service':
      return [
        '-A',
        ...serviceWords(operation.service.key, 'exact'),
        ...settingsWords(operation.service, 'exact'),
      ];
    case 'edit-service':
      return [
        '-E',
        ...serviceWords(operation.service.key, 'exact'),
        ...settingsWords(operation.service, 'exact'),
      ];
    case 'delete-service':
      return ['-D', ...serviceWords(operation.key, 'exact')];
    case 'add-dest':
      return ['-a', ...serviceWords(operation.service, 'exact'), ...destWords(operation.dest, 'exact')];
    case 'edit-dest':
      return ['-e', ...serviceWords(operation.service, 'exact'), ...destWords(operation.dest, 'exact')];
    case 'delete-dest':
      return ['-d', ...serviceWords(operation.service, 'exact'), '-r', endpointWord(operation.dest)];
    default:
      return unreachable(operation);
  }
}

/** The address as ipvsadm holds it: four 32-bit words, the first alone for IPv4. */
function addressWords(address: Ip): readonly [number, number, number, number] {
  const bytes = ipBytes(address);
  const word = (at: number): number =>
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0);
  return [word(0), word(4), word(8), word(12)];
}

/**
 * ipvsadm's order of addresses: the difference of 32-bit words kept in a signed int. It wraps, so 200.0.0.1 stands
 * before 10.0.0.1, and there are circles; the sort below gives the same answer to them.
 */
function compareAddresses(left: Ip, right: Ip): number {
  const leftWords = addressWords(left);
  const rightWords = addressWords(right);
  const count = ipFamily(left) === 'ipv6' ? 4 : 1;
  for (let index = 0; index < count; index += 1) {
    const difference = ((leftWords[index] ?? 0) - (rightWords[index] ?? 0)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

const FAMILY_ORDER = { ipv4: 2, ipv6: 10 } as const;
const PROTOCOL_ORDER = { tcp: 6, udp: 17, sctp: 132 } as const;

/** ipvsadm's order of services: mark (0 where there is none), family, protocol, address, port. */
function compareServices(left: ServiceKey, right: ServiceKey): number {
  const mark = ((left.kind === 'fwmark' ? left.mark : 0) - (right.kind === 'fwmark' ? right.mark : 0)) | 0;
  if (mark !== 0) return mark;
  const family = FAMILY_ORDER[serviceFamily(left)] - FAMILY_ORDER[serviceFamily(right)];
  if (family !== 0 || left.kind === 'fwmark' || right.kind === 'fwmark') return family;
  const protocol = PROTOCOL_ORDER[left.protocol] - PROTOCOL_ORDER[right.protocol];
  return protocol || compareAddresses(left.address, right.address) || left.port - right.port;
}

/** The merge sort that is glibc's qsort: an order with circles comes out the same only by the same comparisons. */
function mergeSort<Item>(items: readonly Item[], compare: (left: Item, right: Item) => number): Item[] {
  if (items.length <= 1) return [...items];
  const middle = items.length >> 1;
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: Item[] = [];
  let [leftAt, rightAt] = [0, 0];
  for (;;) {
    const [leftItem, rightItem] = [left[leftAt], right[rightAt]];
    if (leftItem === undefined || rightItem === undefined) break;
    if (compare(leftItem, rightItem) <= 0) {
      merged.push(leftItem);
      leftAt += 1;
    } else {
      merged.push(rightItem);
      rightAt += 1;
    }
  }
  return merged.concat(left.slice(leftAt), right.slice(rightAt));
}

/** One service of a table with its destinations in order. */
export interface SortedService {
  readonly service: ServiceSeen;
  readonly dests: readonly DestSeen[];
}

/** The services of a table in ipvsadm's order, each with its destinations in ipvsadm's order. */
export function sortedTable(table: ObservedTable): readonly SortedService[] {
  const services = mergeSort([...table.values()], (left, right) =>
    compareServices(left.service.key, right.service.key),
  );
  return services.map(({ service, dests }) => ({
    service,
    dests: mergeSort(
      [...dests.values()],
      (left, right) =>
        compareAddresses(left.key.address, right.key.address) || left.key.port - right.key.port,
    ),
  }));
}

/** The lines that `ipvsadm -Sn` prints for this table, and that `ipvsadm -R` reads. See `saveLosses`. */
export function saveLines(table: ObservedTable): string[] {
  const lines: string[] = [];
  for (const { service, dests } of sortedTable(table)) {
    const name = serviceWords(service.key, 'save').join(' ');
    lines.push(`-A ${name} ${settingsWords(service, 'save').join(' ')}`);
    for (const dest of dests) lines.push(`-a ${name} ${destWords(dest, 'save').join(' ')}`);
  }
  return lines;
}

/** What ipvsadm's format leaves out or garbles for this table, a sentence each; empty for nearly every table. */
export function saveLosses(table: ObservedTable): string[] {
  const losses: string[] = [];
  for (const { service, dests } of table.values()) {
    const name = serviceText(service.key);
    if (service.key.kind === 'fwmark' && service.key.mark > 0x7fffffff)
      losses.push(`${name}: the mark is printed as a negative number, which ipvsadm -R refuses`);
    if (flagsWord(service.settings, 'save') !== flagsWord(service.settings, 'exact'))
      losses.push(`${name}: the third flag of scheduler ${service.settings.scheduler} is left out`);
    for (const dest of dests.values()) {
      if (dest.settings.upperThreshold !== 0 || dest.settings.lowerThreshold !== 0)
        losses.push(`${name} -> ${destText(dest.key)}: the connection thresholds are left out`);
    }
  }
  return losses;
}

function startWords({ role, interface: device, syncId, maxLength, group, port, ttl }: SyncDaemon): string {
  const words = ['--start-daemon', role, '--mcast-interface', device, '--syncid', String(syncId)];
  if (maxLength !== undefined) words.push('--sync-maxlen', String(maxLength));
  if (group !== undefined) words.push('--mcast-group', group);
  if (port !== undefined) words.push('--mcast-port', String(port));
  if (ttl !== undefined) words.push('--mcast-ttl', String(ttl));
  return words.join(' ');
}

/** What stands behind `ipvsadm` to set time-outs; 0 leaves one as it is. */
export function timeoutWords({ tcp, tcpFin, udp }: Partial<Timeouts>): string {
  return `--set ${tcp ?? 0} ${tcpFin ?? 0} ${udp ?? 0}`;
}

/** What stands behind `ipvsadm` to start or stop a sync daemon. */
export function syncStepWords({ kind, daemon }: SyncStep): string {
  return kind === 'start' ? startWords(daemon) : `--stop-daemon ${daemon.role}`;
}
