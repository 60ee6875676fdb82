/** `/v1/servers/SERVER/why`: the chain behind a server's place in the table, from its last probes to the kernel. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stretchOf } from '../checks/budget.js';
import type {
  Check,
  CheckId,
  CheckType,
  LatencyRemark,
  Outcome,
  Phase,
  SaidState,
  SaidWeight,
} from '../checks/model.js';
import { reasonText } from '../checks/reason.js';
import type { CheckSight, SeenProbe } from '../checks/sight.js';
import { unreachable } from '../core/assert.js';
import { endpointText } from '../core/ip.js';
import { type EpochMillis, formatDuration, type Millis } from '../core/units.js';
import { eventJson } from '../events/line.js';
import { ALL_EVENTS } from '../events/query.js';
import type { Plan } from '../ipvs/plan.js';
import { changeOf } from '../plan-words.js';
import { serverId } from '../policy/judge.js';
import type { AdminEntry } from '../policy/model.js';
import type { Place } from '../policy/news.js';
import { standingText } from '../policy/words.js';
import type { World } from '../world.js';
import { healthStatus } from './checks.js';
import type { EventStatus } from './events.js';
import { sendError } from './failure.js';
import { findServers } from './servers.js';
import type { ApiSource } from './source.js';
import { type PlaceStatus, placeStatus } from './status.js';

export interface PhaseWhy {
  readonly phase: Phase;
  readonly micros: number;
}

export interface ProbeWhy {
  readonly startedAt: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly micros: number;
  readonly phases: readonly PhaseWhy[];
  readonly warning: string | null;
  readonly words: string | null;
  readonly weight: SaidWeight | null;
  readonly say: SaidState | null;
}

export interface CheckWhy {
  readonly id: CheckId;
  readonly type: CheckType;
  readonly target: string;
  readonly interval: string;
  readonly fastInterval: string | null;
  readonly downInterval: string | null;
  /** How many times as long all of them are, for the probe budget's sake. */
  readonly stretch: number;
  readonly timeout: string;
  readonly rise: number;
  readonly fall: number;
  readonly verdict: 'up' | 'down' | 'unknown';
  readonly since: string;
  readonly reason: string;
  /** What follows is null, and there are no probes, where its worker did not answer. */
  readonly held: 'up' | 'down' | null;
  readonly against: number | null;
  readonly needed: number | null;
  readonly probingSince: string | null;
  readonly nextProbeAt: string | null;
  readonly probes: readonly ProbeWhy[];
}

/** One thing that a weight is made of, in the order in which they have their say. */
export interface WeightPart {
  readonly of: string;
  readonly weight: number | null;
  readonly text: string;
}

export interface ServerWhy extends PlaceStatus {
  readonly checks: readonly CheckWhy[];
  readonly weight: readonly WeightPart[];
  readonly events: readonly EventStatus[];
}

export interface Why {
  readonly servers: readonly ServerWhy[];
}

type Sights = ReadonlyMap<CheckId, CheckSight>;

const EVENTS_MAX = 10;

const isoTime = (at: EpochMillis): string => new Date(at).toISOString();
const timeOrNull = (at: EpochMillis | undefined): string | null => (at === undefined ? null : isoTime(at));
const durationOrNull = (time: Millis | undefined): string | null =>
  time === undefined ? null : formatDuration(time);

function probeWhy({ startedAt, result }: SeenProbe): ProbeWhy {
  const { outcome, reason, elapsed, phases, warning, words, weight, say } = result;
  return {
    startedAt: isoTime(startedAt),
    outcome,
    reason: reasonText(reason, elapsed),
    micros: elapsed,
    phases: phases.map(([phase, time]) => ({ phase, micros: time })),
    warning: warning ?? null,
    words: words ?? null,
    weight: weight ?? null,
    say: say ?? null,
  };
}

/** `192.0.2.2:80`; of a check through its service `192.0.2.1:80, direct to 192.0.2.2`. */
function targetText({ probe: { target }, through }: Check): string {
  const text = endpointText(target.address, target.port);
  if (through === undefined) return text;
  const { key, settings } = through.dest;
  const server = key.port === 0 ? key.address : endpointText(key.address, key.port);
  return `${text}, ${settings.forward.method} to ${server}`;
}

