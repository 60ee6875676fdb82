/** Metrics of the daemon: itself, the table and its reconciler, workers, synchronisation, virtual routers. */
import type { ProbingState, WorkerDigest, World } from '../world.js';
import type { Emit, Metric } from './metric.js';
import { packageVersion } from './version.js';

const seconds = (milliseconds: number): number => milliseconds / 1000;
const flag = (value: boolean): number => (value ? 1 : 0);

const ofTable = (read: (world: World) => number | undefined) => (world: World, emit: Emit) => {
  const value = read(world);
  if (value !== undefined) emit([], value);
};

const ofWorkers = (read: (worker: WorkerDigest) => number) => (world: World, emit: Emit) => {
  for (const each of world.workers) emit([['worker', String(each.worker)]], read(each));
};

type Router = NonNullable<World['vrrp']>['routers'][number];

const ofRouters = (read: (router: Router) => number) => (world: World, emit: Emit) => {
  for (const each of world.vrrp?.routers ?? []) emit([['router', each.name]], read(each));
};

const ROUTERS: readonly Metric[] = [
  {
    name: 'lvsentry_vrrp_master',
    type: 'gauge',
    help: 'Whether the virtual router is master here.',
    labels: ['router'],
    ofWorld: ofRouters(({ role }) => flag(role === 'master')),
  },
  {
    name: 'lvsentry_vrrp_fault',
    type: 'gauge',
    help: 'Whether something keeps the virtual router from taking part.',
    labels: ['router'],
    ofWorld: ofRouters(({ role }) => flag(role === 'fault')),
  },
  {
    name: 'lvsentry_vrrp_priority',
    type: 'gauge',
    help: 'The priority in force.',
    labels: ['router'],
    ofWorld: ofRouters(({ priority }) => priority.effective),
  },
  {
    name: 'lvsentry_vrrp_became_master_total',
    type: 'counter',
    help: 'How often it became master.',
    labels: ['router'],
    ofWorld: ofRouters(({ counters }) => counters.becameMaster),
  },
  {
    name: 'lvsentry_vrrp_adverts_sent_total',
    type: 'counter',
    help: 'Adverts sent.',
    labels: ['router'],
    ofWorld: ofRouters(({ counters }) => counters.sent),
  },
  {
    name: 'lvsentry_vrrp_send_errors_total',
    type: 'counter',
    help: 'Adverts that could not be sent.',
    labels: ['router'],
    ofWorld: ofRouters(({ counters }) => counters.sendErrors),
  },
  {
    name: 'lvsentry_vrrp_adverts_received_total',
    type: 'counter',
    help: 'Adverts received and accepted.',
    labels: ['router'],
    ofWorld: ofRouters(({ counters }) => counters.received),
  },
  {
    name: 'lvsentry_vrrp_adverts_discarded_total',
    type: 'counter',
    help: 'Packets ignored, by reason: docs/vrrp.md explains each.',
    labels: ['router', 'reason'],
    ofWorld(world, emit) {
      for (const { name, counters } of world.vrrp?.routers ?? [])
        for (const [reason, count] of Object.entries(counters.discarded))
          emit(
            [
              ['router', name],
              ['reason', reason],
            ],
            count,
          );
    },
  },
  {
    name: 'lvsentry_vrrp_put_back_total',
    type: 'counter',
    help: 'Virtual IPs that somebody took away and that were put back.',
    labels: ['router'],
    ofWorld: ofRouters(({ counters }) => counters.putBack),
  },
];

const ofProbing = (read: (probing: ProbingState) => number) => (world: World, emit: Emit) => {
  if (world.probing !== undefined) emit([], read(world.probing));
};

const PROBING: readonly Metric[] = [
  {
    name: 'lvsentry_checks',
    type: 'gauge',
    help: 'Checks of the configuration.',
    labels: [],
    ofWorld: ofProbing(({ checks }) => checks),
  },
  {
    name: 'lvsentry_checks_distinct',
    type: 'gauge',
    help: 'What is probed for them: checks that are alike are probed as one.',
    labels: [],
    ofWorld: ofProbing(({ distinct }) => distinct),
  },
  {
    name: 'lvsentry_probes_wanted_per_second',
    type: 'gauge',
    help: 'Probes by the intervals of the configuration.',
    labels: [],
    ofWorld: ofProbing(({ plan }) => plan.wanted),
  },
  {
    name: 'lvsentry_probes_planned_per_second',
    type: 'gauge',
    help: 'Probes by the intervals in force, which the probe budget stretches.',
    labels: [],
    ofWorld: ofProbing(({ plan }) => plan.planned),
  },
  {
    name: 'lvsentry_probe_stretch',
    type: 'gauge',
    help: 'How many times as long as configured intervals of checks are, at most; 1: none is longer.',
    labels: [],
    ofWorld: ofProbing(({ plan }) => plan.stretch),
  },
];

