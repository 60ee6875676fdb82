/** `lvsentry vrrp`: the virtual routers, as the daemon sees them. */
import type { RouterStatus, VrrpStatus } from '../api/vrrp.js';
import { LvsError } from '../core/errors.js';
import type { Lateness } from '../vrrp/status.js';
import { askDaemon } from './client.js';
import { ageText, columns } from './columns.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { daemonOf } from './where.js';

/** Whoever answers may be another program, or another version of this one. */
function isVrrp(value: unknown): value is VrrpStatus {
  if (typeof value !== 'object' || value === null) return false;
  const { routers, running } = value as { readonly routers?: unknown; readonly running?: unknown };
  return typeof running === 'boolean' && Array.isArray(routers);
}

function readVrrp(body: string): VrrpStatus {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (!isVrrp(value))
    throw new LvsError('API', 'what answers there is not lvsentry, or not this version of it');
  return value;
}

function latenessText({ count, p50, p99, max }: Lateness): string {
  const text = (micros: number): string => (micros / 1000).toFixed(2);
  return count === 0 ? 'none yet' : `${text(p50)} / ${text(p99)} / ${text(max)} ms`;
}

function row(router: RouterStatus, now: number): readonly string[] {
  return [
    router.name,
    `${router.interface} ${router.id}`,
    router.role,
    router.since === null ? '-' : ageText(now - Date.parse(router.since)),
    router.priority === router.base ? String(router.priority) : `${router.priority} (of ${router.base})`,
    router.master ?? '-',
    router.addresses.join(' '),
  ];
}

function details(router: RouterStatus): readonly string[] {
  const points = (value: number): string => (value > 0 ? `+${value}` : String(value));
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ');
  const [ignored, odd] = [list(router.discarded), list(router.odd)];
  return [
    `${router.name}: ${router.cause ?? 'no change of role yet'}`,
    ...router.faults.map((fault) => `  fault: ${fault}`),
    ...router.contributions.map(
      ({ of, points: value, fault }) => `  ${of}: ${fault ? 'fault' : points(value)}`,
    ),
    `  adverts: ${router.sent} sent, ${router.received} received, ${router.sendErrors} errors; late by ${latenessText(router.lateness)} (p50 / p99 / max)`,
    ...router.squatters.map(({ mac, addresses }) => `  also at ${mac}: ${addresses.join(' ')}`),
    `  virtual IPs: ${router.announced} announcements, ${router.putBack} put back`,
    ...(ignored === '' ? [] : [`  ignored: ${ignored}`]),
    ...(odd === '' ? [] : [`  heard, but odd: ${odd}`]),
  ];
}

function nobodys({ strangers, unreadable }: VrrpStatus): readonly string[] {
  if (strangers === 0 && unreadable === 0) return [];
  return [
    `ignored on all interfaces: ${strangers} of ids that nobody has here, ${unreadable} that could not be read`,
  ];
}

/** The virtual routers as lines. @param now milliseconds since 1970 */
export function vrrpLines(status: VrrpStatus, now: number): string[] {
  if (status.routers.length === 0) return ['no virtual routers in the configuration'];
  const head = ['ROUTER', 'WHERE', 'ROLE', 'SINCE', 'PRIORITY', 'MASTER', 'ADDRESSES'];
  const rows = [head, ...status.routers.map((router) => row(router, now))];
  const loop = `thread: ${status.running ? `late by ${latenessText(status.loop)}` : 'not running'}`;
  return [...columns(rows, new Set()), '', ...status.routers.flatMap(details), ...nobodys(status), loop];
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  const body = await askDaemon(where, '/v1/vrrp');
  const status = readVrrp(body);
  context.out(given.flag('json') ? body : vrrpLines(status, context.clock.wall()).join('\n'));
  return EXIT.done;
}
