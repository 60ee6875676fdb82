/** JSON Schemas of what the API says of virtual routers. */
import type { Lateness } from '../vrrp/status.js';
import { choice, count, flag, list, objectOf, orNull, text } from './schema-kit.js';
import type { ContributionStatus, RouterStatus, SquatterStatus, VrrpStatus } from './vrrp.js';

export const LATENESS_SCHEMA = objectOf<Lateness>('How late something was, in microseconds.', {
  count: count('How often it was measured.'),
  p50: count('Of the last 1024 to 2048 times.'),
  p99: count('Of the last 1024 to 2048 times.'),
  max: count('Of all times.'),
});

export const CONTRIBUTION_SCHEMA = objectOf<ContributionStatus>(
  'What one tracked object does to a priority.',
  {
    of: text('The object, and how it is.'),
    points: { type: 'integer', description: 'Added to the priority.' },
    fault: flag('Whether the router cannot take part for it.'),
  },
);

export const SQUATTER_SCHEMA = objectOf<SquatterStatus>('Another machine that has virtual IPs of a router.', {
  mac: text('Its MAC.'),
  addresses: list(text('A virtual IP.'), 'Some of them.'),
  since: text('When it was heard first.'),
});

export const ROUTER_SCHEMA = objectOf<RouterStatus>(
  'One virtual router. It counts since its thread started.',
  {
    name: text('Its name in the configuration.'),
    interface: text('Where it speaks and has its virtual IPs.'),
    id: count('Its virtual router id.'),
    family: choice(['ipv4', 'ipv6'], 'Of its virtual IPs.'),
    version: count('Of VRRP.'),
    role: choice(['initialize', 'backup', 'master', 'fault'], 'What it is now.'),
    since: orNull(text('Since when; null before its thread has spoken.')),
    cause: orNull(text('Why: `master-silent`, `higher-priority` ...; null before the first change.')),
    priority: count('What it works with.'),
    base: count('As configured.'),
    contributions: list(CONTRIBUTION_SCHEMA, 'How the priority came about.'),
    faults: list(text('One fault.'), 'Why it cannot take part; empty where it can.'),
    master: orNull(text('Address of the master; null where it is not known.')),
    addresses: list(text('With the prefix length.'), 'Its virtual IPs.'),
    squatters: list(SQUATTER_SCHEMA, 'Who else has its virtual IPs while it is master.'),
    sent: count('Adverts sent.'),
    received: count('Adverts that were heard and counted.'),
    sendErrors: count('Packets that were not sent.'),
    announced: count('Gratuitous ARPs and neighbour advertisements.'),
    mirrored: count('Of these, those that came in again with our own MAC.'),
    putBack: count('Virtual IPs that somebody took away and that were put back.'),
    becameMaster: count('How often it became master.'),
    discarded: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0 },
      description: 'Packets that were ignored, by reason.',
    },
    odd: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0 },
      description: 'Adverts that were heard although something about them is odd, by what it is.',
    },
    lateness: LATENESS_SCHEMA,
  },
);

export const VRRP_SCHEMA = objectOf<VrrpStatus>('The virtual routers.', {
  running: flag('Whether their thread has spoken.'),
  routers: list(ROUTER_SCHEMA, 'In the order of the configuration.'),
  loop: LATENESS_SCHEMA,
  strangers: count('Packets of ids that no virtual router here has.'),
  unreadable: count('Packets that nothing could be made of.'),
});
