/**
 * The schema of the configuration, authored in TypeBox. Only `npm run generate` and tests run this file;
 * the daemon reads what is generated from it (`schema.generated.ts`) and uses the types.
 */
import { type Static, Type } from 'typebox';
import { EVENT_KINDS, type EventKind } from '../alerts/model.js';
import { PERSISTENCE_ENGINES, SCHEDULERS } from '../ipvs/names.js';
import { addresses, family, mark } from './schema-addresses.js';
import { api } from './schema-api.js';
import { checkKeys } from './schema-check-set.js';
import { check, checkDefinition } from './schema-checks.js';
import { hooks } from './schema-hooks.js';
import {
  choice,
  duration,
  integer,
  listOf,
  name,
  named,
  optional,
  port,
  section,
  text,
  yesNo,
} from './schema-kit.js';
import { maintenanceWindow, tags, WINDOWS_MAX } from './schema-maintenance.js';
import { massFailure } from './schema-mass-failure.js';
import { coldStart, drift, exclusive, onRemove, onStop, serviceDrift } from './schema-ownership.js';
import { pathMarks } from './schema-path-marks.js';
import { admit, fallback, quorum } from './schema-policy.js';
import { probeBudget } from './schema-probe-budget.js';
import { RAILS_KEYS } from './schema-rails.js';
import { resolve, serverName } from './schema-resolve.js';
import { state } from './schema-state.js';
import { sync } from './schema-sync.js';
import { timeouts } from './schema-timeouts.js';
import { tracks } from './schema-tracks.js';
import { vrrp } from './schema-vrrp.js';

export const SERVICES_MAX = 10_000;
const SERVERS_MAX = 10_000;

const forward = (byDefault: string) =>
  choice(['direct', 'masquerade', 'tunnel'], {
    says: 'How packets reach the server: `direct` (routing by MAC address; the server holds the VIP too), `masquerade` (NAT; answers come back through the director) or `tunnel`.',
    default: byDefault,
    example: 'masquerade',
    relation:
      'With `direct` and `tunnel` a server listens on the port of the service; only `masquerade` changes ports (a fwmark service has no port and leaves them free).',
  });

export const tunnel = section(
  optional({
    type: choice(['ipip', 'gue', 'gre'], {
      says: 'The encapsulation.',
      default: 'ipip',
      example: 'gue',
    }),
    port: port(1, {
      says: 'The UDP port of GUE on the server.',
      example: '6080',
      relation: 'Needed with `type: gue`, refused with the others.',
    }),
    checksum: choice(['none', 'checksum', 'remote-checksum'], {
      says: 'The checksum of the encapsulation.',
      default: 'none',
      example: 'checksum',
      relation: '`checksum` with gue and gre, `remote-checksum` with gue only.',
    }),
  }),
  {
    says: 'How packets are encapsulated.',
    default: '{ type: ipip }',
    example: '{ type: gue, port: 6080 }',
    relation: 'Only with `forward: tunnel`.',
  },
);

const address = (says: string, example: string, relation: string) =>
  text({ expects: 'an address', type: 'address', longest: 64 }, { says, example, relation });

export const server = section(
  {
    ...optional({
      address: address(
        'The address of the real server, alone or with its port.',
        '192.168.2.3',
        'Either `address` or `resolve`. Of the same family as the service, except with `forward: tunnel`.',
      ),
      resolve: serverName,
      name: name({
        says: 'The name of the server in events, in the API and in commands.',
        default: 'address and port; with `resolve`, its name in DNS',
        example: 'web1',
        relation: 'Unique in its service.',
      }),
      port: port(0, {
        says: 'The port on which the server listens.',
        default: "the service's port; 0 for a fwmark service (the port stays as it is)",
        example: '8080',
        relation:
          "With `direct` and `tunnel` it must be the service's port. 0 only where the service has port 0 or a fwmark. Not beside a port in `address`.",
      }),
      weight: integer(0, 2_147_483_647, {
        says: 'The share of new connections, relative to the other servers. 0 gives none.',
        default: '1',
        example: '2',
      }),
      forward: forward("the service's"),
      tunnel,
      'upper-threshold': integer(0, 4_294_967_295, {
        says: 'No new connections from this many on. 0 is no limit.',
        default: '0',
        example: '1000',
        unit: 'connections',
      }),
      'lower-threshold': integer(0, 4_294_967_295, {
        says: 'New connections again below this many. 0 leaves it to the kernel (3/4 of the upper one).',
        default: '0',
        example: '800',
        unit: 'connections',
        relation: 'Not above `upper-threshold`, and only with it.',
      }),
      tags: tags('Names under which maintenance windows find this server.'),
      ...checkKeys(
        'How this server is probed; keys that are missing come from the service.',
        "the service's `check` and `defaults.check`",
      ),
    }),
  },
  { says: 'A real server.', example: '{ address: 192.168.2.3, weight: 2 }' },
);

