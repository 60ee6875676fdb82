/** Metrics of what is decided between health and the table: rails, fallbacks, drains, admin state, most servers failing. */
import type { NameView } from '../names/model.js';
import type { Rail } from '../policy/model.js';
import type { World } from '../world.js';
import type { Emit, Metric, ServiceView } from './metric.js';

const RAILS = ['minimum-healthy', 'maximum-removals', 'mass-failure'] as const satisfies readonly Rail[];
const ADMIN_STATES = ['enabled', 'draining', 'drained', 'disabled'] as const;

const ofMass =
  (read: (mass: NonNullable<World['mass']>) => number) =>
  ({ mass }: World, emit: Emit): void => {
    if (mass !== undefined) emit([], read(mass));
  };

/** A sample of a service; none where `read` says nothing. */
const ofStanding =
  (read: (standing: NonNullable<ReturnType<World['standings']['get']>>) => number | undefined) =>
  ({ world, service }: ServiceView, emit: Emit): void => {
    const standing = world.standings.get(service.name);
    const value = standing && read(standing);
    if (value !== undefined) emit([['service', service.name]], value);
  };

// A trial on loopback asks for itself.
const nameLabels = ({ host, family, loopback }: NameView): Parameters<Emit>[0] => [
  ['name', loopback ? `${host} on loopback` : host],
  ['family', family],
];

const NAMES: readonly Metric[] = [
  {
    name: 'lvsentry_name_addresses',
    type: 'gauge',
    help: 'Addresses of a name of servers that are in force.',
    labels: ['name', 'family'],
    ofWorld({ names }, emit) {
      for (const view of names) emit(nameLabels(view), view.addresses.length);
    },
  },
  {
    name: 'lvsentry_name_trouble',
    type: 'gauge',
    help: 'Whether a name of servers has no answer now that could be believed.',
    labels: ['name', 'family'],
    ofWorld({ names }, emit) {
      for (const view of names) emit(nameLabels(view), view.trouble === undefined ? 0 : 1);
    },
  },
  {
    name: 'lvsentry_name_answer_time_seconds',
    type: 'gauge',
    help: 'When the last good answer for a name of servers came, in seconds since 1970; missing where there was none.',
    labels: ['name', 'family'],
    ofWorld({ names }, emit) {
      for (const view of names)
        if (view.answeredAt !== undefined) emit(nameLabels(view), view.answeredAt / 1000);
    },
  },
];

const SERVICES: readonly Metric[] = [
  {
    name: 'lvsentry_service_serving_servers',
    type: 'gauge',
    help: 'Its servers of weight above 0 that serve, those that are held included.',
    labels: ['service'],
    ofService: ofStanding(({ serving }) => serving),
  },
  {
    name: 'lvsentry_service_minimum_healthy',
    type: 'gauge',
    help: 'How many servers must serve (minimum-healthy); missing where no rule says.',
    labels: ['service'],
    ofService: ofStanding(({ minimum }) => minimum),
  },
  {
    name: 'lvsentry_service_held_servers',
    type: 'gauge',
    help: 'Its servers that are down and stay in, by the rail that holds them.',
    labels: ['service', 'rail'],
    ofService({ world, service }, emit) {
      const standing = world.standings.get(service.name);
      if (standing === undefined) return;
      const count = new Map<Rail, number>();
      for (const its of standing.servers.values())
        if (its.kind === 'held') count.set(its.rail, (count.get(its.rail) ?? 0) + 1);
      for (const rail of RAILS)
        emit(
          [
            ['service', service.name],
            ['rail', rail],
          ],
          count.get(rail) ?? 0,
        );
    },
  },
  {
    name: 'lvsentry_service_fallback_tier',
    type: 'gauge',
    help: 'The fallback tier that serves, from 0; missing while its servers do.',
    labels: ['service'],
    ofService: ofStanding(({ tier }) => tier),
  },
  {
    name: 'lvsentry_server_drain_left',
    type: 'gauge',
    help: 'Connections and persistent clients that the drain of a server has left, as it was seen last.',
    labels: ['service', 'server'],
    ofService({ world, service, servers }, emit) {
      for (const { id, server } of servers) {
        const left = world.admin.get(id)?.drain?.left;
        if (left === undefined) continue;
        emit(
          [
            ['service', service.name],
            ['server', server.name],
          ],
          left.active + left.inactive + left.persistent,
        );
      }
    },
  },
];

export const POLICY_METRICS: readonly Metric[] = [
  {
    name: 'lvsentry_admin_servers',
    type: 'gauge',
    help: 'Servers of which the operator or a maintenance window says something, by state; `enabled` ones have another weight.',
    labels: ['state'],
    ofWorld({ admin }, emit) {
      const count = new Map<string, number>();
      for (const { effective } of admin.values())
        count.set(effective.state, (count.get(effective.state) ?? 0) + 1);
      for (const state of ADMIN_STATES) emit([['state', state]], count.get(state) ?? 0);
    },
  },
  {
    name: 'lvsentry_maintenance_active',
    type: 'gauge',
    help: 'Whether a maintenance window is under way.',
    labels: ['maintenance'],
    ofWorld({ maintenance }, emit) {
      for (const { window, current } of maintenance)
        emit([['maintenance', window.name]], current === undefined ? 0 : 1);
    },
  },
  {
    name: 'lvsentry_mass_failure_active',
    type: 'gauge',
    help: 'Whether something is done about most servers failing at once; missing where nothing is configured for it.',
    labels: [],
    ofWorld: ofMass(({ isActive }) => (isActive ? 1 : 0)),
  },
  {
    name: 'lvsentry_mass_failure_failing_addresses',
    type: 'gauge',
    help: 'Addresses that fail together.',
    labels: [],
    ofWorld: ofMass(({ failing }) => failing),
  },
  {
    name: 'lvsentry_mass_failures_total',
    type: 'counter',
    help: 'How often most servers failed at once.',
    labels: [],
    ofWorld: ofMass(({ count }) => count),
  },
  {
    name: 'lvsentry_api_requests_refused_total',
    type: 'counter',
    help: 'Requests to the API without a token of its own, from a page of another site or for another host, by error code.',
    labels: ['code'],
    ofWorld({ refused }, emit) {
      for (const [code, count] of Object.entries(refused)) emit([['code', code]], count);
    },
  },
  ...NAMES,
  ...SERVICES,
];
