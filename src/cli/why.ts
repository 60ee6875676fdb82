/** `lvsentry why`: the chain behind a server's place in the table, from its last probes to the kernel. */
import type { EventStatus } from '../api/events.js';
import type { CheckWhy, ProbeWhy, ServerWhy, WeightPart, Why } from '../api/why.js';
import { LvsError } from '../core/errors.js';
import { endpointText, parseIp } from '../core/ip.js';
import { tellDaemon } from './client.js';
import { ageText, columns } from './columns.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { daemonOf } from './where.js';

/** What is read of an answer without asking whether it is there. */
const SERVER_LISTS = ['checks', 'weight', 'events'] as const;

function isServer(value: unknown): value is ServerWhy {
  if (typeof value !== 'object' || value === null) return false;
  const { service, server } = value as Partial<ServerWhy>;
  const lists = SERVER_LISTS.map((name) => (value as Partial<ServerWhy>)[name]);
  const areChecks = lists[0]?.every((check) => Array.isArray((check as Partial<CheckWhy>).probes)) ?? false;
  return (
    typeof service === 'string' && typeof server?.name === 'string' && lists.every(Array.isArray) && areChecks
  );
}

/** Whoever answers may be another program, or another version of this one. */
function readWhy(body: string): Why {
  try {
    const value = JSON.parse(body) as Partial<Why> | null;
    if (Array.isArray(value?.servers) && value.servers.every(isServer)) return { servers: value.servers };
  } catch {
    // Not even JSON.
  }
  throw new LvsError('API', 'what answers there is not lvsentry, or not this version of it');
}

const PROBE_HEAD = ['      STARTED', 'OUTCOME', 'TIME', 'REASON', 'PHASES (MS)'];

const millisText = (micros: number): string => (micros / 1000).toFixed(3);

function secondsText(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  return time < 60_000 ? `${(time / 1000).toFixed(1)}s` : ageText(time);
}

function saidText({ weight, say, warning, words: said }: ProbeWhy): string {
  const sign = weight?.kind === 'offset' && weight.value > 0 ? '+' : '';
  const words = [
    ...(weight === null ? [] : [`weight ${sign}${weight.value}${weight.kind === 'percent' ? '%' : ''}`]),
    ...(say === null ? [] : [say]),
    ...(warning === null ? [] : [warning]),
    ...(said === null ? [] : [said]),
  ];
  return words.map((word) => `; ${word}`).join('');
}

function probeRow(probe: ProbeWhy, now: number): readonly string[] {
  return [
    `      ${secondsText(now - Date.parse(probe.startedAt))} ago`,
    probe.outcome,
    `${millisText(probe.micros)} ms`,
    `${probe.reason}${saidText(probe)}`,
    probe.phases.map(({ phase, micros }) => `${phase} ${millisText(micros)}`).join(', '),
  ];
}

/** Where the rise/fall machine stands. */
function stateText(check: CheckWhy, now: number): string {
  const { held, against, needed, nextProbeAt, probingSince } = check;
  if (held === null || against === null || needed === null) return 'its probe worker does not answer';
  const what = held === 'up' ? 'failures' : 'passes';
  const change = held === 'up' ? 'down' : 'up';
  const next =
    nextProbeAt === null
      ? `a probe is under way for ${secondsText(now - Date.parse(probingSince ?? ''))}`
      : `next probe in ${secondsText(Date.parse(nextProbeAt) - now)}`;
  const assumed =
    check.verdict === 'unknown' ? `; ${held} is assumed, and the first result that agrees counts` : '';
  return `${against} of ${needed} ${what} in a row that make it ${change}; ${next}${assumed}`;
}

/** To two digits behind the point. */
const rounded = (value: number): number => Math.round(value * 100) / 100;

function ruleText({
  type,
  target,
  interval,
  fastInterval,
  downInterval,
  stretch,
  timeout,
  rise,
  fall,
}: CheckWhy): string {
  const fast = fastInterval === null ? '' : ` (${fastInterval} in doubt)`;
  const down = downInterval === null ? '' : ` (${downInterval} while down)`;
  // An older daemon does not say it.
  const longer =
    typeof stretch === 'number' && stretch > 1 ? `, times ${rounded(stretch)} by the probe budget` : '';
  return `${type} ${target} every ${interval}${fast}${down}${longer}, timeout ${timeout}, rise ${rise}, fall ${fall}`;
}

function checkLines(check: CheckWhy, now: number): readonly string[] {
  const age = ageText(now - Date.parse(check.since));
  const rows = check.probes.map((probe) => probeRow(probe, now)).reverse();
  return [
    ...columns(
      [`  check ${ruleText(check)}`, `    ${check.verdict} for ${age}: ${check.reason}`].map((line) => [
        line,
      ]),
      new Set(),
    ),
    `    ${stateText(check, now)}`,
    ...(rows.length === 0 ? [] : columns([PROBE_HEAD, ...rows], new Set([2]))),
  ];
}

function weightRow({ of, weight, text }: WeightPart): readonly string[] {
  return [`    ${of}`, weight === null ? '-' : String(weight), text];
}

function eventLine({ time, message }: EventStatus): readonly string[] {
  return [`    ${time}`, message];
}

function serverLines({ service, server, checks, weight, events }: ServerWhy, now: number): readonly string[] {
  const address = parseIp(server.address);
  const where = address === undefined ? server.address : endpointText(address, server.port);
  const none = new Set<number>();
  return [
    ...columns([[`${service}/${server.name} at ${where}: ${server.verdict}, ${server.why}`]], none),
    ...(checks.length === 0 ? ['  no check: it is thought to be up'] : []),
    ...checks.flatMap((check) => checkLines(check, now)),
    '  weight',
    ...columns(weight.map(weightRow), new Set([1])),
    ...(events.length === 0 ? [] : ['  events', ...columns(events.map(eventLine), none)]),
  ];
}

/** The answer as lines. @param now milliseconds since 1970 */
export function whyLines({ servers }: Why, now: number): string[] {
  return servers.flatMap((server, index) => [...(index === 0 ? [] : ['']), ...serverLines(server, now)]);
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  const service = given.text('service');
  const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`;
  const path = `/v1/servers/${encodeURIComponent(given.text('server') ?? '')}/why${query}`;
  const { body } = await tellDaemon(where, path, { token: undefined });
  const why = readWhy(body);
  context.out(given.flag('json') ? body : whyLines(why, context.clock.wall()).join('\n'));
  return EXIT.done;
}