export type RawServer = Static<typeof server>;

const SERVER_EXPECTS = 'an address or a mapping (address, port, weight ...)';

const serverItem = Type.Unsafe<string | RawServer>({
  'x-expects': SERVER_EXPECTS,
  'x-type': 'address or server',
  description: 'A real server: its address, or a mapping.',
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { type: 'string', minLength: 1, maxLength: 64, 'x-expects': 'an address' },
  else: { ...server, 'x-expects': SERVER_EXPECTS },
});

export const persistence = section(
  optional({
    timeout: duration('1s', '31d', {
      says: 'How long a client comes back to the same server after its last connection has ended.',
      default: '300s',
      example: '360s',
      relation: 'Whole seconds.',
    }),
    netmask: integer(1, 128, {
      says: 'Clients whose addresses share this many leading bits count as one client.',
      default: '32 (IPv4), 128 (IPv6)',
      expects: 'a prefix length (1 to 128), such as 24',
      example: '24',
      unit: 'bits',
      relation: 'At most 32 for an IPv4 service.',
    }),
  }),
  {
    says: 'Connections of one client go to one server.',
    default: 'none',
    example: '{ timeout: 360s }',
  },
);

const SCHEDULER_FLAGS = [
  'flag-1',
  'flag-2',
  'flag-3',
  'sh-fallback',
  'sh-port',
  'mh-fallback',
  'mh-port',
] as const;

export const service = section(
  {
    ...optional({
      address: address(
        'The VIP and its port. An IPv6 address stands in brackets and in quotes.',
        '192.168.2.254:80',
        'Either `address`, `addresses` or `fwmark`. Port 0 (every port) only with `persistence`.',
      ),
      addresses,
      fwmark: mark('Either `address`, `addresses` or `fwmark`.'),
      family: family('Only with `fwmark`.'),
      protocol: choice(['tcp', 'udp', 'sctp'], {
        says: 'The protocol.',
        default: 'tcp',
        example: 'udp',
        relation: 'Not with `fwmark`, which takes them all.',
      }),
      scheduler: choice(SCHEDULERS, {
        says: 'How the kernel picks a server. Each is a module of the kernel (`ip_vs_wlc`); one that it lacks shows when the service is made.',
        default: 'wlc',
        example: 'wrr',
      }),
      flags: listOf(choice(SCHEDULER_FLAGS, { says: 'A flag of the scheduler.', example: 'sh-port' }), 3, {
        says: "The scheduler's flags.",
        default: 'none',
        example: '[sh-fallback, sh-port]',
        relation: '`sh-*` only with `scheduler: sh`, `mh-*` only with `mh`; `flag-1` to `flag-3` with any.',
      }),
      forward: forward('direct'),
      tunnel,
      persistence,
      'persistence-engine': choice(PERSISTENCE_ENGINES, {
        says: "What tells clients apart instead of their address: `sip` is a call's Call-ID.",
        default: 'none',
        example: 'sip',
        relation: 'Only with `persistence` and `protocol: udp` or `fwmark`.',
      }),
      'one-packet': yesNo({
        says: 'Every packet is scheduled by itself; no connection is kept.',
        default: 'false',
        example: 'true',
        relation: 'Only with `protocol: udp` or `fwmark`.',
      }),
      'on-failure': choice(['remove', 'quiesce'], {
        says: 'What happens to a server that is down: `remove` takes it out of the table; `quiesce` sets its weight to 0, so that its connections live on.',
        default: 'remove',
        example: 'quiesce',
      }),
      quorum,
      fallback: fallback<RawServer>(serverItem, SERVERS_MAX),
      admit,
      ...RAILS_KEYS,
      tags: tags('Names under which maintenance windows find all servers of this service.'),
      ...checkKeys(
        'How the servers are probed; keys that are missing come from `defaults.check`.',
        '`defaults.check`',
      ),
      drift: serviceDrift,
      'on-stop': onStop("the configuration's"),
      'on-remove': onRemove("the configuration's"),
    }),
    servers: listOf(
      serverItem,
      SERVERS_MAX,
      { says: 'The real servers.', example: '[192.168.2.2, { address: 192.168.2.3, weight: 2 }]' },
      false,
    ),
  },
  {
    says: 'A virtual service.',
    example: '{ address: 192.168.2.254:80, servers: [192.168.2.2, 192.168.2.3] }',
  },
);

