/** `lvsentry table`: the kernel's table, with or without a daemon. */

import { foreignTexts, NOTHING_FOREIGN } from '../ipvs/foreign.js';
import {
  type SortedService,
  saveLines,
  saveLosses,
  schedulerFlagsText,
  sortedTable,
} from '../ipvs/ipvsadm.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type {
  DestSeen,
  DestSettings,
  IpvsInfo,
  ObservedTable,
  ServiceSettings,
  Stats,
  SyncDaemon,
} from '../ipvs/model.js';
import type { Foreign } from '../ipvs/ownership.js';
import { syncDaemonText } from '../ipvs/sync.js';
import { columns } from './columns.js';
import { printConnections } from './connections.js';
import { type CliContext, EXIT, type Given } from './context.js';

type Row = readonly string[];

/** One way to list the table: headings, and the numbers of a row. */
interface View {
  readonly headings: Row;
  readonly ofService: (stats: Stats) => Row;
  readonly ofDest: (dest: DestSeen) => Row;
}

const totals = (stats: Stats): Row =>
  [stats.connections, stats.packetsIn, stats.packetsOut, stats.bytesIn, stats.bytesOut].map(String);

const rates = (stats: Stats): Row =>
  [
    stats.connectionsPerSecond,
    stats.packetsInPerSecond,
    stats.packetsOutPerSecond,
    stats.bytesInPerSecond,
    stats.bytesOutPerSecond,
  ].map(String);

const PLAIN: View = {
  headings: ['WEIGHT', 'ACTIVE', 'INACTIVE'],
  ofService: () => [],
  ofDest: ({ settings, active, inactive }) => [settings.weight, active, inactive].map(String),
};
const TOTALS: View = {
  headings: ['CONNECTIONS', 'PACKETS IN', 'PACKETS OUT', 'BYTES IN', 'BYTES OUT'],
  ofService: totals,
  ofDest: ({ stats }) => totals(stats),
};
const RATES: View = {
  headings: ['CONNECTIONS/S', 'PACKETS IN/S', 'PACKETS OUT/S', 'BYTES IN/S', 'BYTES OUT/S'],
  ofService: rates,
  ofDest: ({ stats }) => rates(stats),
};

function schedulerText(settings: ServiceSettings): string {
  const { scheduler, persistence, persistenceEngine, onePacket } = settings;
  const words = [scheduler];
  const flags = schedulerFlagsText(settings);
  if (flags !== undefined) words.push(flags);
  if (persistence !== undefined)
    words.push(`persistent ${persistence.timeoutSeconds}s/${persistence.prefix}`);
  if (persistenceEngine !== undefined) words.push(`by ${persistenceEngine}`);
  if (onePacket) words.push('one-packet');
  return words.join(' ');
}

function forwardText({ forward, upperThreshold, lowerThreshold }: DestSettings): string {
  const words: string[] = [forward.method];
  if (forward.method === 'tunnel') {
    words.push(forward.type === 'gue' ? `gue:${forward.port}` : forward.type);
    if (forward.checksum !== 'none') words.push(forward.checksum);
  }
  if (upperThreshold > 0) words.push(`limits ${lowerThreshold}-${upperThreshold}`);
  return words.join(' ');
}

function listLines(services: readonly SortedService[], view: View): string[] {
  if (services.length === 0) return ['the table is empty'];
  const rows: Row[] = [['SERVICE / SERVER', 'SCHEDULER / FORWARD', ...view.headings]];
  for (const { service, dests } of services) {
    rows.push([serviceText(service.key), schedulerText(service.settings), ...view.ofService(service.stats)]);
    for (const dest of dests)
      rows.push([`  ${destText(dest.key)}`, forwardText(dest.settings), ...view.ofDest(dest)]);
  }
  return columns(rows, new Set(view.headings.map((_, index) => index + 2)));
}

/** Counters are 64-bit: exact up to 2^53, which a gigabit line reaches after two years. */
const asNumber = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? Number(value) : value;

/** What a kernel holds of IPVS. */
interface Found {
  readonly info: IpvsInfo;
  readonly table: ObservedTable;
  readonly daemons: readonly SyncDaemon[];
  readonly foreign: Foreign;
}

function tableJson({ info, table, daemons, foreign }: Found): string {
  const body = {
    ...info,
    syncDaemons: daemons,
    foreign: foreignTexts(foreign),
    services: sortedTable(table).map(({ service, dests }) => ({
      service: serviceText(service.key),
      ...service.settings,
      persistence: service.settings.persistence ?? null,
      persistenceEngine: service.settings.persistenceEngine ?? null,
      stats: service.stats,
      servers: dests.map(({ key, settings, ...seen }) => ({ ...key, ...settings, ...seen })),
    })),
  };
  return JSON.stringify(body, asNumber);
}

function print(context: CliContext, given: Given, found: Found): void {
  const { table, daemons, foreign } = found;
  if (given.flag('save')) {
    for (const line of saveLines(table)) context.out(line);
    for (const loss of saveLosses(table)) context.err(`lvsentry: not in what ipvsadm can read: ${loss}`);
  } else if (given.flag('json')) {
    context.out(tableJson(found));
  } else {
    const view = given.flag('stats') ? TOTALS : given.flag('rate') ? RATES : PLAIN;
    for (const line of listLines(sortedTable(table), view)) context.out(line);
    for (const daemon of daemons) context.out(`sync daemon: ${syncDaemonText(daemon)}`);
    for (const text of foreignTexts(foreign)) context.out(`foreign: ${text}`);
  }
}

/** The foreign entries of a table, where a configuration says what is ours; they are told below it, and in the JSON. */
async function foreignIn(
  context: CliContext,
  given: Given,
): Promise<((table: ObservedTable) => Foreign) | undefined> {
  if (given.text('config') === undefined) return () => NOTHING_FOREIGN;
  // The configuration's reader is slow to load, and mostly not needed here.
  const [{ readConfig }, { rememberedNames, startPlan }] = await Promise.all([
    import('./config.js'),
    import('./start-plan.js'),
  ]);
  const config = readConfig(context, given);
  if (config === undefined) return undefined;
  const remembered = await rememberedNames(config);
  return (table) => startPlan(config, { table, remembered }, false).foreign;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  if (given.flag('connections')) {
    await printConnections(context, given.flag('json'));
    return EXIT.done;
  }
  const foreignOf = await foreignIn(context, given);
  if (foreignOf === undefined) return EXIT.config;
  const table = await context.openKernelTable();
  try {
    const info = await table.info();
    const seen = await table.dump();
    const foreign = foreignOf(seen);
    print(context, given, { info, table: seen, daemons: await table.syncDaemons(), foreign });
  } finally {
    table.close();
  }
  return EXIT.done;
}
