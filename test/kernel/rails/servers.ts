/** Six servers on two hosts, of which each alone, or the network of the probes, can be cut off. */
import { ip, ipAll } from '../guest/run-program.js';
import { CHECK_PORT, inTable } from '../scene.js';
import { ADDRESSES, VIP } from '../topology.js';

const HOSTS: readonly (readonly [host: 'rs1' | 'rs2', more: readonly string[]])[] = [
  ['rs1', ['192.168.2.21', '192.168.2.22']],
  ['rs2', ['192.168.2.31', '192.168.2.32']],
];

/** In the order of the configuration: `a` to `f`. */
export const SERVERS: readonly string[] = HOSTS.flatMap(([host, more]) => [ADDRESSES[host], ...more]);
/** One more, on the second host. */
export const FALLBACK = '192.168.2.33';
/** The service has a second address, which its servers answer as well. */
const VIP_2 = '192.168.2.253';

/** Where probes go that are cut off. */
const NOWHERE = 'nowhere';
const TABLE = 99;

/** Gives the hosts their addresses, and probes a way to nowhere. */
export function giveAddresses(): void {
  for (const [host, more] of HOSTS) {
    for (const address of more) ip(`-n ${host} addr add ${address}/24 dev eth0`);
    ip(`-n ${host} addr add ${VIP_2}/32 dev lo`);
  }
  ip(`-n rs2 addr add ${FALLBACK}/24 dev eth0`);
  ip(`-n director addr add ${VIP_2}/32 dev eth0`);
  ip(`-n director link add ${NOWHERE} type dummy`);
  ip(`-n director link set ${NOWHERE} up`);
  ip(`-n director route add default dev ${NOWHERE} table ${TABLE}`);
}

const rule = (address: string): string => `to ${address} ipproto tcp dport ${CHECK_PORT} table ${TABLE}`;

/** Probes of these are not heard any more; what clients say to them is. */
export function cutProbes(addresses: readonly string[]): void {
  ipAll(
    'director',
    addresses.map((address) => `rule add ${rule(address)}`),
  );
}

/** Undoes it. */
export function mendProbes(addresses: readonly string[]): void {
  ipAll(
    'director',
    addresses.map((address) => `rule del ${rule(address)}`),
  );
}

/** The whole cable. */
export function cable(state: 'up' | 'down'): void {
  ip(`-n director link set eth0 ${state}`);
}

const NAMES = 'abcdef';

export const nameOf = (address: string): string => NAMES[SERVERS.indexOf(address)] ?? 'sorry';

/** @param top keys of the top @param more keys of the service */
export function configuration(top: string, more = ''): string {
  const servers = SERVERS.map((address) => `      - { name: ${nameOf(address)}, address: ${address} }\n`);
  return `
${top}
services:
  web:
    addresses: ["${VIP}:80", "${VIP_2}:80"]
    scheduler: rr
${more === '' ? '' : `    ${more}\n`}    servers:
${servers.join('')}`;
}

/** Lines of ipvsadm; servers that are not named are not there. */
export function lines(weights: Readonly<Record<string, number>>): string[] {
  const all = Object.entries(weights);
  return [VIP, VIP_2].flatMap((vip) => [
    `-A -t ${vip}:80 -s rr`,
    ...all.map(([address, weight]) => `-a -t ${vip}:80 -r ${address}:80 -g -w ${weight}`),
  ]);
}

/** These with weight 1. */
export function allIn(addresses: readonly string[] = SERVERS): Record<string, number> {
  return Object.fromEntries(addresses.map((address) => [address, 1]));
}

/** All of them; those that are named with weight 0. */
export function without(...quiesced: readonly string[]): Record<string, number> {
  return { ...allIn(), ...Object.fromEntries(quiesced.map((address) => [address, 0])) };
}

/** Entries as /proc shows them. */
export function entries(addresses: readonly string[] = SERVERS): string[] {
  return [VIP, VIP_2].flatMap((vip) => addresses.map((address) => inTable(vip, address, 1)));
}