export type RawService = Static<typeof service>;
export type RawTunnel = Static<typeof tunnel>;

export const webhook = section(
  {
    url: text(
      { expects: 'an http or https URL', type: 'URL', longest: 2048 },
      {
        says: 'Where events are posted. May refer to a secret.',
        example: 'https://alerts.example.org/lvs',
        secret: true,
      },
    ),
    ...optional({
      secret: text(
        { expects: 'text', longest: 1024 },
        {
          says: 'Key of the HMAC-SHA256 signature. Better a reference to a secret than the secret.',
          default: 'not signed',
          secret: true,
          example: `'\${env:HOOK_SECRET}'`,
        },
      ),
    }),
  },
  { says: 'Where the events go.', example: '{ url: https://alerts.example.org/lvs }' },
);

const eventKinds = Object.keys(EVENT_KINDS) as [EventKind, ...EventKind[]];

export const alert = section(
  {
    webhook,
    ...optional({
      on: listOf(
        choice(eventKinds, {
          says: 'A kind of event.',
          example: 'server-down',
          // The list is long by now.
          expects: 'an event, such as server-down; docs/alerts.md has them all',
        }),
        64,
        {
          says: 'The events to tell of.',
          default: '[server-down, server-up, service-lost, service-recovered]',
          example: '[service-lost, service-recovered]',
        },
      ),
      timeout: duration('100ms', '1m', {
        says: 'For one attempt, from connect to the last byte of the answer.',
        default: '5s',
        example: '3s',
      }),
      retries: integer(0, 20, {
        says: 'Attempts after the first; the pause between them grows.',
        default: '5',
        example: '3',
        unit: 'attempts',
      }),
    }),
  },
  { says: 'Who is told of what.', example: '{ webhook: { url: https://alerts.example.org/lvs } }' },
);

export type RawAlert = Static<typeof alert>;

export const defaults = section(optional({ check: check('What every check begins with.'), ...RAILS_KEYS }), {
  says: 'What holds where a service says nothing.',
  default: 'none',
  example: '{ check: { interval: 5s } }',
});

export type RawDefaults = Static<typeof defaults>;

export const root = section(
  {
    ...optional({
      name: name({
        says: 'The name of this director in events and alerts.',
        default: "the machine's host name",
        example: 'director-a',
      }),
      table: choice(['kernel', 'memory'], {
        says: "`kernel` is the kernel's IPVS table. `memory` needs no privilege and no ip_vs; it is for trying out and for tests.",
        default: 'kernel',
        example: 'memory',
      }),
      resync: duration('1s', '1h', {
        says: 'From one full look at the table to the next; what others changed is repaired then.',
        default: '10s',
        example: '30s',
      }),
      'path-marks': pathMarks,
      drift,
      exclusive,
      'cold-start': coldStart,
      'on-stop': onStop('keep'),
      'on-remove': onRemove('remove'),
      api,
      state,
      maintenance: named(maintenanceWindow, WINDOWS_MAX, {
        says: 'Times in which servers are drained, each under a name.',
        default: 'none',
        example: '{ kernel: { schedule: 0 3 * * sun, duration: 2h, tags: [rack-3] } }',
      }),
      defaults,
      alerts: named(alert, 100, {
        says: 'Who is told of what, each under a name.',
        default: 'none',
        example: '{ oncall: { webhook: { url: https://alerts.example.org/lvs } } }',
      }),
      hooks,
      tracks,
      vrrp,
      sync,
      timeouts,
      'mass-failure': massFailure,
      'probe-budget': probeBudget,
      resolve,
      services: named(service, SERVICES_MAX, {
        says: 'The virtual services, each under a name.',
        example: '{ web: { address: 192.168.2.254:80, servers: [192.168.2.2] } }',
        default: 'must be there',
        relation: 'In a folder, one of the files has them. `{}` where there are none.',
      }),
    }),
  },
  { says: 'The whole configuration.', example: '{ services: {} }' },
);

export type RawConfig = Static<typeof root>;

/** The published schema: JSON Schema draft-07, what editors understand best. */
export function configSchema(): Record<string, unknown> {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'lvsentry configuration',
    ...root,
    definitions: { check: checkDefinition },
  };
}
