/** `lvsentry status`: what the daemon says of itself. */
import type { MassStatus } from '../api/mass.js';
import type { NameStatus } from '../api/names.js';
import type {
  MaintenanceStatus,
  ProbingStatus,
  RoleStatus,
  ServerStatus,
  ServiceStatus,
  Status,
  TableStatus,
} from '../api/status.js';
import type { SyncStatus, TimeoutsStatus } from '../api/status-kernel.js';
import type { TrafficStatus } from '../api/traffic.js';
import type { Listen } from '../config/model.js';
import { LvsError } from '../core/errors.js';
import { endpointText, parseIp } from '../core/ip.js';
import { type Millis, seconds } from '../core/units.js';
import { askDaemon } from './client.js';
import { ageText, columns } from './columns.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { daemonOf } from './where.js';

const WATCH_INTERVAL = seconds(2);
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

function hasMembers(value: unknown, members: Readonly<Record<string, string>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(members).every(
    ([name, type]) => typeof (value as Record<string, unknown>)[name] === type,
  );
}

const SERVICE_MEMBERS = { name: 'string', service: 'string', scheduler: 'string', up: 'number' };
const SERVER_MEMBERS = {
  name: 'string',
  address: 'string',
  port: 'number',
  verdict: 'string',
  configuredWeight: 'number',
  since: 'string',
  reason: 'string',
};

function isService(value: unknown): value is ServiceStatus {
  if (!hasMembers(value, SERVICE_MEMBERS)) return false;
  const { servers } = value as { readonly servers?: unknown };
  return Array.isArray(servers) && servers.every((server) => hasMembers(server, SERVER_MEMBERS));
}

/** Whoever answers may be another program, or another version of this one. */
function isStatus(value: unknown): value is Status {
  if (!hasMembers(value, { name: 'string', version: 'string', startedAt: 'string', table: 'object' }))
    return false;
  const { services, table } = value as { readonly services?: unknown; readonly table?: unknown };
  return (
    hasMembers(table, { kind: 'string', inSync: 'boolean' }) &&
    Array.isArray(services) &&
    services.every(isService)
  );
}

function readStatus(body: string): Status {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (!isStatus(value))
    throw new LvsError('API', 'what answers there is not lvsentry, or not this version of it');
  return value;
}

function tableText({ kind, inSync, lastError }: TableStatus): string {
  if (inSync) return `table ${kind}, in sync`;
  return `table ${kind}, NOT in sync${lastError === null ? '' : `: ${lastError}`}`;
}

const PROBING_MEMBERS = { stretch: 'number', wanted: 'number', planned: 'number' };

const SYNC_MEMBERS = { inSync: 'boolean' };

function hasLeft({ left }: { readonly left?: readonly string[] }): boolean {
  return left !== undefined && left.length > 0;
}

/** What an older daemon does not say is left out. */
function syncText(sync: SyncStatus | null | undefined): string {
  if (sync === undefined || sync === null || !hasMembers(sync, SYNC_MEMBERS)) return '';
  if (sync.inSync) return `, sync ${sync.wanted?.join(' and ')}`;
  if (sync.lastError !== null) return `, sync NOT right: ${sync.lastError}`;
  if (hasLeft(sync)) return `, sync NOT right, and left so: ${sync.left.join('; ')}`;
  return sync.wanted === null ? ', sync waits for its role' : ', sync is changing';
}

/** Only trouble: what is as it should be is in the JSON. What an older daemon does not say is left out. */
function timeoutsText(timeouts: TimeoutsStatus | null | undefined): string {
  if (timeouts === undefined || timeouts === null || !hasMembers(timeouts, SYNC_MEMBERS)) return '';
  if (timeouts.inSync) return '';
  if (hasLeft(timeouts)) return `, time-outs NOT right, and left so: ${timeouts.left.join('; ')}`;
  return `, time-outs NOT right${timeouts.lastError === null ? '' : `: ${timeouts.lastError}`}`;
}

/** What an older daemon does not say is left out. */
function routerLines(routers: readonly RoleStatus[] | undefined, now: number): readonly string[] {
  if (!Array.isArray(routers) || routers.length === 0) return [];
  const rows = (routers as readonly RoleStatus[]).map(({ name, role, since, priority }) => {
    const age = since === null ? '-' : ageText(now - Date.parse(since));
    return [name, role, priority === null ? '-' : String(priority), age];
  });
  return ['', ...columns([['ROUTER', 'ROLE', 'PRIORITY', 'SINCE'], ...rows], new Set([2]))];
}

/** What is under way. What an older daemon does not say is left out. */
function maintenanceLines(windows: readonly MaintenanceStatus[] | undefined): readonly string[] {
  if (!Array.isArray(windows)) return [];
  return (windows as readonly MaintenanceStatus[])
    .filter(({ active }) => active)
    .map(({ name, servers, until, reason }) => {
      const why = reason === null ? '' : `: ${reason}`;
      return `maintenance ${name} until ${until ?? '-'}, ${servers.length} servers drained${why}`;
    });
}

/** Only trouble. What an older daemon does not say is left out. */
function probingLines(probing: ProbingStatus | null | undefined): readonly string[] {
  if (probing === undefined || probing === null || !hasMembers(probing, PROBING_MEMBERS)) return [];
  const { stretch, wanted, planned } = probing;
  if (stretch <= 1) return [];
  const [want, plan] = [wanted, planned].map((rate) => rate.toFixed(1));
  return [
    `probes stretched up to ${stretch.toFixed(2)} times by probe-budget: ${plan} of ${want} probes a second`,
  ];
}

