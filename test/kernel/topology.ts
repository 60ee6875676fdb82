/**
 * A whole LVS in one guest: client, director and two real servers, each a network namespace, on one bridge. Runs
 * inside a suite's namespaces, which end with the suite, and so does everything here.
 *
 *     client .10 ---+--- bridge 192.168.2.0/24 ---+--- rs1 .2
 *   director .1 ----+        VIP .254             +--- rs2 .3
 */
import { ip, run } from './guest/run-program.js';
import { GuestProcess } from './process.js';

export type Host = 'client' | 'director' | 'director-a' | 'director-b' | 'rs1' | 'rs2';
export type RealServer = 'rs1' | 'rs2';
export type Method = 'direct' | 'masquerade' | 'tunnel';

export const ADDRESSES: Readonly<Record<Host, string>> = {
  client: '192.168.2.10',
  director: '192.168.2.1',
  'director-a': '192.168.2.11',
  'director-b': '192.168.2.12',
  rs1: '192.168.2.2',
  rs2: '192.168.2.3',
};

export const VIP = '192.168.2.254';

const REAL_SERVERS: readonly RealServer[] = ['rs1', 'rs2'];

/** Runs a program in a host's namespace to its end. @throws with its stderr where it fails */
export function runOn(host: Host, program: string, ...args: readonly string[]): string {
  return run('ip', 'netns', 'exec', host, program, ...args);
}

/** Starts a program in a host's namespace. */
export function startOn(host: Host, program: string, ...args: readonly string[]): GuestProcess {
  // `ip netns exec` becomes the program: signals reach it, and its pid is the process's.
  return new GuestProcess('ip', ['netns', 'exec', host, program, ...args]);
}

export function sysctl(host: Host, ...settings: readonly string[]): void {
  runOn(host, 'sysctl', '-q', '-w', ...settings);
}

function onServers(line: string): void {
  for (const server of REAL_SERVERS) ip(`-n ${server} ${line}`);
}

function connectToBridge(host: Host): void {
  ip(`netns add ${host}`);
  ip(`link add ${host} type veth peer name eth0 netns ${host}`);
  ip(`link set ${host} master lan up`);
  ip(`-n ${host} addr add ${ADDRESSES[host]}/24 dev eth0`);
  ip(`-n ${host} link set lo up`);
  ip(`-n ${host} link set eth0 up`);
}

/**
 * What each server needs for direct routing and tunnels: the VIP, unannounced, and the tunnel's end. It is in nobody's
 * way with masquerading, whose packets come to the servers' own addresses.
 */
function giveServersTheVip(): void {
  run('modprobe', 'ipip');
  onServers(`addr add ${VIP}/32 dev lo`);
  onServers('link set tunl0 up');
  for (const server of REAL_SERVERS) {
    const unannounced = ['net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2'];
    // What comes out of the tunnel has a source that is routed elsewhere.
    const unfiltered = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.tunl0.rp_filter=0'];
    sysctl(server, ...unannounced, ...unfiltered);
  }
}

/**
 * Makes client, servers and these directors. The servers are ready for direct routing and tunnels; see `useMethod`.
 * @param prepare makes them so
 */
export function buildHosts(directors: readonly Host[], prepare: () => void = giveServersTheVip): void {
  ip('link add lan type bridge forward_delay 0 mcast_snooping 0');
  ip('link set lan up');
  for (const host of ['client', ...directors, ...REAL_SERVERS] as const) connectToBridge(host);
  for (const director of directors) {
    // All are neighbours: a director that forwards would tell them so.
    sysctl(director, 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0');
    sysctl(director, 'net.ipv4.conf.eth0.send_redirects=0');
  }
  prepare();
}

/** Makes the four hosts with one director, which has the VIP. @param prepare makes the servers ready for it */
export function buildTopology(prepare?: () => void): void {
  buildHosts(['director'], prepare);
  ip(`-n director addr add ${VIP}/32 dev eth0`);
}

/** Routes the servers' answers as the method wants it: masqueraded ones must come back through the director. */
export function useMethod(method: Method): void {
  const route = `${ADDRESSES.client}/32`;
  if (method === 'masquerade') onServers(`route replace ${route} via ${ADDRESSES.director}`);
  else onServers(`route replace ${route} dev eth0`);
}

/** What `ipvsadm -Sn` prints on the director, line by line. */
export function directorTable(): string[] {
  return runOn('director', 'ipvsadm', '-Sn')
    .split('\n')
    .filter((line) => line !== '');
}
