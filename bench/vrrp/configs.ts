/** The same virtual routers twice: as lvsentry reads them and as keepalived reads them. */
import type { Millis } from '../../src/core/units.js';

/** One virtual router with one virtual IP. */
export interface Router {
  readonly id: number;
  readonly interval: Millis;
  readonly priority: number;
}

/** Real servers that are checked beside the virtual routers. */
export interface Checks {
  readonly count: number;
  readonly interval: Millis;
  readonly timeout: Millis;
}

const SERVERS_PER_SERVICE = 100;

/** The virtual IP of a virtual router. */
export function addressOf(id: number): string {
  return `10.77.1.${id}`;
}

function serviceLines(count: number): string[] {
  const lines = ['services:'];
  for (let first = 0; first < count; first += SERVERS_PER_SERVICE) {
    const service = first / SERVERS_PER_SERVICE;
    lines.push(` s${service}:`, `  address: 10.78.0.${service}:80`, '  servers:');
    for (let server = first; server < Math.min(first + SERVERS_PER_SERVICE, count); server += 1)
      lines.push(`  - 127.1.${server >> 8}.${server & 255}`);
  }
  return lines;
}

/** lvsentry's configuration; servers are addresses of 127.1.0.0/16, which every host has. */
export function lvsentryConfig(routers: readonly Router[], socket: string, checks?: Checks): string {
  const lines = ['name: bench', 'table: memory', `api: { listen: 'unix:${socket}' }`];
  if (checks === undefined) lines.push('services: {}');
  else {
    const { interval, timeout } = checks;
    lines.push(`defaults: { check: { type: tcp, interval: ${interval}ms, timeout: ${timeout}ms } }`);
    lines.push(...serviceLines(checks.count));
  }
  lines.push('vrrp:');
  for (const { id, interval, priority } of routers) {
    const rest = `interval: ${interval}ms, priority: ${priority}, addresses: [${addressOf(id)}/32]`;
    lines.push(` r${id}: { interface: eth0, id: ${id}, ${rest} }`);
  }
  return `${lines.join('\n')}\n`;
}

/** keepalived's; `globals` are lines for its `global_defs`. */
export function keepalivedConfig(routers: readonly Router[], globals: readonly string[] = []): string {
  const lines = [
    'global_defs {',
    ' router_id bench',
    ' vrrp_version 3',
    ...globals.map((line) => ` ${line}`),
    '}',
  ];
  for (const { id, interval, priority } of routers) {
    lines.push(
      `vrrp_instance r${id} {`,
      ' interface eth0',
      ` virtual_router_id ${id}`,
      ` priority ${priority}`,
    );
    lines.push(` advert_int ${interval / 1000}`, ` virtual_ipaddress {`, `  ${addressOf(id)}/32`, ' }', '}');
  }
  return `${lines.join('\n')}\n`;
}
