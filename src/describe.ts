/** Events in words and as data: what happened, why, and what follows. */
import type { EventKind } from './alerts/model.js';
import type { Reason, VerdictChange } from './checks/model.js';
import { reasonText } from './checks/reason.js';
import type { Config, FallbackServer, ServiceConfig } from './config/model.js';
import { unreachable } from './core/assert.js';
import type { Drift } from './ipvs/drift.js';
import { operationWords } from './ipvs/ipvsadm.js';
import { entriesText } from './ipvs/keys.js';
import type { DriftPolicy } from './ipvs/ownership.js';
import type { Cause, PlanStep } from './ipvs/plan.js';
import { adminFacts, adminText, placeText } from './policy/admin-words.js';
import { assumedSide, checkName } from './policy/combine.js';
import type { MassEnd } from './policy/mass-failure.js';
import type { MassNews } from './policy/mass-watch.js';
import type { ServiceStanding } from './policy/model.js';
import type { Place, PolicyNews, RailNews } from './policy/news.js';
import { standingText } from './policy/words.js';

/** An event before it has a number and a time. */
export interface Happening {
  readonly kind: EventKind;
  readonly service?: string;
  readonly server?: string;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

const LISTED_MAX = 20;

/** The same text of many entries, as of a service of many addresses, stands once. */
function listText(texts: readonly string[]): string {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  const listed = [...times].map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`));
  const more = listed.length > LISTED_MAX ? `; and ${listed.length - LISTED_MAX} more` : '';
  return `${listed.slice(0, LISTED_MAX).join('; ')}${more}`;
}

/** Why a step is in a plan, in one clause. */
export function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'configured':
      return 'the configuration says so';
    case 'unconfigured':
      return 'no longer in the configuration';
    case 'stopping':
      return 'lvsentry stops, and `on-stop` says so';
    case 'exclusive':
      return 'not in the configuration, and the table is `exclusive`';
    case 'verdict':
      return `${cause.server} is ${cause.verdict}${because(cause.reason)}`;
    case 'policy':
      return `${cause.server} ${standingText(cause.standing)}`;
    case 'drift':
      return `changed by somebody else: ${cause.difference}`;
    default:
      return unreachable(cause);
  }
}

function because(reason: Reason | undefined): string {
  return reason === undefined || reason.kind === 'ok' ? '' : `: ${reasonText(reason)}`;
}

/** `-d -t 192.0.2.1:80 -r 192.0.2.2:80 (web1 is down: refused in connect)` */
export function stepText(step: PlanStep): string {
  return `${operationWords(step.operation)} (${causeText(step.cause)})`;
}

function resultFacts(change: VerdictChange): Readonly<Record<string, unknown>> {
  return {
    reason: change.result.reason,
    phases: Object.fromEntries(change.result.phases),
    elapsedMicros: change.result.elapsed,
    previous: change.previous,
  };
}

/** How many equal results made the verdict: one where it was assumed before (`CheckRule.assume`). */
function timesInARow(server: FallbackServer, change: VerdictChange): number {
  const rule = server.checks.find(({ id }) => id === change.id)?.rule;
  if (rule === undefined) return 1;
  const { rise, fall, assume } = rule;
  if (change.previous === 'unknown' && assume === change.verdict) return 1;
  return change.verdict === 'down' ? fall : rise;
}

/** A server's verdict changed. */
function verdictHappening(service: ServiceConfig, server: FallbackServer, change: VerdictChange): Happening {
  const where = placeText({ service, server });
  const check = checkName(change.id);
  const down = change.verdict === 'down';
  const times = timesInARow(server, change);
  const count = times === 1 ? '' : `, ${times} times in a row`;
  const by = check === undefined ? '' : ` by its check ${check}`;
  const why = down ? because(change.result.reason) : '';
  return {
    kind: down ? 'server-down' : 'server-up',
    service: service.name,
    server: server.name,
    message: `${where} is ${change.verdict}${by}${why}${count}`,
    facts: {
      ...resultFacts(change),
      ...(check === undefined ? {} : { check }),
      address: server.dest.key.address,
      port: server.dest.key.port,
    },
  };
}

/** A server that is up is degraded, or no longer. */
function degradedHappening(place: Place, warning: string | undefined): Happening {
  const { service, server } = place;
  const where = placeText(place);
  const isOver = warning === undefined;
  return {
    kind: isOver ? 'server-recovered' : 'server-degraded',
    service: service.name,
    server: server.name,
    message: isOver
      ? `${where} is no longer degraded`
      : `${where} is degraded, and keeps its weight: ${warning}`,
    ...(isOver ? {} : { facts: { warning } }),
  };
}

/** A service lost its quorum, or has it again. */
function quorumHappening(service: ServiceConfig, standing: ServiceStanding): Happening {
  const key = entriesText(service.entries);
  const { weight, needed, quorum } = standing;
  const of = `${weight} of at least ${needed}`;
  const facts = { virtualService: key, servers: service.servers.length, weight, needed };
  if (quorum === 'met') {
    const message = `${service.name} (${key}) has servers enough again: weight ${of}`;
    return { kind: 'service-recovered', service: service.name, message, facts };
  }
  const what = weight === 0 ? 'no server left that serves' : `too few servers left: weight ${of}`;
  return {
    kind: 'service-lost',
    service: service.name,
    message: `${service.name} (${key}) has ${what}`,
    facts,
  };
}

/** A fallback serves, another one, or none any more. */
function fallbackHappening(service: ServiceConfig, { tier }: ServiceStanding): Happening {
  if (tier === undefined) {
    const message = `${service.name} is served by its own servers again`;
    return { kind: 'fallback-left', service: service.name, message };
  }
  const servers = service.fallback[tier]?.map(({ name }) => name) ?? [];
  const message = `${service.name} is served by its fallback ${servers.join(', ')}`;
  return { kind: 'fallback-used', service: service.name, message, facts: { tier, servers } };
}

/** Servers were without a verdict for too long. */
function coldStartHappening({ name }: ServiceConfig, servers: readonly FallbackServer[]): Happening {
  const texts = servers.map((server) => {
    const side = assumedSide(server);
    return side === undefined
      ? `${server.name} stays as the table has it`
      : `${server.name} is taken to be ${side}`;
  });
  return {
    kind: 'cold-start-over',
    service: name,
    message: `no verdict yet, and \`cold-start\` is over; in ${name}, ${listText(texts)}`,
    facts: { servers: servers.slice(0, LISTED_MAX).map((server) => server.name), count: servers.length },
  };
}

