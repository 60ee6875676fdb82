/** What main's part asks of the kernel beside its table. */
import { join } from 'node:path';
import { LinkClient } from './addresses/links.js';
import { type Way, WayClient } from './addresses/ways.js';
import type { Config } from './config/model.js';
import type { Ip } from './core/ip.js';
import type { IpvsTable } from './ipvs/model.js';
import { FORGETFUL } from './ipvs/timeout-keeper.js';
import { TimeoutFile } from './store/timeout-file.js';
import { systemTimers, systemTurns } from './sys/clock.js';
import { openNetlink } from './sys/netlink.js';
import { TimeoutFollower, type TimeoutFollowerOptions } from './timeouts.js';

const SYSTEM = { openNetlink, timers: systemTimers, turns: systemTurns };

/** Links and routes. Most directors need no such connection: each is opened when it is first asked. */
export class KernelRoutes {
  #links: LinkClient | undefined;
  #ways: WayClient | undefined;

  async linkIndex(name: string): Promise<number | undefined> {
    this.#links ??= new LinkClient(SYSTEM);
    return this.#links.indexOf(name);
  }

  async wayTo(destination: Ip, source?: Ip): Promise<Way | undefined> {
    this.#ways ??= new WayClient(SYSTEM);
    return this.#ways.to(destination, source);
  }

  close(): void {
    this.#links?.close();
    this.#ways?.close();
  }
}

/** The table's time-outs, and where what they were before is kept. */
export function timeoutsOf(
  table: IpvsTable,
  { state }: Config,
  told: Pick<TimeoutFollowerOptions, 'onState' | 'tell'>,
): TimeoutFollower {
  const onTrouble = (message: string) => told.tell({ kind: 'state-trouble', message });
  // A table in memory has its own values again at every start.
  const keeps = state?.directory !== undefined && table.kind === 'kernel';
  const store = keeps
    ? new TimeoutFile({ path: join(state.directory, 'timeouts.jsonl'), onTrouble })
    : FORGETFUL;
  return new TimeoutFollower({ table, store, timers: systemTimers, ...told });
}
