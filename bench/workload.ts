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

/** A check so rare that it costs nothing while the table is measured; one that fails changes nothing yet. */
const RARE_SECONDS = 86_400;
/** From one check of a server to the next, where servers go down. */
export const CHECK_SECONDS = 2;

/** What both are told beside the services. */
export interface Wish {
  readonly size: Size;
  /** Of the first server of each of the last `changed` services; all others have 1. */
  readonly weight: number;
  readonly changed: number;
  /** Checks every `CHECK_SECONDS`. */
  readonly isChecked: boolean;
}

/** Servers that this machine itself is: whether they answer is one listener's doing. */
export function checkedEntries({ services, servers }: Size): readonly Entry[] {
  return entries({ services, servers }).map((entry) => ({
    vip: entry.vip,
    servers: entry.servers.map((server) => server.replace(/^10\./, '127.')),
  }));
}

function entriesFor({ size, isChecked }: Wish): readonly Entry[] {
  return isChecked ? checkedEntries(size) : entries(size);
}

/**
 * Without checkers where the table alone is measured: with ten thousand of them keepalived 2.2.7 is busy with its own
 * timers for half a minute after it has filled the table, and a reload waits for that.
 */
export function keepalivedConfig(wish: Wish): string {
  const all = entriesFor(wish);
  const changed = new Set(all.slice(all.length - wish.changed));
  const check = '  TCP_CHECK {\n   connect_timeout 1\n   retry 0\n  }';
  const lines = ['global_defs {', ' router_id bench', '}'];
  for (const entry of all) {
    const { vip, servers } = entry;
    lines.push(`virtual_server ${vip} 80 {`, ' lb_algo wlc', ' lb_kind DR', ' protocol TCP');
    if (wish.isChecked) lines.push(` delay_loop ${CHECK_SECONDS}`);
    for (const [index, server] of servers.entries()) {
      const its = changed.has(entry) && index === 0 ? wish.weight : 1;
      lines.push(` real_server ${server} 80 {`, `  weight ${its}`);
      if (wish.isChecked) lines.push(check);
      lines.push(' }');
    }
    lines.push('}');
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The same for lvsentry; `listen` is its API. It empties the table at its stop, as keepalived does.
 * @param table in memory it needs neither privilege nor IPVS
 */
export function lvsentryConfig(wish: Wish, listen: string, table: 'kernel' | 'memory' = 'kernel'): string {
  const all = entriesFor(wish);
  const changed = new Set(all.slice(all.length - wish.changed));
  const interval = wish.isChecked ? CHECK_SECONDS : RARE_SECONDS;
  const lines = ['name: bench', `table: ${table}`, 'on-stop: remove', `api: { listen: "${listen}" }`];
  lines.push(
    `defaults: { check: { type: tcp, interval: ${interval}s, timeout: 1s, rise: 1, fall: ${wish.isChecked ? 1 : 3} } }`,
    'services:',
  );
  for (const entry of all) {
    const { vip, servers } = entry;
    lines.push(` "${vip}":`, `  address: ${vip}:80`, '  scheduler: wlc', '  forward: direct', '  servers:');
    for (const [index, server] of servers.entries()) {
      const isFirst = changed.has(entry) && index === 0;
      lines.push(isFirst ? `  - { address: ${server}, weight: ${wish.weight} }` : `  - ${server}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The same as `ipvsadm -R` reads it. */
export function ipvsadmLines(size: Size): string {
  const lines = entries(size).flatMap(({ vip, servers }) => [
    `-A -t ${vip}:80 -s wlc`,
    ...servers.map((server) => `-a -t ${vip}:80 -r ${server}:80 -g -w 1`),
  ]);
  return `${lines.join('\n')}\n`;
}