function checkWhy(check: Check, world: World, sight: CheckSight | undefined): CheckWhy {
  const { id, rule, probe } = check;
  const state = sight?.state;
  return {
    id,
    type: probe.type,
    target: targetText(check),
    interval: formatDuration(rule.interval),
    fastInterval: durationOrNull(rule.fastInterval),
    downInterval: durationOrNull(rule.downInterval),
    stretch: stretchOf(world.probing?.plan.pace, check),
    timeout: formatDuration(rule.timeout),
    rise: rule.rise,
    fall: rule.fall,
    ...healthStatus(world.health.get(id), world),
    held: state?.held ?? null,
    against: state?.against ?? null,
    needed: state === undefined ? null : state.held === 'up' ? rule.fall : rule.rise,
    probingSince: timeOrNull(sight?.probingSince),
    nextProbeAt: timeOrNull(sight?.nextProbeAt),
    probes: sight?.probes.map(probeWhy) ?? [],
  };
}

function adminPart({ source, state, weight, by, reason }: AdminEntry): WeightPart {
  const why = reason === undefined ? '' : `: ${reason}`;
  return { of: source, weight: weight ?? null, text: `${state} by ${by}${why}` };
}

function saidText({ kind, value }: SaidWeight): string {
  switch (kind) {
    case 'absolute':
      return 'says its check, in place of the configured one';
    case 'percent':
      return `${value}% of it, says its check`;
    case 'offset':
      return `${value} added to it, says its check`;
    default:
      return unreachable(kind);
  }
}

function latencyText({ share, average }: LatencyRemark): string {
  return `${share}% of it, since its probes took ${(average / 1000).toFixed(1)} ms`;
}

/** What each check says of the weight, those aside that say nothing. */
function saidParts({ server }: Place, { health }: World): WeightPart[] {
  return server.checks.flatMap(({ id }) => {
    const { weight: said, latency } = health.get(id)?.remark ?? {};
    const parts: WeightPart[] = [];
    if (said !== undefined)
      parts.push({
        of: `check ${id}`,
        weight: said.kind === 'absolute' ? said.value : null,
        text: saidText(said),
      });
    if (latency !== undefined) parts.push({ of: `check ${id}`, weight: null, text: latencyText(latency) });
    return parts;
  });
}

function weightParts(
  { service, server }: Place,
  status: PlaceStatus,
  world: World,
  plan: Plan,
): WeightPart[] {
  const id = serverId(service, server);
  const standing = world.standings.get(service.name)?.servers.get(id);
  const pending = plan
    .filter(({ cause }) => cause.service === service.name && cause.server === server.name)
    .map(changeOf);
  const { weight } = status.server;
  return [
    { of: 'configuration', weight: server.dest.settings.weight, text: 'while it is up' },
    ...saidParts({ service, server }, world),
    ...(world.admin.get(id)?.entries ?? []).map(adminPart),
    {
      of: 'standing',
      weight: standing?.kind === 'admission' ? standing.weight : null,
      text: standing === undefined ? 'not judged yet' : standingText(standing),
    },
    { of: 'table', weight, text: weight === null ? 'not in the table' : 'as the kernel has it' },
    ...pending.map(({ command, why }) => ({ of: 'pending', weight: null, text: `${command}  # ${why}` })),
  ];
}

async function serverWhy(place: Place, source: ApiSource, sights: Sights, plan: Plan): Promise<ServerWhy> {
  const world = source.world();
  const status = placeStatus(place.service, place.server, world);
  const query = { ...ALL_EVENTS, service: place.service.name, server: place.server.name };
  const { events } = await source.events.tail(query, EVENTS_MAX);
  return {
    ...status,
    checks: place.server.checks.map((check) => checkWhy(check, world, sights.get(check.id))),
    weight: weightParts(place, status, world, plan),
    // Bounded, as everywhere.
    events: events.map((event) => JSON.parse(eventJson(event)) as EventStatus),
  };
}

/** What is to be done to the live table. One that cannot be read is told elsewhere. */
async function planOf(source: ApiSource): Promise<Plan> {
  return source.preview().then(
    ({ plan }) => plan,
    () => [],
  );
}

/** `GET /v1/servers/SERVER/why?service=NAME` */
export async function whyServer(
  source: ApiSource,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { server } = request.params as { readonly server: string };
  const { service } = request.query as { readonly service?: unknown };
  const only = typeof service === 'string' ? service : undefined;
  const found = findServers(source.world().config, server, only);
  if (!found.ok) return sendError(reply, 404, 'NOT_FOUND', found.problem);
  const sights = await source.look(
    found.places.flatMap(({ server: { checks } }) => checks.map(({ id }) => id)),
  );
  const plan = await planOf(source);
  const servers: ServerWhy[] = [];
  for (const place of found.places) servers.push(await serverWhy(place, source, sights, plan));
  // What events say cannot be told by a schema.
  return reply.type('application/json; charset=utf-8').send(JSON.stringify({ servers } satisfies Why));
}