const WORKERS: readonly Metric[] = [
  {
    name: 'lvsentry_worker_last_digest_time_seconds',
    type: 'gauge',
    help: 'When the probe worker spoke last, in seconds since 1970.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ at }) => seconds(at)),
  },
  {
    name: 'lvsentry_worker_checks',
    type: 'gauge',
    help: 'What the worker probes: checks that are alike count as one.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ checks }) => checks),
  },
  {
    name: 'lvsentry_worker_probes_in_flight',
    type: 'gauge',
    help: 'Probes under way.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ inFlight }) => inFlight),
  },
  {
    name: 'lvsentry_worker_probes_total',
    type: 'counter',
    help: 'Probes since the worker started.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ probes }) => probes),
  },
  {
    name: 'lvsentry_worker_probes_failed_total',
    type: 'counter',
    help: 'Probes that failed.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ failures }) => failures),
  },
  {
    name: 'lvsentry_worker_probes_unknown_total',
    type: 'counter',
    help: 'Probes that said nothing of the server: trouble of this machine.',
    labels: ['worker'],
    ofWorld: ofWorkers(({ unknowns }) => unknowns),
  },
];

const TABLE: readonly Metric[] = [
  {
    name: 'lvsentry_table_in_sync',
    type: 'gauge',
    help: 'Whether the last plan was applied without an error and nothing is pending.',
    labels: [],
    ofWorld: ofTable(({ table }) => flag(table.inSync)),
  },
  {
    name: 'lvsentry_table_last_dump_time_seconds',
    type: 'gauge',
    help: 'When the whole table was last read, in seconds since 1970: what is counted of connections is as old.',
    labels: [],
    ofWorld: ofTable(({ table }) => (table.lastDumpAt === undefined ? undefined : seconds(table.lastDumpAt))),
  },
  {
    name: 'lvsentry_table_operations_applied_total',
    type: 'counter',
    help: 'Changes that the table took.',
    labels: [],
    ofWorld: ofTable(({ table }) => table.operationsApplied),
  },
  {
    name: 'lvsentry_table_operations_failed_total',
    type: 'counter',
    help: 'Changes that the table refused.',
    labels: [],
    ofWorld: ofTable(({ table }) => table.operationsFailed),
  },
  {
    name: 'lvsentry_table_drift_total',
    type: 'counter',
    help: 'Changes of our entries by somebody else.',
    labels: [],
    ofWorld: ofTable(({ table }) => table.driftFound),
  },
  {
    name: 'lvsentry_table_foreign_services',
    type: 'gauge',
    help: 'Services in the table that are not ours.',
    labels: [],
    ofWorld: ofTable(({ table }) => table.foreign.services.length),
  },
  {
    name: 'lvsentry_table_foreign_servers',
    type: 'gauge',
    help: 'Servers that are not ours in services of ours.',
    labels: [],
    ofWorld: ofTable(({ table }) => table.foreign.servers.length),
  },
];

export const DAEMON_METRICS: readonly Metric[] = [
  {
    name: 'lvsentry_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say which lvsentry this is.',
    labels: ['version', 'director', 'table'],
    ofWorld({ config, table }, emit) {
      emit(
        [
          ['version', packageVersion()],
          ['director', config.name],
          ['table', table.kind],
        ],
        1,
      );
    },
  },
  {
    name: 'lvsentry_start_time_seconds',
    type: 'gauge',
    help: 'When the daemon was started, in seconds since 1970.',
    labels: [],
    ofWorld: ofTable(({ startedAt }) => seconds(startedAt)),
  },
  {
    name: 'lvsentry_config_load_time_seconds',
    type: 'gauge',
    help: 'When the configuration in force was loaded, in seconds since 1970.',
    labels: [],
    ofWorld: ofTable(({ configLoadedAt }) => seconds(configLoadedAt)),
  },
  ...TABLE,
  {
    name: 'lvsentry_sync_in_sync',
    type: 'gauge',
    help: 'Whether the synchronisation of connections runs in its role, or as it was accepted (`drift`); missing where there is none.',
    labels: [],
    ofWorld: ofTable(({ sync }) => (sync === undefined ? undefined : flag(sync.inSync))),
  },
  {
    name: 'lvsentry_timeouts_in_sync',
    type: 'gauge',
    help: "Whether the kernel's time-outs of connections are as configured, or as they were accepted (`drift`); missing where none is.",
    labels: [],
    ofWorld: ofTable(({ timeouts }) => (timeouts === undefined ? undefined : flag(timeouts.inSync))),
  },
  ...PROBING,
  ...WORKERS,
  ...ROUTERS,
];