/** A rail holds servers, or holds them no longer. */
function railHappening({ kind, service, rail, servers }: RailNews): Happening {
  const texts = servers.map(({ name, standing }) => `${name} ${standingText(standing)}`);
  const what = kind === 'rail-held' ? `${rail} holds` : `${rail} no longer holds`;
  return {
    kind,
    service: service.name,
    message: `${what} ${countText(servers.length)} of ${service.name}: ${listText(texts)}`,
    facts: { rail, servers: servers.slice(0, LISTED_MAX).map(({ name }) => name), count: servers.length },
  };
}

/** Fewer servers serve than must, or enough again. */
function minimumHappening(service: ServiceConfig, { serving, minimum = 0 }: ServiceStanding): Happening {
  const isMet = serving >= minimum;
  const has = `${service.name} has ${countText(serving)} in service`;
  return {
    kind: isMet ? 'minimum-met' : 'below-minimum',
    service: service.name,
    message: `${has}; minimum-healthy asks for ${minimum}`,
    facts: { serving, minimum },
  };
}

const MASS_DONE = {
  hold: 'the table is kept as it was',
  open: 'all servers are kept in, and put in once most of them are down',
  closed: 'the verdicts are believed',
  fallback: 'the fallback of every service serves',
} as const;

const MASS_OVER: Readonly<Record<MassEnd, string>> = {
  recovered: 'all of them are well again',
  calm: 'it is calm again, and whoever is down still had time to come back',
  canaries: 'a canary answered all the time, so it is the servers: the verdicts are believed',
  limit: 'it took too long: the verdicts are believed',
};

/** Most servers failed at once, or what was done about it is over. */
function massHappening(news: MassNews): Happening {
  const { rule, failing, of, canaries } = news.state;
  const voices = canaries.map(({ name, voice }) => `${name} ${voice}`);
  const heard = voices.length === 0 ? '' : `; canaries: ${listText(voices)}`;
  const facts = { failing, of, action: rule.action, canaries };
  if (news.kind === 'mass-failure') {
    const message = `${failing} of ${of} servers fail at once, this director may be the sick one: ${MASS_DONE[rule.action]}${heard}`;
    return { kind: news.kind, message, facts };
  }
  const message = `the mass failure is over after ${Math.round(news.after / 100) / 10}s: ${MASS_OVER[news.end]}; ${failing} of ${of} servers fail${heard}`;
  return { kind: news.kind, message, facts: { ...facts, end: news.end, afterMillis: news.after } };
}

const countText = (servers: number): string => (servers === 1 ? '1 server' : `${servers} servers`);

