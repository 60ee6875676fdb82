/** `lvsentry drain`, `undrain`, `disable`, `enable` and `weight`: what an operator says of servers. */
import type { PlaceStatus, Servers } from '../api/status.js';
import type { Listen } from '../config/model.js';
import { LvsError } from '../core/errors.js';
import { type Millis, parseDuration, seconds } from '../core/units.js';
import { leftText } from '../policy/admin-words.js';
import { totalOf } from '../policy/drain.js';
import { tellDaemon } from './client.js';
import { type CliContext, type CommandModule, EXIT, type Given } from './context.js';
import { tokenOf } from './token.js';
import { daemonOf } from './where.js';

export type AdminVerb = 'drain' | 'undrain' | 'disable' | 'enable' | 'weight';

const LOOK_INTERVAL = seconds(1);
const FORGETS = 'lvsentry: a restart of the daemon forgets this: `state:` is not configured';

function usage(problem: string): LvsError {
  return new LvsError('USAGE', problem);
}

function weightOf(given: Given): number | null {
  const word = given.text('weight') ?? '';
  if (word === 'reset') return null;
  if (!/^\d{1,10}$/.test(word)) throw usage(`"${word}" is not a weight: a number from 0, or reset`);
  return Number(word);
}

/** What is asked of the daemon: its verb, and the body. @throws USAGE */
function orderOf(verb: AdminVerb, given: Given): { readonly verb: AdminVerb; readonly body: object } {
  const [service, reason, deadline] = [given.text('service'), given.text('reason'), given.text('deadline')];
  const common = { service, reason };
  const drains = verb === 'drain' || (verb === 'disable' && given.flag('drain'));
  if (!drains && (deadline !== undefined || given.flag('wait')))
    throw usage('--deadline and --wait are for a drain: give --drain too');
  if (deadline !== undefined && parseDuration(deadline) === undefined)
    throw usage(`"${deadline}" is not a duration such as 10m`);
  if (verb === 'weight') return { verb, body: { ...common, weight: weightOf(given) } };
  if (!drains) return { verb, body: common };
  return { verb: 'drain', body: { ...common, deadline, finish: verb === 'drain' ? 'drained' : 'disabled' } };
}

function isServers(value: unknown): value is Servers {
  if (typeof value !== 'object' || value === null) return false;
  const { servers } = value as { readonly servers?: unknown };
  const isPlace = (each: unknown): boolean =>
    typeof (each as Partial<PlaceStatus> | null)?.service === 'string' &&
    typeof (each as Partial<PlaceStatus>).server?.name === 'string';
  return Array.isArray(servers) && servers.every(isPlace);
}

function readServers(body: string): Servers {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (!isServers(value))
    throw new LvsError('API', 'what answers there is not lvsentry, or not this version of it');
  return value;
}

/** `web/web1 is draining by operator: 3 connections (2 active, 1 inactive) left` */
function placeLine({ service, server }: PlaceStatus): string {
  const { admin } = server;
  const drains = admin !== null && (admin.state === 'draining' || admin.state === 'drained');
  const left = drains && admin.left !== null ? `: ${leftText(admin.left)} left` : '';
  return `${service}/${server.name} ${server.why}${left}`;
}

function isDraining({ server }: PlaceStatus): boolean {
  return (
    server.admin?.words.some(({ state, source }) => source === 'operator' && state === 'draining') ?? false
  );
}

/** Whether the drain came to its end, with nothing left. */
function isEmpty({ server: { admin } }: PlaceStatus): boolean {
  if (admin === null || admin.state === 'enabled') return false;
  return admin.left !== null && totalOf(admin.left) === 0;
}

function pause({ timers }: CliContext, delay: Millis): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delay, () => resolve());
  });
}

/** Follows a drain to its end; prints what changes. @returns the exit code */
async function follow(context: CliContext, given: Given, where: Listen, path: string): Promise<number> {
  const service = given.text('service');
  const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`;
  const printed = new Map<string, string>();
  for (;;) {
    const { body } = await tellDaemon(where, `${path}${query}`, { token: undefined });
    const { servers } = readServers(body);
    for (const place of servers) {
      const line = placeLine(place);
      const id = `${place.service}/${place.server.name}`;
      if (printed.get(id) !== line && !given.flag('json')) context.out(line);
      printed.set(id, line);
    }
    if (!servers.some(isDraining)) {
      if (given.flag('json')) context.out(body);
      return servers.every(isEmpty) ? EXIT.done : EXIT.failed;
    }
    await pause(context, LOOK_INTERVAL);
  }
}

/** The command of one verb. */
export function adminCommand(verb: AdminVerb): CommandModule {
  return {
    run: async (context, given) => {
      const order = orderOf(verb, given);
      const where = await daemonOf(context, given);
      if (where === undefined) return EXIT.config;
      const path = `/v1/servers/${encodeURIComponent(given.text('server') ?? '')}`;
      const body = JSON.stringify(order.body);
      const answer = await tellDaemon(where, `${path}/${order.verb}`, { token: tokenOf(given), body });
      const { changed, kept } = readServers(answer.body);
      if (changed > 0 && !kept) context.err(FORGETS);
      if (given.flag('wait')) return follow(context, given, where, path);
      if (given.flag('json')) context.out(answer.body);
      else for (const place of readServers(answer.body).servers) context.out(placeLine(place));
      return EXIT.done;
    },
  };
}
