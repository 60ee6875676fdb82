/** The network of the kernel, in a namespace of this process's own: it is changed with `ip` and read with `ip -j`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { NetlinkSocket, OpenNetlink } from '../../src/core/ports.js';
import type { NativeDescriptor } from '../../src/sys/native.js';
import { openNetlink } from '../../src/sys/netlink.js';
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

export const kernelPlace: NetworkPlace = {
  openNetlink,
  openSmall,
  somebody,
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