/** What was judged of services. */
export function newsHappening(news: PolicyNews): Happening {
  switch (news.kind) {
    case 'verdict':
      return verdictHappening(news.service, news.server, news.change);
    case 'degraded':
      return degradedHappening(news, news.warning);
    case 'quorum':
      return quorumHappening(news.service, news.standing);
    case 'fallback':
      return fallbackHappening(news.service, news.standing);
    case 'cold-start':
      return coldStartHappening(news.service, news.servers);
    case 'rail-held':
    case 'rail-released':
      return railHappening(news);
    case 'mass-failure':
    case 'mass-failure-over':
      return massHappening(news);
    case 'minimum':
      return minimumHappening(news.service, news.standing);
    case 'admin':
      return {
        kind: news.what,
        service: news.service.name,
        server: news.server.name,
        message: adminText(news),
        facts: adminFacts(news),
      };
    default:
      return unreachable(news);
  }
}

/** `12 servers of 3 services` */
export function serversText({ services }: Config): string {
  const servers = services.reduce((sum, service) => sum + service.servers.length, 0);
  return `${servers} servers of ${services.length} services`;
}

/** What is done about a change by somebody else. */
export const DRIFT_DONE: Readonly<Record<DriftPolicy, string>> = {
  repair: 'it is repaired',
  report: 'it is left as it is',
  accept: 'it is accepted',
};

/** Somebody else changed what is ours: an event for each thing that is done about it. */
export function driftHappenings(drift: readonly Drift[]): readonly Happening[] {
  const policies: readonly DriftPolicy[] = ['repair', 'report', 'accept'];
  return policies.flatMap((policy) => {
    const found = drift.filter((entry) => entry.policy === policy);
    if (found.length === 0) return [];
    const texts = found.map(({ service, server, difference }) => {
      return `${server === undefined ? service : `${server} of ${service}`}: ${difference}`;
    });
    return {
      kind: policy === 'accept' ? 'drift-accepted' : 'table-drift',
      message: `the table was changed by somebody else, ${DRIFT_DONE[policy]}: ${listText(texts)}`,
      facts: { policy, entries: found.length, drift: found.slice(0, LISTED_MAX) },
    };
  });
}

/** Entries of others that were not seen before. */
export function foreignHappening(texts: readonly string[], exclusive: boolean): Happening {
  const fate = exclusive ? 'removed, for the table is `exclusive`' : 'left alone';
  return {
    kind: 'foreign-found',
    message: `the table has entries that are not ours, ${fate}: ${listText(texts)}`,
    facts: { entries: texts.length, foreign: texts.slice(0, LISTED_MAX) },
  };
}

/** The kernel refused a step. */
export function refusedHappening(step: PlanStep, errno: string, message: string): Happening {
  return {
    kind: 'table-error',
    service: step.cause.service,
    message: `the kernel refused ${stepText(step)}: ${message}`,
    facts: { operation: step.operation.kind, errno },
  };
}

/** How loud each kind of event is in the log. */
export const LEVELS: Readonly<Record<EventKind, 'info' | 'warn' | 'error'>> = {
  'server-down': 'warn',
  'server-up': 'info',
  'server-degraded': 'warn',
  'server-recovered': 'info',
  'service-lost': 'error',
  'service-recovered': 'info',
  'fallback-used': 'error',
  'fallback-left': 'info',
  'rail-held': 'error',
  'rail-released': 'warn',
  'below-minimum': 'error',
  'minimum-met': 'info',
  'drain-started': 'warn',
  'drain-progress': 'info',
  'drain-finished': 'info',
  'drain-undone': 'info',
  'server-disabled': 'warn',
  'server-enabled': 'info',
  'weight-set': 'info',
  'mass-failure': 'error',
  'mass-failure-over': 'warn',
  'probes-stretched': 'warn',
  'probes-unstretched': 'info',
  'daemon-started': 'info',
  'daemon-stopping': 'info',
  'config-reloaded': 'info',
  'config-refused': 'error',
  'table-drift': 'warn',
  'drift-accepted': 'info',
  'cold-start-over': 'warn',
  'foreign-found': 'info',
  'table-error': 'error',
  'worker-restarted': 'error',
  'became-master': 'warn',
  'became-backup': 'warn',
  fault: 'error',
  'hook-failed': 'error',
  'track-changed': 'warn',
  'vip-restored': 'warn',
  'vip-refused': 'error',
  'sync-role': 'info',
  'state-trouble': 'error',
  'maintenance-begins': 'info',
  'maintenance-ends': 'info',
  'verdicts-ignored': 'info',
  'name-changed': 'info',
  'name-trouble': 'warn',
  'name-resolved': 'info',
  'state-restored': 'info',
  'timeouts-set': 'info',
  'vrrp-trouble': 'warn',
};

/** The daemon was told to stop. @param leaving how many services go with it */
export function stoppingHappening(why: string, leaving: number): Happening {
  const fate =
    leaving === 0
      ? 'the table stays as it is'
      : `${leaving} services leave the table, as \`on-stop\` says; the rest of it stays as it is`;
  return { kind: 'daemon-stopping', message: `stopping: ${why}; ${fate}`, facts: { leaving } };
}
