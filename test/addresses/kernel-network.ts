/** The network of the kernel, in a namespace of this process's own: it is changed with `ip` and read with `ip -j`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { NetlinkSocket, OpenNetlink } from '../../src/core/ports.js';
import type { NativeDescriptor } from '../../src/sys/native.js';
import { openNetlink } from '../../src/sys/netlink.js';
import { systemSysctls } from '../../src/sys/sysctl.js';
import type { LinkChange, NetworkPlace, Somebody } from '../contract/network.js';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

function run(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function set(path: string, value: number): void {
  writeFileSync(`/proc/sys/net/${path}`, String(value));
}

interface ShownAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
  readonly label?: string;
  readonly dadfailed?: boolean;
}

function shownText(device: string, { local, prefixlen, scope, label, dadfailed }: ShownAddress): string {
  const named = label === undefined || label === device ? '' : ` label ${label}`;
  const scoped = scope === 'global' ? '' : ` scope ${scope}`;
  return `${local}/${prefixlen}${named}${scoped}${dadfailed === true ? ' dadfailed' : ''}`;
}

function changeLink(name: string, { up, mtu, promote, ipv6 }: LinkChange): void {
  if (mtu !== undefined) run('link', 'set', name, 'mtu', String(mtu));
  if (up !== undefined) run('link', 'set', name, up ? 'up' : 'down');
  if (promote !== undefined) set(`ipv4/conf/${name}/promote_secondaries`, promote ? 1 : 0);
  if (ipv6 !== undefined) set(`ipv6/conf/${name}/disable_ipv6`, ipv6 ? 0 : 1);
}

const somebody: Somebody = {
  addLink(name) {
    run('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-far`);
    run('link', 'set', `${name}-far`, 'up');
    run('link', 'set', name, 'up');
  },
  deleteLink(name) {
    if (run('-br', 'link').includes(`${name}@`)) run('link', 'del', name);
  },
  changeLink,
  add: (device, ...words) => void run('address', 'add', ...words, 'dev', device),
  remove: (device, address) => void run('address', 'del', address, 'dev', device),
  flush: (device) => void run('address', 'flush', 'dev', device, 'scope', 'global'),
  route: (...words) => void run(words.join().includes(':') ? '-6' : '-4', 'route', ...words),
  removeRule: (family, priority) =>
    void run(family === 'ipv6' ? '-6' : '-4', 'rule', 'del', 'priority', String(priority)),
  flood(device, count) {
    const address = (at: number) => `10.${at >> 8}.${at & 0xff}.1/32 dev ${device}`;
    const lines = Array.from(
      { length: count },
      (_, at) => `addr add ${address(at)}\naddr del ${address(at)}\n`,
    );
    execFileSync('ip', ['-batch', '-'], { input: lines.join('') });
  },
};

const openSmall: OpenNetlink = (protocol, groups) => {
  const socket: NetlinkSocket & { readonly descriptor?: NativeDescriptor } = openNetlink(protocol, groups);
  if (groups !== undefined) socket.descriptor?.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096);
  return socket;
};

interface ShownLink {
  readonly ifname: string;
  readonly link?: string;
  readonly flags: readonly string[];
  readonly address: string;
  readonly mtu: number;
  readonly ifalias?: string;
  readonly linkinfo?: { readonly info_data?: { readonly mode?: string } };
}

interface ShownRoute {
  readonly type: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly table: string;
  readonly protocol: string;
  readonly prefsrc?: string;
  readonly metric?: number;
}

/** RTN_* of routes that lead nowhere. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['6', 'blackhole '],
  ['7', 'unreachable '],
  ['8', 'prohibit '],
]);

/** RTPROT_KERNEL, RTPROT_RA */
const KERNEL = ['2', '9'];

function prefixText(text: string, any: string, whole: number): string {
  if (text === 'default') return any;
  return text.includes('/') ? text : `${text}/${whole}`;
}

