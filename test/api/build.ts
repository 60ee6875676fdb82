/** A world to look at. */
import type { ApiSource } from '../../src/api/source.js';
import type { BudgetPlan } from '../../src/checks/model.js';
import type { Config } from '../../src/config/model.js';
import { type EpochMillis, epochMillis, millis } from '../../src/core/units.js';
import { EventJournal } from '../../src/events/journal.js';
import { NOTHING_FOREIGN } from '../../src/ipvs/foreign.js';
import type { ObservedTable, Stats } from '../../src/ipvs/model.js';
import { judge, NO_MEMORY } from '../../src/policy/judge.js';
import type { AdminWord } from '../../src/policy/model.js';
import type { ProbingState, ServerHealth, World } from '../../src/world.js';
import { FakeTime } from '../fakes/time.js';
import { change, config, dest, key, service, serviceConfig, table } from '../ipvs/build.js';

/** Nothing to be done to what is kept beside the table. */
export const NOTHING_BESIDE = { sync: { steps: [], left: [] }, timeouts: { set: {}, left: [] } };

export const START = epochMillis(1_700_000_000_000);
/** Long after the cold start. */
export const NOW = epochMillis(START + 3_600_000);

export const WEB = service();
export const FTP = service(key('192.0.2.1', 21), { scheduler: 'rr' });
export const A = dest('192.0.2.11');
export const B = dest('192.0.2.12', { weight: 5 });
export const CONFIG: Config = config(
  serviceConfig('web', WEB, [A, B]),
  serviceConfig('ftp', FTP, [dest('192.0.2.13', {}, 21)]),
);

export function up(at: EpochMillis = NOW): ServerHealth {
  return { verdict: 'up', held: 'up', since: at, lastChange: change('any', 'up', 'unknown') };
}

export function down(at: EpochMillis = NOW): ServerHealth {
  return { verdict: 'down', held: 'down', since: at, lastChange: change('any', 'down', 'up') };
}

/** Counters of a service; its bytes are more than a number holds exactly. */
export const COUNTED: Stats = {
  connections: 15n,
  packetsIn: 160n,
  packetsOut: 17n,
  bytesIn: 2n ** 60n + 1n,
  bytesOut: 19n,
  connectionsPerSecond: 21n,
  packetsInPerSecond: 22n,
  packetsOutPerSecond: 23n,
  bytesInPerSecond: 24n,
  bytesOutPerSecond: 25n,
};

export const UNKNOWN: ServerHealth = {
  verdict: 'unknown',
  held: undefined,
  since: START,
  lastChange: undefined,
};

/** How the services stand by what is known of their servers. */
function standingsOf(its: Config, health?: World['health']): World['standings'] {
  const known = { health: health ?? healthy(its), admin: new Map() };
  return new Map(its.services.map((one) => [one.name, judge(one, known, NO_MEMORY, millis(0)).standing]));
}

function healthy(its: Config): World['health'] {
  return new Map(its.services.flatMap(({ servers }) => servers.map(({ checks }) => [checks[0].id, up()])));
}

/** A table whose first service, and its first server, have counted something. */
export function busy(table: ObservedTable): ObservedTable {
  const [first, ...rest] = [...table];
  if (first === undefined) return table;
  const [text, { service, dests }] = first;
  const [dest, ...others] = [...dests];
  if (dest === undefined) return table;
  const counted = { active: 7, inactive: 3, persistent: 2, stats: { ...COUNTED, connectionsPerSecond: 20n } };
  return new Map([
    [
      text,
      {
        service: { ...service, stats: COUNTED },
        dests: new Map([[dest[0], { ...dest[1], ...counted }], ...others]),
      },
    ],
    ...rest,
  ]);
}

const CALM: BudgetPlan = {
  pace: undefined,
  wanted: 20,
  planned: 20,
  stretch: 1,
  stretchedMost: undefined,
  servers: 0,
};

/** Three checks, of which two are alike. */
const PROBING: ProbingState = { checks: 3, distinct: 2, budget: undefined, plan: CALM };

/** A budget of half of what is wanted. */
export const STRETCHED: ProbingState = {
  ...PROBING,
  budget: { total: 10, perServer: 40 },
  plan: {
    ...CALM,
    pace: { all: 0.5, servers: new Map() },
    planned: 10,
    stretch: 2,
    stretchedMost: '192.0.2.11',
  },
};

/** All servers up and in the table; what `changes` says is otherwise. */
export function world(changes: Partial<World> = {}): World {
  const its = changes.config ?? CONFIG;
  return {
    version: 7,
    startedAt: START,
    config: its,
    configLoadedAt: START,
    health: healthy(its),
    admin: new Map(),
    standings: standingsOf(its, changes.health),
    mass: undefined,
    observed: table([WEB, [A, B]], [FTP, [dest('192.0.2.13', {}, 21)]]),
    table: {
      kind: 'memory',
      inSync: true,
      lastDumpAt: NOW,
      lastError: undefined,
      driftFound: 2,
      foreign: { services: [], servers: [] },
      operationsApplied: 5,
      operationsFailed: 1,
    },
    workers: [{ worker: 0, at: NOW, checks: 3, inFlight: 1, probes: 100, failures: 4, unknowns: 2 }],
    vrrp: undefined,
    maintenance: [],
    names: [],
    sync: undefined,
    timeouts: undefined,
    probing: PROBING,
    refused: { FORBIDDEN: 0, UNAUTHORIZED: 0 },
    stopping: false,
    ...changes,
  };
}

/** A source whose world and time a test can change. */
export interface FakeSource extends ApiSource {
  current: World;
  now: EpochMillis;
  readonly logged: string[];
  readonly words: AdminWord[];
  faults: readonly string[];
  readonly events: EventJournal;
  readonly timers: FakeTime;
}

export function source(current: World = world()): FakeSource {
  const its: FakeSource = {
    current,
    now: NOW,
    logged: [],
    events: new EventJournal('aj', undefined),
    timers: new FakeTime(),
    look: () => Promise.resolve(new Map()),
    preview: async () => ({ plan: [], left: [], foreign: NOTHING_FOREIGN, ...NOTHING_BESIDE }),
    world: () => its.current,
    administer: (words) => its.words.push(...words),
    refused: (code) => {
      const { refused } = its.current;
      its.current = { ...its.current, refused: { ...refused, [code]: refused[code] + 1 } };
    },
    reload: async () => ({ faults: its.faults, applied: { steps: [], done: 0, failed: 0 } }),
    words: [],
    faults: [],
    clock: { wall: () => its.now, monotonic: () => 0 as never },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_fields, message) => its.logged.push(message),
    },
  };
  return its;
}