/** What is done about most servers failing at once. What an older daemon does not say is left out. */
function massLines(mass: MassStatus | null | undefined): readonly string[] {
  if (mass === undefined || mass === null || !mass.active) return [];
  const canaries = mass.canaries.map(({ name, voice }) => `${name} ${voice}`).join(', ');
  const heard = canaries === '' ? '' : `; canaries: ${canaries}`;
  return [`MOST SERVERS FAIL AT ONCE: ${mass.failing} of ${mass.of} addresses; ${mass.action}${heard}`];
}

/** Names in trouble. What an older daemon does not say is left out. */
function nameLines(names: readonly NameStatus[] | undefined): readonly string[] {
  if (!Array.isArray(names)) return [];
  return (names as readonly NameStatus[])
    .filter(({ trouble }) => trouble !== null)
    .map(({ name, addresses, answeredAt, why }) => {
      const rest = addresses.length === 0 ? 'no address is known' : `${addresses.length} addresses stay`;
      return `name ${name}: ${why ?? '-'}; ${rest}${answeredAt === null ? '' : `, last answer ${answeredAt}`}`;
    });
}

/** `2 of 3 up, quorum lost, fallback 1 serves, 1 held in` */
function countText(service: ServiceStatus): string {
  const words = [`${service.up} of ${service.servers.length} up`];
  // An older daemon does not say it.
  if (service.quorum?.state === 'lost') words.push('quorum lost');
  if (typeof service.tier === 'number') words.push(`fallback ${service.tier + 1} serves`);
  const held = service.servers.filter(({ standing }) => standing === 'held').length;
  if (held > 0) words.push(`${held} held in`);
  return words.join(', ');
}

function weightText({ weight, configuredWeight }: ServerStatus): string {
  if (weight === null) return '-';
  return weight === configuredWeight ? String(weight) : `${weight} (of ${configuredWeight})`;
}

/** Active and inactive connections, and new ones a second. An older daemon does not know them. */
function trafficCells(traffic: TrafficStatus | null | undefined): readonly string[] {
  if (traffic === undefined || traffic === null) return ['-', '-', '-'];
  return [traffic.active, traffic.inactive, traffic.connectionsPerSecond].map(String);
}

const PLAIN: readonly string[] = ['serving', 'unknown', 'down', 'reserve'];

/** What health does not explain is said too. An older daemon does not know it. */
function reasonText({ reason, standing, why, warning }: ServerStatus): string {
  const said = typeof warning === 'string' ? `${reason}; degraded: ${warning}` : reason;
  return standing === undefined || PLAIN.includes(standing) ? said : `${said}; ${why}`;
}

/** A service of several ports. An older daemon knows one. */
function moreText({ ports }: ServerStatus): string {
  return Array.isArray(ports) && ports.length > 1 ? ` and ${ports.length - 1} more` : '';
}

function serverRow(server: ServerStatus, now: number): readonly string[] {
  const address = parseIp(server.address);
  return [
    `  ${server.name}`,
    address === undefined ? server.address : `${endpointText(address, server.port)}${moreText(server)}`,
    server.verdict,
    weightText(server),
    ...trafficCells(server.traffic),
    ageText(now - Date.parse(server.since)),
    reasonText(server),
  ];
}

/** A status as lines. @param now milliseconds since 1970 */
export function statusLines(status: Status, now: number): string[] {
  const rows: (readonly string[])[] = [
    ['SERVICE / SERVER', 'ADDRESS', 'VERDICT', 'WEIGHT', 'ACTIVE', 'INACTIVE', 'NEW/S', 'SINCE', 'REASON'],
  ];
  for (const service of status.services) {
    const address = `${service.service} ${service.scheduler}${service.inTable ? '' : ' (not in the table)'}`;
    rows.push([service.name, address, countText(service), '', ...trafficCells(service.traffic)]);
    for (const server of service.servers) rows.push(serverRow(server, now));
    // An older daemon knows none.
    for (const server of service.fallback ?? []) rows.push(serverRow(server, now));
  }
  const up = ageText(now - Date.parse(status.startedAt));
  const state = status.stopping ? 'stopping' : `up ${up}`;
  const [head] = columns(
    [
      [
        `${status.name}: lvsentry ${status.version}, ${state}, ${tableText(status.table)}${syncText(status.sync)}${timeoutsText(status.timeouts)}`,
      ],
    ],
    new Set(),
  );
  return [
    head ?? '',
    ...massLines(status.massFailure),
    ...probingLines(status.probing),
    ...nameLines(status.names),
    ...maintenanceLines(status.maintenance),
    ...routerLines(status.routers, now),
    '',
    ...columns(rows, new Set([3, 4, 5, 6])),
  ];
}

async function show(context: CliContext, given: Given, where: Listen): Promise<void> {
  const body = await askDaemon(where, '/v1/status');
  const status = readStatus(body);
  const lines = given.flag('json') ? [body] : statusLines(status, context.clock.wall());
  const clear = given.flag('watch') && context.isTerminal && !given.flag('json') ? CLEAR_SCREEN : '';
  context.out(`${clear}${lines.join('\n')}`);
}

function pause(context: CliContext, time: Millis): Promise<void> {
  return new Promise((resolve) => {
    context.timers.after(time, resolve);
  });
}

/** Until the process is ended. A daemon that is restarted is waited for. */
async function watch(context: CliContext, given: Given, where: Listen): Promise<never> {
  await show(context, given, where);
  for (;;) {
    await pause(context, WATCH_INTERVAL);
    try {
      await show(context, given, where);
    } catch (thrown) {
      if (!(thrown instanceof LvsError)) throw thrown;
      context.err(`lvsentry: ${thrown.message}`);
    }
  }
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  await (given.flag('watch') ? watch(context, given, where) : show(context, given, where));
  return EXIT.done;
}