function routeText(family: '-4' | '-6', route: ShownRoute): string {
  const any = family === '-4' ? '0.0.0.0/0' : '::/0';
  const kind = KINDS.get(route.type) ?? '';
  return [
    `${kind}${prefixText(route.dst, any, family === '-4' ? 32 : 128)}`,
    ...(route.gateway === undefined ? [] : [`via ${route.gateway}`]),
    ...(route.dev === undefined ? [] : [`dev ${route.dev}`]),
    ...(route.prefsrc === undefined ? [] : [`src ${route.prefsrc}`]),
    `table ${route.table} metric ${route.metric ?? 0} proto ${route.protocol}`,
  ].join(' ');
}

interface ShownRule {
  readonly priority: number;
  readonly src: string;
  readonly srclen?: number;
  readonly dst?: string;
  readonly dstlen?: number;
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly iif?: string;
  readonly oif?: string;
  readonly table: string;
  readonly protocol: string;
}

function ruleText(whole: number, rule: ShownRule): string {
  const prefix = (address: string | undefined, length: number | undefined) =>
    address === undefined || address === 'all' ? 'all' : `${address}/${length ?? whole}`;
  const mask = Number(rule.fwmask ?? '0xffffffff');
  return [
    `${rule.priority} from ${prefix(rule.src, rule.srclen)} to ${prefix(rule.dst, rule.dstlen)}`,
    ...(rule.fwmark === undefined ? [] : [`fwmark ${Number(rule.fwmark)}/${mask}`]),
    ...(rule.iif === undefined ? [] : [`iif ${rule.iif}`]),
    ...(rule.oif === undefined ? [] : [`oif ${rule.oif}`]),
    `table ${rule.table} proto ${rule.protocol}`,
  ].join(' ');
}

function listed<Item extends { readonly protocol: string }>(...words: string[]): Item[] {
  const text = run('-j', '-d', '-N', ...words).trim();
  const found = (text === '' ? [] : JSON.parse(text)) as Item[];
  return found.filter(({ protocol }) => !KERNEL.includes(protocol));
}

const FAMILIES = [
  ['-4', 32],
  ['-6', 128],
] as const;

export const kernelPlace: NetworkPlace = {
  openNetlink,
  openSmall,
  sysctls: systemSysctls,
  somebody,
  shownLink(name) {
    const found = JSON.parse(run('-j', '-d', 'link', 'show')) as ShownLink[];
    const link = found.find(({ ifname }) => ifname === name);
    if (link === undefined) return undefined;
    const { flags, address, mtu, linkinfo, ifalias } = link;
    const mode = linkinfo?.info_data?.mode;
    return [
      `${flags.includes('UP') ? 'up' : 'down'} ${address} mtu ${mtu}`,
      ...(mode === undefined ? [] : [`${mode} on ${link.link}`]),
      ...(ifalias === undefined ? [] : [ifalias]),
    ].join(' ');
  },
  shownRoutes: () =>
    FAMILIES.flatMap(([family]) =>
      listed<ShownRoute>(family, 'route', 'show', 'table', 'all').map((each) => routeText(family, each)),
    ).sort(),
  shownRules: () =>
    FAMILIES.flatMap(([family, whole]) =>
      listed<ShownRule>(family, 'rule', 'show').map((each) => ruleText(whole, each)),
    ).sort(),
  shown(device) {
    const found = JSON.parse(run('-j', 'address', 'show')) as {
      ifname: string;
      addr_info: ShownAddress[];
    }[];
    return (found.find(({ ifname }) => ifname === device)?.addr_info ?? [])
      .filter(({ local }) => !local.startsWith('fe80:'))
      .map((address) => shownText(device, address))
      .sort();
  },
};

/** Only `lo` is in a fresh namespace, and it is down: anywhere else nothing may be touched. */
export function isFreshNamespace(): boolean {
  return run('-br', 'link').trim().split('\n').length === 1 && run('-br', 'link').includes('DOWN');
}
