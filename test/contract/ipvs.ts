/**
 * The contract of `IpvsTable`: one suite for every implementation. Its expectations are the kernel's (reference:
 * net/netfilter/ipvs/ip_vs_ctl.c), and it runs beside a real kernel as well as against the table in memory.
 */
import type { Assertions } from './assertions.js';
import { commands } from './commands.js';
import { counters } from './counters.js';
import { dests } from './dests.js';
import { operations } from './operations.js';
import type { ContractPlace } from './place.js';
import { services } from './services.js';
import { syncKeeper } from './sync-keeper.js';

export async function ipvsContract(t: Assertions, place: ContractPlace): Promise<void> {
  await services(t, place);
  await dests(t, place);
  await operations(t, place);
  await commands(t, place);
  await syncKeeper(t, place);
  await counters(t, place);
}
