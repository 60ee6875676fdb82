/** Metrics of services and real servers. What the kernel counts is as of the last dump of the table. */
import type { Stats } from '../ipvs/model.js';
import { checkName, warningOf } from '../policy/combine.js';
import { serverId } from '../policy/judge.js';
import type { Emit, Labels, Metric, ServerView, ServiceView } from './metric.js';

const VERDICTS = ['up', 'down', 'unknown'] as const;

const serviceLabels = ({ service }: ServiceView): Labels => [['service', service.name]];

/** A sample; none where `read` says nothing. */
const ofServices =
  (read: (view: ServiceView) => number | bigint | undefined) => (view: ServiceView, emit: Emit) => {
    const value = read(view);
    if (value !== undefined) emit(serviceLabels(view), value);
  };

/** A sample for each server; none where `read` says nothing. */
const ofServers =
  (read: (server: ServerView, view: ServiceView) => number | bigint | undefined) =>
  (view: ServiceView, emit: Emit) => {
    for (const each of view.servers) {
      const value = read(each, view);
      if (value === undefined) continue;
      emit(
        [
          ['service', view.service.name],
          ['server', each.server.name],
        ],
        value,
      );
    }
  };

const SERVER_LABELS = ['service', 'server'];

/** What the kernel counts of both, in its order. */
const COUNTERS: readonly (readonly [name: string, member: keyof Stats, help: string])[] = [
  ['connections_total', 'connections', 'Connections, all in all'],
  ['packets_in_total', 'packetsIn', 'Packets from clients'],
  ['packets_out_total', 'packetsOut', 'Packets to clients that came this way'],
  ['bytes_in_total', 'bytesIn', 'Bytes from clients'],
  ['bytes_out_total', 'bytesOut', 'Bytes to clients that came this way'],
];
const CONNECTIONS = [
  ['active_connections', 'active', 'Connections that are established'],
  ['inactive_connections', 'inactive', 'Connections that begin or end'],
  ['persistent_connections', 'persistent', 'Persistence templates'],
] as const;

const SERVICES: readonly Metric[] = [
  {
    name: 'lvsentry_service_in_table',
    type: 'gauge',
    help: 'Whether the table holds all entries of the service.',
    labels: ['service'],
    ofService: ofServices(({ inTable }) => (inTable ? 1 : 0)),
  },
  {
    name: 'lvsentry_service_servers',
    type: 'gauge',
    help: 'Its real servers, by verdict.',
    labels: ['service', 'verdict'],
    ofService({ world, service }, emit) {
      const verdicts = service.servers.map(
        (server) => world.health.get(serverId(service, server))?.verdict ?? 'unknown',
      );
      for (const verdict of VERDICTS)
        emit(
          [
            ['service', service.name],
            ['verdict', verdict],
          ],
          verdicts.filter((each) => each === verdict).length,
        );
    },
  },
  {
    name: 'lvsentry_service_quorum',
    type: 'gauge',
    help: 'Whether enough servers serve: 1 met, 0 lost; missing while too little is known.',
    labels: ['service'],
    ofService: ofServices(({ world, service }) => {
      const quorum = world.standings.get(service.name)?.quorum;
      return quorum === undefined ? undefined : quorum === 'met' ? 1 : 0;
    }),
  },
  {
    name: 'lvsentry_service_weight',
    type: 'gauge',
    help: 'The sum of the weights of the servers that serve.',
    labels: ['service'],
    ofService: ofServices(({ world, service }) => world.standings.get(service.name)?.weight ?? 0),
  },
  ...CONNECTIONS.map(
    ([name, member, help]): Metric => ({
      name: `lvsentry_service_${name}`,
      type: 'gauge',
      help: `${help}, at all its servers.`,
      labels: ['service'],
      ofService: ofServices(({ traffic }) => traffic?.[member]),
    }),
  ),
  ...COUNTERS.map(
    ([name, member, help]): Metric => ({
      name: `lvsentry_service_${name}`,
      type: 'counter',
      help: `${help}.`,
      labels: ['service'],
      ofService: ofServices(({ traffic }) => traffic?.stats[member]),
    }),
  ),
];

const SERVERS: readonly Metric[] = [
  {
    name: 'lvsentry_server_up',
    type: 'gauge',
    help: 'The verdict that is followed: 1 up, 0 down; missing before the first, and without a check.',
    labels: SERVER_LABELS,
    ofService: ofServers(({ id }, { world }) => {
      const held = world.health.get(id)?.held;
      return held === undefined ? undefined : held === 'up' ? 1 : 0;
    }),
  },
  {
    name: 'lvsentry_server_degraded',
    type: 'gauge',
    help: 'Whether a server that is up has a warning; missing where it is not up.',
    labels: SERVER_LABELS,
    ofService: ofServers(({ id, server }, { world }) => {
      if (world.health.get(id)?.held !== 'up') return undefined;
      return warningOf(server, id, world.health) === undefined ? 0 : 1;
    }),
  },
  {
    name: 'lvsentry_check_up',
    type: 'gauge',
    help: 'The verdict of one check that is followed, of servers with several: 1 up, 0 down; missing before the first.',
    labels: [...SERVER_LABELS, 'check'],
    ofService({ world, service, servers }, emit) {
      for (const { server } of servers)
        for (const { id } of server.checks) {
          const [name, held] = [checkName(id), world.health.get(id)?.held];
          if (name === undefined || held === undefined) continue;
          emit(
            [
              ['service', service.name],
              ['server', server.name],
              ['check', name],
            ],
            held === 'up' ? 1 : 0,
          );
        }
    },
  },
  {
    name: 'lvsentry_server_weight',
    type: 'gauge',
    help: 'Its weight in the table; missing where the table does not hold it.',
    labels: SERVER_LABELS,
    ofService: ofServers(({ weight }) => weight),
  },
  {
    name: 'lvsentry_server_configured_weight',
    type: 'gauge',
    help: 'Its weight while it is up.',
    labels: SERVER_LABELS,
    ofService: ofServers(({ server }) => server.dest.settings.weight),
  },
  {
    name: 'lvsentry_server_admin',
    type: 'gauge',
    help: 'Always 1: what the operator or a maintenance window says of it; missing where nothing is said.',
    labels: [...SERVER_LABELS, 'state'],
    ofService({ world, service, servers }, emit) {
      for (const { id, server } of servers) {
        const admin = world.admin.get(id);
        if (admin === undefined) continue;
        emit(
          [
            ['service', service.name],
            ['server', server.name],
            ['state', admin.effective.state],
          ],
          1,
        );
      }
    },
  },
  ...CONNECTIONS.map(
    ([name, member, help]): Metric => ({
      name: `lvsentry_server_${name}`,
      type: 'gauge',
      help: `${help}.`,
      labels: SERVER_LABELS,
      ofService: ofServers(({ traffic }) => traffic?.[member]),
    }),
  ),
  ...COUNTERS.map(
    ([name, member, help]): Metric => ({
      name: `lvsentry_server_${name}`,
      type: 'counter',
      help: `${help}.`,
      labels: SERVER_LABELS,
      ofService: ofServers(({ traffic }) => traffic?.stats[member]),
    }),
  ),
];

export const SERVICE_METRICS: readonly Metric[] = [...SERVICES, ...SERVERS];
