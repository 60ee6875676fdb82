/** Between the controller and the VRRP thread: what happened there in words, and what the thread has to know of services. */
import { unreachable } from './core/assert.js';
import type { Happening } from './describe.js';
import { serverId } from './policy/judge.js';
import type { TrackNews } from './tracks/watcher.js';
import { faultText } from './vrrp/fault.js';
import type { Observation, RoleCause, Track } from './vrrp/model.js';
import type { RoleChange, VrrpNotice } from './vrrp/protocol.js';
import type { RouterConfig } from './vrrp/status.js';
import type { World } from './world.js';

const CAUSES: Readonly<Record<RoleCause, string>> = {
  startup: 'it started',
  owner: 'it owns the addresses',
  'master-silent': 'no master was heard',
  'master-resigned': 'the master resigned',
  preempted: 'the master has a lower priority',
  resumed: 'its thread was restarted and goes on',
  'higher-priority': 'a director of higher priority is master',
  'higher-address': 'a director of equal priority and higher address is master',
  overslept: 'this machine slept, and another director took over',
  fault: 'it cannot take part',
  'fault-cleared': 'what was wrong is right again',
  group: 'its sync group moved',
  shutdown: 'lvsentry stops',
};

/** A change of role as an event; undefined for the end of an instance. */
export function roleHappening(change: RoleChange): Happening | undefined {
  const { instance, from, to, cause, priority, faults } = change;
  const facts = { instance, from, to, cause, priority, faults };
  const why = CAUSES[cause];
  switch (to) {
    case 'master':
      return {
        kind: 'became-master',
        message: `${instance} is master with priority ${priority}: ${why}`,
        facts,
      };
    case 'backup':
      return {
        kind: 'became-backup',
        message: `${instance} is backup with priority ${priority}: ${why}`,
        facts,
      };
    case 'fault': {
      const list = faults.map(faultText).join('; ');
      return {
        kind: 'fault',
        message: `${instance} cannot take part: ${list}`,
        facts,
      };
    }
    case 'initialize':
      return undefined;
    default:
      return unreachable(to);
  }
}

const NOTICE_KINDS = {
  'put-back': 'vip-restored',
  refused: 'vip-refused',
  report: 'vrrp-trouble',
  trouble: 'vrrp-trouble',
} as const;

export function noticeHappening({ instance, what, message }: VrrpNotice): Happening {
  const name = instance === undefined ? '' : `${instance}: `;
  return { kind: NOTICE_KINDS[what], message: `${name}${message}`, facts: { instance } };
}

/** What went wrong with telling a program or a FIFO. @param instance the instance or group that it was about */
export function hookHappening(problem: string, instance: string | undefined): Happening {
  return { kind: 'hook-failed', message: `a change of role was not told: ${problem}`, facts: { instance } };
}

function sightText(seen: Observation): string {
  switch (seen.kind) {
    case 'number':
      return `holds ${seen.value}`;
    case 'share':
      return `has ${seen.up} of ${seen.total} up`;
    default:
      return `is ${seen.kind}`;
  }
}

/** Something that is tracked was seen for the first time, or otherwise than before; undefined where that is no news. */
export function trackHappening({ what, seen, before, why }: TrackNews): Happening | undefined {
  const isExpected = seen.kind === 'up' || (seen.kind === 'number' && seen.value === 0);
  if (before === undefined && isExpected) return undefined;
  return {
    kind: 'track-changed',
    message: `${what} ${sightText(seen)}: ${why}`,
    facts: { what, seen, before },
  };
}

export function blindHappening(what: string, problem: string): Happening {
  return {
    kind: 'vrrp-trouble',
    message: `${what} cannot be looked at, what was seen of it last holds: ${problem}`,
    facts: { what },
  };
}

/** How many real servers of the tracked services this director reaches. A server without a verdict yet counts as up. */
function shareOf(world: World, track: Extract<Track, { kind: 'services' }>): Observation {
  const names = new Set(track.name.split(' '));
  const ids = world.config.services
    .filter(({ name }) => names.has(name))
    .flatMap((service) => service.servers.map((server) => serverId(service, server)));
  const up = ids.filter((id) => world.health.get(id)?.held !== 'down').length;
  return { kind: 'share', up, total: ids.length };
}

/**
 * This director's end of the synchronisation of connections; undefined while the daemon takes another role: what was
 * seen of it before holds until that is done or failed.
 */
function endOf({ sync }: World): Observation | undefined {
  const isLeftWrong = sync?.left.some(({ policy }) => policy === 'report') === true;
  if (sync?.lastError !== undefined || isLeftWrong) return { kind: 'down' };
  return sync?.inSync === true ? { kind: 'up' } : undefined;
}

function observationOf(world: World, track: Track): Observation | undefined {
  if (track.kind === 'services') return shareOf(world, track);
  return track.kind === 'sync-peer' ? endOf(world) : undefined;
}

/** What each instance has to know of services and of the synchronisation now, by the names it knows them by. */
function observations(world: World): ReadonlyMap<string, Observation> {
  const found = new Map<string, Observation>();
  for (const { tracks } of world.config.vrrp)
    for (const track of tracks) {
      const seen = observationOf(world, track);
      if (seen !== undefined) found.set(`${track.kind} ${track.name}`, seen);
    }
  return found;
}

/** Whether every server has its first verdict. */
function firstVerdictsAreIn(world: World): boolean {
  for (const { held } of world.health.values()) if (held === undefined) return false;
  return true;
}

/** The thread, as the controller's side sees it. No call waits. */
export interface RouterEngine {
  configure(routers: readonly RouterConfig[]): void;
  observe(what: string, seen: Observation): void;
  ready(): void;
}

/** Tells the thread what follows from the world, and only that. */
export class RoleFollower {
  readonly #engine: RouterEngine;
  readonly #hasLooked: () => boolean;
  #hasRouters = false;
  #isReady = false;

  /** @param hasLooked whether everything else that is tracked was looked at once */
  constructor(engine: RouterEngine, hasLooked: () => boolean) {
    this.#engine = engine;
    this.#hasLooked = hasLooked;
  }

  /** After a new configuration. */
  configure(world: World): void {
    this.#hasRouters = world.config.vrrp.length > 0;
    this.#observe(world);
    this.#engine.configure(world.config.vrrp);
    this.follow(() => world);
  }

  /** After new verdicts, when everything else was looked at, and when the synchronisation is otherwise. */
  follow(ask: () => World): void {
    // A world costs as much as there are servers: without virtual routers nobody asks for it.
    if (!this.#hasRouters) return;
    const world = ask();
    this.#observe(world);
    if (!this.#isReady && this.#hasLooked() && firstVerdictsAreIn(world)) this.ready();
  }

  /** The first verdicts are in, or nobody waits for the rest. */
  ready(): void {
    this.#isReady = true;
    this.#engine.ready();
  }

  #observe(world: World): void {
    for (const [what, seen] of observations(world)) this.#engine.observe(what, seen);
  }
}
