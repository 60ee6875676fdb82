/** Prometheus' text format, version 0.0.4: what a metric is, and how it is written. */
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import { entriesOf } from '../policy/desired.js';
import { serverId } from '../policy/judge.js';
import type { ServerId } from '../policy/model.js';
import type { World } from '../world.js';
import { destsOf, serverTraffic, serviceTraffic, type Traffic, weightOf } from './traffic.js';

/** Names and values, in the order in which they are written. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** Counters of the kernel have 64 bits, and are written with all of them. */
export type Emit = (labels: Labels, value: number | bigint) => void;

/** One family of samples. A new one is a row in one of the metrics-*.ts files, and a line in docs/metrics.md. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Names of the labels, as `emit` gets them. */
  readonly labels: readonly string[];
  /** All samples of a world, of what is not of a service. */
  readonly ofWorld?: (world: World, emit: Emit) => void;
  /** The samples of one service: services are written in slices, for there may be many. */
  readonly ofService?: (service: ServiceView, emit: Emit) => void;
}

/** A service, and all of a world that its metrics are made of: gathered once for all of them. */
export interface ServiceView {
  readonly world: World;
  readonly service: ServiceConfig;
  /** Whether the table holds all its entries. */
  readonly inTable: boolean;
  /** Undefined where the table holds none of its entries. */
  readonly traffic: Traffic | undefined;
  readonly servers: readonly ServerView[];
}

export interface ServerView {
  readonly server: ServerConfig | FallbackServer;
  readonly id: ServerId;
  /** Its weight in the table, and what is counted there; undefined where the table does not hold it. */
  readonly weight: number | undefined;
  readonly traffic: Traffic | undefined;
}

export function serviceView(service: ServiceConfig, world: World): ServiceView {
  const seen = entriesOf(service).map((entry) => world.observed?.get(entry));
  const servers = [...service.servers, ...service.fallback.flat()].map((server): ServerView => {
    const dests = destsOf(service, server, seen);
    const weight = weightOf(dests);
    return { server, id: serverId(service, server), weight, traffic: serverTraffic(dests) };
  });
  const inTable = seen.every((entry) => entry !== undefined);
  return { world, service, inTable, traffic: serviceTraffic(seen), servers };
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function labelText(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

/** The two lines above the samples. */
export function headText({ name, help, type }: Metric): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

export function sampleText(name: string, labels: Labels, value: number | bigint): string {
  return `${name}${labelText(labels)} ${value}\n`;
}
