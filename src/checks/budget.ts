/** How many probes checks want in a second, and by how much intervals are stretched to keep a budget of them. Pure. */
import { finish, type Steps } from '../core/steps.js';
import type { BudgetPlan, Check, CheckRule, Pace, PaceDelay, ProbeBudget } from './model.js';

export const NO_BUDGET: ProbeBudget = { total: undefined, perServer: undefined };

const MS_PER_S = 1000;
/** Checks that are counted in one step. */
const STEP = 256;

/** Probes per second, as long as results agree with the verdict up. */
export function rateOf({ interval }: CheckRule): number {
  return MS_PER_S / interval;
}

/** Probes per second where all intervals are the shortest one. */
function highestRateOf({ interval, fastInterval = interval, downInterval = interval }: CheckRule): number {
  return MS_PER_S / Math.min(interval, fastInterval, downInterval);
}

/** The server that a probe costs something. */
export function serverOf({ probe }: Check): string {
  return probe.target.address;
}

/** @param share what may be over what is wanted */
function stretchFor(share: number | undefined): number {
  return share === undefined || share >= 1 ? 1 : 1 / share;
}

/** How many times as long the intervals of a check are at this pace. */
export function stretchOf(pace: Pace | undefined, check: Check): number {
  return stretchFor(pace?.all) * stretchFor(pace?.servers.get(serverOf(check)));
}

/** How a budget delays the probes of one check. */
export function delayOf(pace: Pace | undefined, check: Check): PaceDelay {
  const isServer = pace?.servers.has(serverOf(check)) === true;
  return { stretch: stretchOf(pace, check), queues: (pace?.all === undefined ? 0 : 1) + (isServer ? 1 : 0) };
}

interface Rates {
  wanted: number;
  highest: number;
}

function* ratesByServer(checks: readonly Check[]): Steps<ReadonlyMap<string, Rates>> {
  const servers = new Map<string, Rates>();
  for (const [at, check] of checks.entries()) {
    const server = serverOf(check);
    const rates = servers.get(server) ?? { wanted: 0, highest: 0 };
    rates.wanted += rateOf(check.rule);
    rates.highest += highestRateOf(check.rule);
    servers.set(server, rates);
    if (at % STEP === 0) yield;
  }
  return servers;
}

/** Where nothing is to be kept: no server needs to be told from another. */
function* planWithoutBudget(checks: readonly Check[]): Steps<BudgetPlan> {
  let wanted = 0;
  for (const [at, { rule }] of checks.entries()) {
    wanted += rateOf(rule);
    if (at % STEP === 0) yield;
  }
  return { pace: undefined, wanted, planned: wanted, stretch: 1, stretchedMost: undefined, servers: 0 };
}

/**
 * Keeps each server's budget first, then that of all: where more is wanted than there may be, every interval concerned is
 * stretched by the same factor. Fast and slow intervals are stretched alike; what fast ones take beyond is limited by the
 * workers, by the same shares.
 * @param checks what is probed, each once
 */
export function planBudget(checks: readonly Check[], budget: ProbeBudget): BudgetPlan {
  return finish(planBudgetInSteps(checks, budget));
}

/** The same in short steps. */
export function* planBudgetInSteps(checks: readonly Check[], budget: ProbeBudget): Steps<BudgetPlan> {
  const { total, perServer = Number.POSITIVE_INFINITY } = budget;
  if (total === undefined && budget.perServer === undefined) return yield* planWithoutBudget(checks);
  const servers = new Map<string, number>();
  const sum = { wanted: 0, kept: 0, highest: 0 };
  let most = { stretch: 1, server: undefined as string | undefined };
  let count = 0;
  for (const [server, { wanted, highest }] of yield* ratesByServer(checks)) {
    sum.wanted += wanted;
    sum.kept += Math.min(wanted, perServer);
    sum.highest += Math.min(highest, perServer);
    if (highest > perServer) servers.set(server, perServer / wanted);
    if (wanted > perServer) count += 1;
    if (wanted / perServer > most.stretch) most = { stretch: wanted / perServer, server };
    yield;
  }
  const all = total !== undefined && sum.highest > total ? total / sum.kept : undefined;
  const [first] = checks;
  const general = stretchFor(all);
  return {
    pace: all === undefined && servers.size === 0 ? undefined : { all, servers },
    wanted: sum.wanted,
    planned: sum.kept / general,
    stretch: most.stretch * general,
    stretchedMost: most.server ?? (general > 1 && first !== undefined ? serverOf(first) : undefined),
    servers: count,
  };
}
