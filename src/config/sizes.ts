/** How large a configuration may become: what the kernel, and this program, hold for it. */
import type { ServiceConfig } from './model.js';

/** Over all files. */
export const SERVERS_MAX = 50_000;
export const ENTRIES_MAX = 65_536;
export const DESTS_MAX = 250_000;

/** Of the services so far. */
export interface Sizes {
  servers: number;
  /** In the kernel's table: one for each address of each service. */
  entries: number;
  /** In the kernel's table: each server in each entry of its service. */
  dests: number;
}

export const NO_SIZES: Readonly<Sizes> = { servers: 0, entries: 0, dests: 0 };

export function addSizes(sizes: Sizes, { entries, servers, names = [], fallback }: ServiceConfig): void {
  const named = names.reduce((sum, { most }) => sum + most, 0);
  const own = servers.length + named + fallback.reduce((sum, tier) => sum + tier.length, 0);
  sizes.servers += own;
  sizes.entries += entries.length;
  sizes.dests += own * entries.length;
}

/** What there is too much of, to complete "there are more than ..."; undefined where all is well. */
export function tooMany({ servers, entries, dests }: Sizes): string | undefined {
  if (servers > SERVERS_MAX) return `${SERVERS_MAX} servers`;
  if (entries > ENTRIES_MAX) return `${ENTRIES_MAX} addresses of services`;
  return dests > DESTS_MAX ? `${DESTS_MAX} servers in the table, each counted at each address` : undefined;
}
