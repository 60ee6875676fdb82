/**
 * Two directors before the real servers of the topology, with a link of their own between them, and what can be seen of
 * them from outside.
 *
 *        client .10 ---+                                   +--- rs1 .2
 *   director-a .11 ----+--- bridge 192.168.2.0/24 ---------+--- rs2 .3
 *   director-b .12 ----+        VIP .254
 */
import { ip, run } from './guest/run-program.js';
import { ADDRESSES, buildHosts, runOn, sysctl, useMethod, VIP } from './topology.js';

export type DirectorHost = 'director-a' | 'director-b';
export const DIRECTORS: readonly DirectorHost[] = ['director-a', 'director-b'];

/** What an operator sets so that connections are known as soon as they are established: docs/sync.md. */
const EARLY = ['net.ipv4.vs.sync_threshold=0 0', 'net.ipv4.vs.sync_refresh_period=2'];

function makeLink(): void {
  ip('link add sync0 netns director-a type veth peer name sync0 netns director-b');
  for (const [index, director] of DIRECTORS.entries()) {
    ip(`-n ${director} addr add 10.0.0.${index + 1}/24 dev sync0`);
    ip(`-n ${director} link set sync0 up`);
  }
}

export function buildPair(): void {
  buildHosts(DIRECTORS);
  useMethod('direct');
  makeLink();
  for (const director of DIRECTORS) sysctl(director, ...EARLY);
}

/** The link between the directors goes, and another one comes, at which no daemon of the kernel ever was. */
export function replaceLink(): void {
  ip('-n director-a link del sync0');
  makeLink();
}

/** The directors whose kernel has the VIP. */
export function holders(): DirectorHost[] {
  return DIRECTORS.filter((director) => ip(`-n ${director} -o addr show dev eth0 to ${VIP}`) !== '');
}

/** The director with this MAC address on the servers' network; the address itself where it is none's. */
export function directorOf(mac: string): string {
  const own = (director: DirectorHost): string =>
    runOn(director, 'cat', '/sys/class/net/eth0/address').trim();
  return DIRECTORS.find((director) => own(director) === mac) ?? mac;
}

/** The role of the sync daemon that a director's kernel runs, as ipvsadm tells it. */
export function daemonRole(director: DirectorHost): string {
  const lines = runOn(director, 'ipvsadm', '-L', '--daemon').trim().split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '').join(' ');
}

const HEX_CLIENT = ADDRESSES.client
  .split('.')
  .map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
  .join('');

/** The state of the client's connection from this port in a director's kernel; undefined where it is not known there. */
export function connectionState(director: DirectorHost, port: number): string | undefined {
  const start = `TCP ${HEX_CLIENT} ${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const rows = runOn(director, 'cat', '/proc/net/ip_vs_conn').split('\n');
  return rows
    .find((row) => row.startsWith(start))
    ?.trim()
    .split(/\s+/)[7];
}

/** Pulls the director's cable at the bridge: its link is down. */
export function pullCable(director: DirectorHost): void {
  ip(`link set ${director} down`);
}

export function plugCable(director: DirectorHost): void {
  ip(`link set ${director} up`);
}

/** The director's link stays up, and nothing gets through. */
export function cutOff(director: DirectorHost): void {
  run('ip', 'link', 'set', director, 'nomaster');
}

export function reconnect(director: DirectorHost): void {
  run('ip', 'link', 'set', director, 'master', 'lan');
}
