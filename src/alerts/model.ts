/** Events: what happened, for logs, the journal and alerts. */
import type { EpochMillis, Millis } from '../core/units.js';

/** Every kind of event; `alerts: on:` names them. */
export const EVENT_KINDS = {
  'server-down': 'A real server failed its check and was taken out of its service.',
  'server-up': 'A real server passed its check and is in its service (again).',
  'server-degraded':
    'A real server is up and keeps its weight, but a check warns, or one of several is down; the message says which.',
  'server-recovered': 'A real server that was degraded is no longer, and is up.',
  'service-lost': 'A virtual service has lost its quorum: too few servers serve, by default none.',
  'service-recovered': 'A virtual service has servers enough again.',
  'fallback-used':
    'A fallback serves in place of the servers of a virtual service, or another one than before.',
  'fallback-left': 'The servers of a virtual service serve again; its fallback does not.',
  'rail-held': 'A safety rail keeps servers in their service although they are down.',
  'rail-released': 'A safety rail holds these servers no longer; the message says what became of them.',
  'below-minimum': 'Fewer servers serve than `minimum-healthy` asks for: no rail can help that.',
  'minimum-met': 'As many servers serve again as `minimum-healthy` asks for.',
  'drain-started':
    'A real server gets no new clients any more: an operator or a maintenance window drains it.',
  'drain-progress': 'Half of the connections that a drain had left when it was told last are gone.',
  'drain-finished': 'A drain is over: nothing is left, or its deadline has come; the message says which.',
  'drain-undone': 'A drain was taken back, whether it was over or not.',
  'server-disabled': 'A real server was taken out of the table by an operator or a maintenance window.',
  'server-enabled': 'A real server that was disabled may serve again.',
  'weight-set': 'A real server got a weight in place of the configured one, or that one again.',
  'mass-failure':
    'Most servers failed at once: this director may be the sick one. The message says what is done about it.',
  'mass-failure-over': 'What was done about most servers having failed is over; the message says why.',
  'probes-stretched':
    'The probe budget makes intervals of checks longer than configured, or by another factor; the message says by how much.',
  'probes-unstretched': 'The probe budget is enough again: all intervals are as configured.',
  'daemon-started': 'lvsentry is ready: the table was read and the checks are running.',
  'daemon-stopping': 'lvsentry was told to stop.',
  'config-reloaded': 'A new configuration is in force.',
  'config-refused': 'A new configuration is wrong; the old one stays in force.',
  'table-drift':
    'The IPVS table was changed by somebody else; what is ours was repaired, or left as `drift: report` says.',
  'drift-accepted':
    'The IPVS table was changed by somebody else, and `drift: accept` makes it what is wanted.',
  'cold-start-over':
    'Servers had no verdict for as long as `cold-start` says: what their checks assume counts from now on.',
  'foreign-found': 'The IPVS table has a service or server that is not ours and was not seen before.',
  'table-error': 'The kernel refused a change of the IPVS table.',
  'worker-restarted': 'A worker thread ended unexpectedly and was started again.',
  'became-master': 'A virtual router became master: its virtual IPs are here now.',
  'became-backup': 'A virtual router is backup: another director has its virtual IPs, or takes them.',
  fault: 'A virtual router cannot take part: its interface is down, or what it tracks failed.',
  'hook-failed':
    'A program or FIFO could not be told of a change of role, or the program failed; the message says why.',
  'track-changed':
    'What a virtual router tracks changed: a script, a file or processes; the message says how.',
  'vip-restored': 'Somebody took a virtual IP away from the interface; it was put back and announced.',
  'vip-refused': 'A virtual IP cannot be set: the kernel refuses it, or another host has it.',
  'sync-role':
    'The synchronisation of connections changed its role in the kernel: told to others, or heard of.',
  'state-trouble':
    'What lvsentry keeps (admin state, verdicts, events) cannot be written, read or shared; the message says what and why.',
  'maintenance-begins':
    'A maintenance window is under way: its servers are drained. It is told again by a start in the middle of one.',
  'maintenance-ends':
    'A maintenance window is over: its servers are brought back; the message says which are down.',
  'verdicts-ignored':
    'A start does not use the last verdicts of the run before, or not all: too old, of another boot, or of other checks.',
  'name-changed': 'The name of servers has other addresses in DNS: servers came or went with them.',
  'name-trouble':
    'The name of servers cannot be looked up, or its answer cannot be believed; what was known last stays. The message says why.',
  'name-resolved': 'The name of servers is looked up again.',
  'state-restored': 'What lvsentry keeps is written or shared again.',
  'timeouts-set': 'The time-outs of connections in the kernel were set as configured, or put back.',
  'vrrp-trouble': 'Something is odd on the network or with this machine; the message says what.',
} as const;

export type EventKind = keyof typeof EVENT_KINDS;

export interface LvsEvent {
  /** Counts up from 1 in one run of the daemon. */
  readonly sequence: number;
  readonly at: EpochMillis;
  readonly kind: EventKind;
  /** The virtual service, by its name in the configuration. */
  readonly service: string | undefined;
  /** The real server, by its name in the configuration. */
  readonly server: string | undefined;
  /** One sentence for a person: what happened and why. */
  readonly message: string;
  /** The same as data: reason, phases, errno ... */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface WebhookTarget {
  readonly url: string;
  /** Key of the HMAC-SHA256 signature; undefined: not signed. */
  readonly secret: string | undefined;
}

/** One entry of `alerts:`. */
export interface AlertRule {
  readonly name: string;
  readonly webhook: WebhookTarget;
  readonly on: ReadonlySet<EventKind>;
  /** For one attempt, from connect to the last byte of the answer. */
  readonly timeout: Millis;
  /** Attempts after the first. */
  readonly retries: number;
}
