/**
 * Checks that go through their service, on their way to the probe workers: each gets the mark of the private service that
 * leads to its server, and an address of this machine that the answers come back to. A check whose way is not there is
 * blocked: its outcome is unknown, for it would reach another server, or none.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Way } from './addresses/ways.js';
import type { Check, CheckId, ProbeSpec } from './checks/model.js';
import type { Origin } from './checks/spec-target.js';
import type { Through } from './checks/spec-through.js';
import type { ProbeEngine } from './controller.js';
import { errorText } from './core/errors.js';
import type { Ip } from './core/ip.js';
import type { Sysctls, Timer, Timers } from './core/ports.js';
import { seconds } from './core/units.js';
import type { PathTable, Placed } from './ipvs/path-table.js';

/** From one look at routes and settings to the next. */
const LOOK_INTERVAL = seconds(10);

export interface PathFollowerOptions {
  readonly probes: ProbeEngine;
  readonly table: Pick<PathTable, 'want' | 'leave'>;
  /** The way to an address; undefined where there is none. May reject. */
  readonly wayTo: (destination: Ip, source: Ip | undefined) => Promise<Way | undefined>;
  readonly sysctls: Sysctls;
  readonly timers: Timers;
  /** The marks that may be used, as the configuration has them now. */
  readonly marks: () => { readonly first: number; readonly count: number };
}

type PathCheck = Check & { readonly through: Through };
type Verdicts = Parameters<ProbeEngine['update']>[1];
type Budget = Parameters<ProbeEngine['update']>[2];

function goesThrough(check: Check): check is PathCheck {
  return check.through !== undefined;
}

function withOrigin(check: Check, origin: Origin): Check {
  const probe: ProbeSpec = { ...check.probe, target: { ...check.probe.target, origin } };
  return { ...check, probe };
}

/** From nowhere, until somebody makes it possible. */
function blocked(why: string): Origin {
  return { source: undefined, device: undefined, mark: undefined, namespace: undefined, blocked: why };
}

/**
 * What of this machine's settings keeps the answers out. With direct routing and tunnels they come from the virtual IP,
 * which may be an address of this machine too, now or after the next change of roles.
 * Source: fib_validate_source() of Linux, Documentation/networking/ip-sysctl.rst
 */
function settingAgainst({ family, dest }: Through, { device }: Way, sysctls: Sysctls): string | undefined {
  if (family === 'ipv6' || dest.settings.forward.method === 'masquerade') return undefined;
  const highest = (name: string): number =>
    Math.max(...['all', device].map((each) => Number(sysctls.read(`ipv4/conf/${each}/${name}`) ?? 0)));
  if (highest('rp_filter') === 1)
    return `answers from a virtual IP may be dropped on ${device}: sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.${device}.rp_filter=2`;
  if (highest('accept_local') > 0) return undefined;
  const error = sysctls.write(`ipv4/conf/${device}/accept_local`, '1');
  if (error === undefined) return undefined;
  return `answers from a virtual IP of this machine are dropped, and that cannot be changed (${error}): sysctl -w net.ipv4.conf.${device}.accept_local=1`;
}

export class PathFollower implements ProbeEngine {
  readonly #options: PathFollowerOptions;
  #checks: readonly Check[] = [];
  #verdicts: Verdicts = new Map();
  #budget: Budget;
  /** Where the probes of each check that goes through its service come from. */
  #origins: ReadonlyMap<CheckId, Origin> = new Map();
  #looking: Promise<void> | undefined;
  #lookDue = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: PathFollowerOptions) {
    this.#options = options;
  }

  /** Others go on at once; those that go through their service when the way is there. */
  update(checks: readonly Check[], verdicts: Verdicts, budget: Budget): void {
    this.#checks = checks;
    this.#budget = budget;
    this.#verdicts = verdicts;
    this.#pass();
    this.look();
  }

  /** Something changed that ways depend on. */
  look(): void {
    this.#lookDue = true;
    if (this.#looking !== undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#looking = this.#lookUntilDone().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Takes the private services out of the table; no probe that goes by them may run any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#looking;
    await this.#options.table.leave();
  }

  #pass(): void {
    const { probes } = this.#options;
    if (!this.#checks.some(goesThrough)) {
      probes.update(this.#checks, this.#verdicts, this.#budget);
      return;
    }
    const aimed = this.#checks.map((check) => {
      const origin = goesThrough(check) ? this.#origins.get(check.id) : undefined;
      return origin === undefined ? check : withOrigin(check, origin);
    });
    probes.update(aimed, this.#verdicts, this.#budget);
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#lookDue && !this.#closed) {
      this.#lookDue = false;
      const checks = this.#checks.filter(goesThrough);
      const origins = await this.#originsOf(checks);
      const isNews = !isDeepStrictEqual(origins, this.#origins);
      this.#origins = origins;
      if (isNews && !this.#closed) this.#pass();
      this.#timer?.cancel();
      if (checks.length > 0 && !this.#closed)
        this.#timer = this.#options.timers.after(LOOK_INTERVAL, () => this.look());
    }
  }

  async #originsOf(checks: readonly PathCheck[]): Promise<ReadonlyMap<CheckId, Origin>> {
    const placed = await this.#options.table.want(
      checks.map(({ through }) => through),
      this.#options.marks(),
    );
    const vips = new Set(checks.map(({ probe }) => probe.target.address));
    const origins = new Map<CheckId, Origin>();
    for (const [index, check] of checks.entries()) {
      const place = placed[index];
      if (place !== undefined) origins.set(check.id, await this.#originOf(check, place, vips));
    }
    return origins;
  }

  async #originOf(check: PathCheck, placed: Placed, vips: ReadonlySet<Ip>): Promise<Origin> {
    if (placed.kind === 'blocked') return blocked(placed.why);
    const { through, probe } = check;
    const { address } = through.dest.key;
    try {
      const way = await this.#options.wayTo(address, probe.target.origin?.source);
      if (way === undefined) return blocked(`there is no route to ${address}`);
      if (vips.has(way.source))
        return blocked(`packets to ${address} would come from the virtual IP ${way.source}; say \`source\``);
      const problem = settingAgainst(through, way, this.#options.sysctls);
      if (problem !== undefined) return blocked(problem);
      return { source: way.source, device: undefined, mark: placed.mark, namespace: undefined };
    } catch (thrown) {
      return (
        this.#origins.get(check.id) ?? blocked(`the way to ${address} is not known: ${errorText(thrown)}`)
      );
    }
  }
}
