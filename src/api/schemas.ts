/** JSON Schemas of the answers: the small ones are written by them, all are tested by them, and docs/api.md too. */
import type { AppliedChange, Change, SyncChange, TimeoutsChange } from '../plan-words.js';
import type { Connections } from '../policy/model.js';
import { CHECKS_SCHEMA } from './checks.js';
import type { Reload } from './control.js';
import type { EventStatus, EventsStatus } from './events.js';
import type { Liveness, Readiness } from './health.js';
import type { LeftStatus, PlanStatus } from './plan.js';
import { amount, choice, count, flag, list, objectOf, orNull, text } from './schema-kit.js';
import { MASS_SCHEMA } from './schemas-mass.js';
import { NAME_SCHEMA } from './schemas-names.js';
import type {
  AdminStatus,
  AdminWordStatus,
  MaintenanceStatus,
  PlaceStatus,
  ProbingStatus,
  QuorumStatus,
  RoleStatus,
  ServerStatus,
  Servers,
  ServiceStatus,
  Services,
  Status,
  TableStatus,
  WorkerStatus,
} from './status.js';
import type { SyncDaemonStatus, SyncStatus, TimeoutStatus, TimeoutsStatus } from './status-kernel.js';
import type { TrafficStatus } from './traffic.js';

/** Body of every answer with a status of 400 or more, but for 503 of the two health routes. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string };
}

const WORD_MEMBERS = {
  state: choice(
    ['enabled', 'draining', 'drained', 'disabled'],
    '`draining`: weight 0 until its connections are gone; `drained`: they are; `disabled`: not in the table.',
  ),
  weight: orNull(count('In place of the configured weight; null: that one.')),
  since: text('When it was said.'),
  deadline: orNull(text('When draining ends at the latest; null: never by itself.')),
  by: text('Who said it: `operator`, `maintenance NAME`, `its check NAME`.'),
  reason: orNull(text('Why, where that was said.')),
};

export const WORD_SCHEMA = objectOf<AdminWordStatus>("One source's word about a server.", {
  source: text('`operator`, `maintenance NAME` or `check ID`: each takes back its own word alone.'),
  ...WORD_MEMBERS,
});

export const CONNECTIONS_SCHEMA = objectOf<Connections>('What the table counts of one server.', {
  active: count('Connections that are established.'),
  inactive: count('All others.'),
  persistent: count('Persistent clients: each comes back to this server, whatever its weight is.'),
});

export const ADMIN_SCHEMA = objectOf<AdminStatus>(
  'What the operator and maintenance windows say of a server: the strictest state, and the smallest weight.',
  {
    ...WORD_MEMBERS,
    left: orNull(CONNECTIONS_SCHEMA),
    words: list(WORD_SCHEMA, 'Each word by itself, the strictest first.'),
  },
);

export const TRAFFIC_SCHEMA = objectOf<TrafficStatus>(
  'What the kernel counts of it, at the last dump of the table; null where the table does not hold it.',
  {
    active: count('Connections that are established.'),
    inactive: count('Connections in other states: they begin, or end.'),
    persistent: count('Persistence templates: clients that would come back to the same server.'),
    connections: count('Connections, all in all.'),
    packetsIn: count('Packets from clients.'),
    packetsOut: count('Packets to clients that came this way: none with direct routing and tunnels.'),
    bytesIn: count('Bytes from clients, IP headers too.'),
    bytesOut: count('Bytes to clients, as packets.'),
    connectionsPerSecond: count('Per second, as the kernel estimates it over the last seconds.'),
    packetsInPerSecond: count('The same.'),
    packetsOutPerSecond: count('The same.'),
    bytesInPerSecond: count('The same.'),
    bytesOutPerSecond: count('The same.'),
  },
);

export const SERVER_SCHEMA = objectOf<ServerStatus>('One real server in one service.', {
  name: text('Its name in the configuration, else `address:port`.'),
  address: text('Where the table sends its connections.'),
  port: count('The same.'),
  ports: list(count('A port.'), 'Those of all entries of the service, where it states none of its own.'),
  verdict: choice(
    ['up', 'down', 'unknown'],
    '`unknown`: no verdict yet, or its probe worker is being restarted.',
  ),
  weight: orNull(
    count(
      'Its weight in the table now, the smallest where entries differ; null where it is not in the table.',
    ),
  ),
  configuredWeight: count('Its weight while it is up.'),
  inTable: flag('Whether the table holds it.'),
  since: text('When the verdict was reached: RFC 3339, UTC.'),
  reason: text('What the verdict rests on: `ok`, `status 500`, `timeout in response after 1000 ms`.'),
  warning: orNull(text('Why it is degraded although it is up; null where it is not.')),
  standing: choice(
    [
      'serving',
      'weighted',
      'unknown',
      'down',
      'admission',
      'admin',
      'held',
      'set-aside',
      'quorum-lost',
      'reserve',
      'leaving',
      'fallback',
    ],
    'Why it serves as it does: health, the operator and the rules of the service taken together.',
  ),
  why: text('The same in words that follow the name: `is brought back: weight 3 of 10`.'),
  admin: orNull(ADMIN_SCHEMA),
  checks: CHECKS_SCHEMA,
  needed: count('How many of its checks must pass for it to be up.'),
  traffic: orNull(TRAFFIC_SCHEMA),
});

export const PLACE_SCHEMA = objectOf<PlaceStatus>('One server in one service.', {
  service: text('Name of the service.'),
  server: SERVER_SCHEMA,
});

export const SERVERS_SCHEMA = objectOf<Servers>('The servers that one name or address stands for.', {
  changed: count('Of how many of them the command changed something; 0 for `GET`.'),
  kept: flag('Whether what is said of servers outlives a restart: it does where `state:` is configured.'),
  servers: list(PLACE_SCHEMA, 'In the order of the configuration.'),
});

export const QUORUM_SCHEMA = objectOf<QuorumStatus>('Whether enough servers serve.', {
  state: choice(['met', 'lost', 'unknown'], '`unknown` until enough verdicts are in.'),
  weight: count('The sum of the weights of the servers that serve.'),
  needed: count('What it must be at least.'),
});

export const SERVICE_SCHEMA = objectOf<ServiceStatus>('One virtual service.', {
  name: text('Its name in the configuration.'),
  service: text(
    'What it is in the table: `tcp 192.0.2.1:80`, `fwmark 10 ipv4`; of several entries the first, and how many more.',
  ),
  entries: list(text('As `tcp 192.0.2.1:80`.'), 'Its entries in the table: one for each address and mark.'),
  scheduler: text('Its scheduler.'),
  inTable: flag('Whether the table holds all its entries.'),
  up: count('Servers with this verdict.'),
  down: count('Servers with this verdict.'),
  unknown: count('Servers with this verdict.'),
  quorum: QUORUM_SCHEMA,
  traffic: orNull(TRAFFIC_SCHEMA),
  tier: orNull(count('The fallback tier that serves, from 0; null where the servers themselves do.')),
  servers: list(SERVER_SCHEMA, 'Its real servers, in the order of the configuration.'),
  fallback: list(SERVER_SCHEMA, 'The servers of its fallback, tier by tier.'),
});

export const TABLE_SCHEMA = objectOf<TableStatus>('The IPVS table.', {
  kind: choice(['kernel', 'memory'], '`table` of the configuration.'),
  inSync: flag('The last plan was applied without an error and nothing is pending.'),
  lastDumpAt: orNull(text('When the whole table was last read; null before the first time.')),
  lastError: orNull(text('What went wrong last, until the table is in sync again.')),
  driftFound: count('Changes of our entries by somebody else, since the start.'),
  foreignServices: count('Services that are not ours, at the last look.'),
  foreignServers: count('Servers that are not ours in services of ours, at the last look.'),
  foreign: list(
    text('`tcp 192.0.2.9:80` or `192.0.2.9:80 in tcp 192.0.2.1:80`.'),
    'The first hundred of them.',
  ),
  operationsApplied: count('Changes that the table took, since the start.'),
  operationsFailed: count('Changes that it refused, since the start.'),
});

export const DAEMON_SCHEMA = objectOf<SyncDaemonStatus>(
  'One sync daemon of the kernel. What an old kernel does not tell is null.',
  {
    role: choice(['master', 'backup'], '`master` tells others of connections, `backup` hears of theirs.'),
    interface: text('Where.'),
    id: count('The id of the synchronisation.'),
    group: orNull(text('The multicast group.')),
    port: orNull(count('The UDP port.')),
    ttl: orNull(count('The TTL of its messages.')),
    maxlen: orNull(count('The longest message, in bytes.')),
  },
);

export const SYNC_SCHEMA = objectOf<SyncStatus>('The synchronisation of connections with other directors.', {
  follows: orNull(text('The virtual router whose role it takes; null where its role never changes.')),
  wanted: orNull(
    list(
      choice(['master', 'backup'], 'A role.'),
      'The roles that should run; null before the role is known.',
    ),
  ),
  running: orNull(list(DAEMON_SCHEMA, 'The daemons that run in the kernel; null before the first look.')),
  inSync: flag('What should run, or was accepted, was seen to run, and nothing else.'),
  lastError: orNull(text('What went wrong last, until it is right again.')),
  repaired: count('Changes by somebody else that were undone, since the start.'),
  left: list(text('One change.'), 'Changes by somebody else that are let stand, as `drift` says.'),
});

export const TIMEOUT_SCHEMA = objectOf<TimeoutStatus>('One time-out, in seconds.', {
  wanted: orNull(count('What the configuration asks for; null where it leaves it alone.')),
  seen: orNull(count('What the kernel has, as seen last.')),
  original: orNull(
    count('What it had before lvsentry, and is given back; null where nothing is to be put back.'),
  ),
});

export const TIMEOUTS_SCHEMA = objectOf<TimeoutsStatus>('The time-outs of connections.', {
  tcp: TIMEOUT_SCHEMA,
  tcpFin: TIMEOUT_SCHEMA,
  udp: TIMEOUT_SCHEMA,
  inSync: flag('The kernel was seen to have what is wanted, or what was accepted.'),
  lastError: orNull(text('What went wrong last, until it is right again.')),
  repaired: count('Changes by somebody else that were undone, since the start.'),
  left: list(text('One change.'), 'Changes by somebody else that are let stand, as `drift` says.'),
});

export const WORKER_SCHEMA = objectOf<WorkerStatus>('One probe worker. It counts from its own start.', {
  worker: count('Its number, from 0.'),
  at: text('When it said this: once a second.'),
  checks: count('What it probes: checks that are alike count as one.'),
  inFlight: count('Probes under way.'),
  probes: count('Probes that ended.'),
  failures: count('Probes that failed.'),
  unknowns: count('Probes that said nothing about the server: trouble of our own.'),
});

export const PROBING_SCHEMA = objectOf<ProbingStatus>('How much there is to probe.', {
  checks: count('Checks of the configuration.'),
  distinct: count('What is probed for them: checks that are alike are probed as one.'),
  budget: orNull(count('Probes per second that there may be; null: no limit.')),
  budgetPerServer: orNull(count('The same to one address.')),
  wanted: amount('Probes per second by the intervals of the configuration.'),
  planned: amount('Probes per second by the intervals in force.'),
  stretch: amount('How many times as long as configured intervals are, at most; 1: none is longer.'),
  stretchedServers: count('Addresses that want more probes than one may have.'),
});

export const ROLE_SCHEMA = objectOf<RoleStatus>('One virtual router, in short.', {
  name: text('Its name in the configuration.'),
  role: choice(['initialize', 'backup', 'master', 'fault'], 'What it is now.'),
  since: orNull(text('Since when; null where that is not known.')),
  priority: orNull(count('What it works with; null where that is not known.')),
});

export const MAINTENANCE_SCHEMA = objectOf<MaintenanceStatus>('One maintenance window.', {
  name: text('Its name in the configuration.'),
  reason: orNull(text('Why; null where the configuration does not say.')),
  servers: list(text('`SERVICE/SERVER`.'), 'Its servers.'),
  active: flag('Whether its servers are drained now.'),
  from: orNull(
    text('When the window begins, or began; draining may begin before. Null while it is not active.'),
  ),
  until: orNull(text('When its servers come back; null while it is not active.')),
  next: orNull(text('When draining begins the next time; null where that is never.')),
});

export const STATUS_SCHEMA = objectOf<Status>('Everything there is to know, from one snapshot.', {
  name: text('`name` of the configuration.'),
  version: text('Version of lvsentry.'),
  startedAt: text('When this daemon was started: RFC 3339, UTC.'),
  configLoadedAt: text('When the configuration in force was loaded.'),
  stopping: flag('Whether it was told to stop.'),
  table: TABLE_SCHEMA,
  sync: orNull(SYNC_SCHEMA),
  timeouts: orNull(TIMEOUTS_SCHEMA),
  maintenance: list(MAINTENANCE_SCHEMA, 'The maintenance windows, in the order of the configuration.'),
  massFailure: orNull(MASS_SCHEMA),
  names: list(NAME_SCHEMA, 'The names of servers, in the order of the configuration.'),
  routers: list(ROLE_SCHEMA, 'The virtual routers, in the order of the configuration.'),
  services: list(SERVICE_SCHEMA, 'The virtual services, in the order of the configuration.'),
  probing: orNull(PROBING_SCHEMA),
  workers: list(WORKER_SCHEMA, 'The probe workers.'),
});

export const SERVICES_SCHEMA = objectOf<Services>('The services alone.', {
  services: list(SERVICE_SCHEMA, 'As in `/v1/status`.'),
});

export const EVENT_SCHEMA = objectOf<EventStatus>('Something that happened.', {
  sequence: count('Counts up, over restarts too where there is a journal on disk.'),
  time: text('When: RFC 3339, UTC.'),
  kind: text('What: one of the events of [alerts.md](alerts.md).'),
  service: orNull(text('Name of the virtual service; null where it is about none.')),
  server: orNull(text('Name of the real server; null where it is about none.')),
  message: text('What happened and why, one sentence for a person.'),
  facts: { type: 'object', description: 'The same as data. Members depend on the event and may change.' },
});
export const EVENTS_SCHEMA = objectOf<EventsStatus>('Events, oldest first.', {
  events: list(EVENT_SCHEMA, 'At most `limit`.'),
  next: text('As `since` it asks for what comes behind these.'),
});

export const CHANGE_SCHEMA = objectOf<Change>('One change of the table.', {
  operation: choice(
    ['add-service', 'edit-service', 'delete-service', 'add-dest', 'edit-dest', 'delete-dest'],
    'What is done.',
  ),
  command: text('The same in the words of ipvsadm.'),
  service: text('The name of the service in the configuration; of a foreign one what it is in the table.'),
  server: orNull(text('The name of the server; null for the service itself.')),
  cause: choice(
    ['configured', 'unconfigured', 'stopping', 'exclusive', 'verdict', 'policy', 'drift'],
    'The kind of cause.',
  ),
  why: text('The cause in words.'),
});

export const APPLIED_SCHEMA = objectOf<AppliedChange>('One change of the table that was tried.', {
  ...CHANGE_SCHEMA.properties,
  error: orNull(text('Why it was refused; null: it was done.')),
} as Readonly<Record<keyof AppliedChange, object>>);

export const RELOAD_SCHEMA = objectOf<Reload>('What came of reading the configuration again.', {
  reloaded: flag('True with status 200: it is in force; false with 422: the old one goes on.'),
  faults: list(text('One fault, with file, line and column.'), 'Why not; empty where it is in force.'),
  changes: list(APPLIED_SCHEMA, 'What was done to the table meanwhile, in this order; the first 1000.'),
  done: count('How many changes of the table were made.'),
  failed: count('How many were refused; they are tried again.'),
});

export const LEFT_SCHEMA = objectOf<LeftStatus>('What somebody else changed and is let stand.', {
  service: orNull(
    text('The name of the service; null with `timeouts` and `sync`, which are the whole kernel’s.'),
  ),
  server: orNull(text('The name of the server; null for the service itself.')),
  kind: choice(
    ['service', 'removed', 'added', 'weight', 'settings', 'timeouts', 'sync'],
    'The kind of change.',
  ),
  policy: choice(['report', 'accept'], 'What `drift` says of it.'),
  difference: text('`removed`, `added`, `weight 9, should be 1` ...'),
});

export const STEP_SCHEMA = objectOf<SyncChange>('A command to the kernel about a sync daemon.', {
  operation: choice(['start-sync-daemon', 'stop-sync-daemon'], 'What is done.'),
  command: text('In the words of ipvsadm.'),
});

export const SETTING_SCHEMA = objectOf<TimeoutsChange>(
  'What a look would set; null where the time-outs are right.',
  {
    set: {
      type: 'object',
      description: 'Whole seconds, by `tcp`, `tcpFin` and `udp`; those that stay are left out.',
      additionalProperties: count('Whole seconds.'),
    },
    command: text('In the words of ipvsadm.'),
  },
);

export const PLAN_SCHEMA = objectOf<PlanStatus>('What there is to be done to the live table.', {
  lastDumpAt: text('When the table was read for this answer.'),
  changes: list(CHANGE_SCHEMA, 'What a look at it would do, in this order; empty where the table is right.'),
  left: list(LEFT_SCHEMA, 'What somebody else changed and is let stand.'),
  sync: list(STEP_SCHEMA, 'What a look would do to the sync daemons.'),
  timeouts: orNull(SETTING_SCHEMA),
  foreign: list(text('`tcp 192.0.2.9:80` or `192.0.2.9:80 in tcp 192.0.2.1:80`.'), 'What is not ours.'),
});

export const LIVENESS_SCHEMA = objectOf<Liveness>('Whether every loop has beaten lately.', {
  alive: flag('True with status 200, false with 503.'),
  reasons: list(text('One loop that has not, and since when.'), 'Why not; empty while alive.'),
});

export const READINESS_SCHEMA = objectOf<Readiness>('Whether the table can be relied on.', {
  ready: flag('True with status 200, false with 503.'),
  missing: list(text('One thing.'), 'What is missing; empty when ready.'),
});

export const ERROR_SCHEMA = objectOf<ApiError>('Why there is no answer.', {
  error: objectOf<ApiError['error']>('The error.', {
    code: text('One of the codes below.'),
    message: text('What is wrong, for a person.'),
  }),
});
