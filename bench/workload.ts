/** The same director twice: as keepalived reads it and as lvsentry reads it. */

/** How many services, and servers in each. */
export interface Size {
  readonly services: number;
  readonly servers: number;
}

export interface Entry {
  readonly vip: string;
  readonly servers: readonly string[];
}

/** Addresses of the documentation's kind of director: 10.1.0.0/16 outside, 10.2.0.0/16 inside. */
export function entries({ services, servers }: Size): readonly Entry[] {
  return Array.from({ length: services }, (_, service) => ({
    vip: `10.1.${service >> 8}.${service & 255}`,
    servers: Array.from({ length: servers }, (_, server) => {
      const number = service * servers + server + 256;
      return `10.${2 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    }),
  }));
}

/** A check of lvsentry's so rare that it costs nothing while the table is measured. */
const CHECK_SECONDS = 3600;

/**
 * `weight` is that of the first server of the last service, all others have 1. Without checkers: with ten
 * thousand of them keepalived 2.2.7 is busy with its own timers for half a minute after it has filled the table,
 * and a reload waits for that.
 */
export function keepalivedConfig(size: Size, weight: number): string {
  const all = entries(size);
  const last = all.at(-1);
  const lines = ['global_defs {', ' router_id bench', '}'];
  for (const { vip, servers } of all) {
    lines.push(`virtual_server ${vip} 80 {`, ' lb_algo wlc', ' lb_kind DR', ' protocol TCP');
    for (const [index, server] of servers.entries()) {
      const its = vip === last?.vip && index === 0 ? weight : 1;
      lines.push(` real_server ${server} 80 {`, `  weight ${its}`, ' }');
    }
    lines.push('}');
  }
  return `${lines.join('\n')}\n`;
}

/** The same for lvsentry; `listen` is its API. */
export function lvsentryConfig(size: Size, weight: number, listen: string): string {
  const all = entries(size);
  const last = all.at(-1);
  const lines = ['name: bench', `api: { listen: "${listen}" }`];
  lines.push(`defaults: { check: { type: tcp, interval: ${CHECK_SECONDS}s, timeout: 1s } }`, 'services:');
  for (const { vip, servers } of all) {
    lines.push(` "${vip}":`, `  address: ${vip}:80`, '  scheduler: wlc', '  forward: direct', '  servers:');
    for (const [index, server] of servers.entries()) {
      lines.push(
        vip === last?.vip && index === 0 ? `  - { address: ${server}, weight: ${weight} }` : `  - ${server}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
