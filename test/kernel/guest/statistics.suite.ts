/** What is counted, by every reader: ipvsadm, /proc/net/ip_vs, `lvsentry table`, and the daemon's own answers. */
import { IpvsClient } from '../../../src/ipvs/client.js';
import { type SortedService, sortedTable } from '../../../src/ipvs/ipvsadm.js';
import { systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { loadNative } from '../../../src/sys/native.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import type { Assertions } from '../../contract/assertions.js';
import { eventually, TestClient } from '../client.js';
import { Director } from '../director.js';
import { PROJECT } from '../lab.js';
import { startServers } from '../servers.js';
import { ADDRESSES, buildTopology, runOn, useMethod, VIP } from '../topology.js';

const PROGRAM = `${PROJECT}/dist/bundle/src/main.js`;
const REQUESTS = 7;
/** linux/sched.h */
const CLONE_NEWNET = 0x40000000;

const CONFIGURATION = `
name: director-a
table: kernel
resync: 1s
api: { listen: 127.0.0.1:8405 }
services:
  web:
    address: ${VIP}:80
    scheduler: rr
    forward: masquerade
    persistence: { timeout: 300s }
    check: { type: tcp, interval: 60s, timeout: 1s }
    servers: [{ name: web1, address: ${ADDRESSES.rs1} }, { name: web2, address: ${ADDRESSES.rs2} }]
`;

/** Entries in the order of the table, the service first, each as the words that this reader has for its numbers. */
type Reading = readonly (readonly number[])[];

/** The numbers at the end of each line that is an entry: behind its address, and \`Forward\` where there is one. */
function ipvsadm(count: number, ...options: readonly string[]): Reading {
  const lines = runOn('director', 'ipvsadm', '-Ln', ...options).split('\n');
  const entries = lines.filter((line) => /^(TCP|UDP|FWM| {2}->) .*\d$|^TCP /.test(line.trimEnd()));
  return entries.map((line) => {
    const words = line.trim().split(/\s+/);
    return words.slice(-count).map(Number);
  });
}

interface Traffic extends Readonly<Record<string, number>> {}

interface Table {
  readonly services: readonly {
    readonly stats: Traffic;
    readonly servers: readonly { readonly stats: Traffic }[];
  }[];
}

function lvsentryTable(): Table {
  return JSON.parse(runOn('director', process.execPath, PROGRAM, 'table', '--json')) as Table;
}

type Line = readonly (string | undefined)[];

const sorted = (lines: readonly Line[]): Line[] =>
  [...lines].sort((a, b) => (String(a) < String(b) ? -1 : 1));

/** Protocol, state and end points of each, without what is left of its time. */
function ipvsadmConnections(): Line[] {
  const lines = runOn('director', 'ipvsadm', '-Lnc').split('\n');
  const rows = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, left = '']) => /^\d+:\d+$/.test(left));
  return sorted(rows.map(([protocol, , ...rest]) => [protocol, ...rest]));
}

function lvsentryConnections(): Line[] {
  const lines = runOn('director', process.execPath, PROGRAM, 'table', '--connections', '--json')
    .trim()
    .split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
  return sorted(rows.map((row) => [row.protocol, row.state, row.client, row.virtual, row.server]));
}

const TOTALS = ['connections', 'packetsIn', 'packetsOut', 'bytesIn', 'bytesOut'];

function pick(traffic: Traffic, names: readonly string[]): number[] {
  return names.map((name) => traffic[name] ?? Number.NaN);
}

function readingOf(table: Table, names: readonly string[]): Reading {
  return table.services.flatMap(({ stats, servers }) =>
    [stats, ...servers.map((server) => server.stats)].map((each) => pick(each, names)),
  );
}

/** Weight, active and inactive connections of each server, in the order of their addresses, which stand there in hex. */
function procReading(): Reading {
  const lines = runOn('director', 'cat', '/proc/net/ip_vs').split('\n');
  return lines
    .filter((line) => /^ {2}-> [0-9A-F]{8}:/.test(line))
    .sort()
    .map((line) => line.trim().split(/\s+/).slice(-3).map(Number));
}

/** lvsentry's reader in this process, for readings between two others: a program takes too long to start. */
async function openTable(): Promise<IpvsClient> {
  const native = loadNative();
  const enter = (path: string) => {
    if (native.enterNamespace(path, CLONE_NEWNET) < 0) throw new Error(`cannot enter ${path}`);
  };
  enter('/run/netns/director');
  try {
    const client = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
    await client.info();
    return client;
  } finally {
    // The socket stays where it was opened.
    enter(`/proc/${process.ppid}/ns/net`);
  }
}

async function seen(client: IpvsClient): Promise<readonly SortedService[]> {
  return sortedTable(await client.dump());
}

/** Waits until the readings before and after ours are the same; gives that one and ours. */
async function between<T>(before: () => T, ours: () => Promise<T>): Promise<readonly T[]> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const pair = [before(), await ours()];
    const isSame = JSON.stringify(before()) === JSON.stringify(pair[0]);
    if (isSame || performance.now() > deadline) return pair;
  }
}

const FETCH =
  'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))';

function ask(path: string): string {
  return runOn('director', process.execPath, '-e', FETCH, `http://127.0.0.1:8405${path}`);
}

export async function suite(t: Assertions): Promise<void> {
  buildTopology();
  useMethod('masquerade');
  const folder = process.env.LAB_SHARED ?? '';
  await startServers(folder);
  const client = await TestClient.start();
  const director = new Director(`${folder}/statistics.yaml`);
  director.configure(CONFIGURATION);
  await director.start();
  for (let count = 0; count < REQUESTS; count += 1) await client.http(VIP);

  await t.test(
    'totals: ipvsadm --stats, `lvsentry table` and the daemon say the same, to the byte',
    async (t) => {
      // The kernel shows what its estimator has read, every two seconds: the first answers may be all zeros.
      let last = '';
      await eventually(() => {
        const [before, now] = [last, ipvsadm(5, '--stats', '--exact')];
        last = JSON.stringify(now);
        return last === before && now[0]?.[0] === REQUESTS;
      }, 20_000);
      const truth = ipvsadm(5, '--stats', '--exact');
      t.equal(truth.length, 3, 'a service and two servers');
      t.equal(truth[0]?.[0], REQUESTS, 'every request was counted');
      t.ok(
        (truth[0] ?? []).every((value) => value > 0),
        'in both directions',
      );
      t.strictSame(readingOf(lvsentryTable(), TOTALS), truth);
      const said = () => {
        const { services } = JSON.parse(ask('/v1/services')) as {
          services: { traffic: Traffic; servers: { traffic: Traffic }[] }[];
        };
        return services.flatMap(({ traffic, servers }) =>
          [traffic, ...servers.map((server) => server.traffic)].map((each) => pick(each, TOTALS)),
        );
      };
      await eventually(() => JSON.stringify(said()) === JSON.stringify(truth), 20_000);
      t.strictSame(said(), truth, 'after the next dump');
      const metrics = ask('/metrics');
      const names = ['connections', 'packets_in', 'packets_out', 'bytes_in', 'bytes_out'];
      const scraped = ['service="web"', 'service="web",server="web1"', 'service="web",server="web2"'].map(
        (labels) =>
          names.map((name) => {
            const kind = labels.includes('server') ? 'server' : 'service';
            const start = `lvsentry_${kind}_${name}_total{${labels}} `;
            return Number(
              metrics
                .split('\n')
                .find((line) => line.startsWith(start))
                ?.slice(start.length),
            );
          }),
      );
      t.strictSame(scraped, truth, 'and so say the metrics');
    },
  );

  const table = await openTable();

  await t.test('connections: /proc/net/ip_vs and ipvsadm say the same', async (t) => {
    const path = '/for/15000';
    const long = client.ask({ protocol: 'http', address: VIP, port: 80, path, timeoutMs: 60_000 });
    const active = () => procReading().reduce((sum, [, each = 0]) => sum + each, 0);
    t.ok(await eventually(() => active() === 1, 20_000), 'one connection is established');
    const servers = async () => (await seen(table)).flatMap(({ dests }) => dests);
    const ours = async () =>
      (await servers()).map((each) => [each.settings.weight, each.active, each.inactive]);
    const [inProc, mine] = await between(procReading, ours);
    t.strictSame(mine, inProc, '/proc/net/ip_vs');
    const [inList, again] = await between(() => ipvsadm(3).slice(1), ours);
    t.strictSame(again, inList, 'ipvsadm');
    const templates = (await servers()).reduce((sum, { persistent }) => sum + persistent, 0);
    t.equal(templates, 1, 'one client, one template');
    const [theirs, listed] = await between(ipvsadmConnections, async () => lvsentryConnections());
    t.strictSame(listed, theirs, '`lvsentry table --connections` and `ipvsadm -Lnc`');
    t.equal(listed?.filter(([, state]) => state === 'ESTABLISHED').length, 1, 'with the one connection');
    t.equal(active(), 1, 'the connection was there all the time');
    await long;
  });

  await t.test('rates: ipvsadm --rate says the same', async (t) => {
    const loop = client.loop(100, { protocol: 'http', address: VIP, port: 80, timeoutMs: 10_000 });
    const rates = () => ipvsadm(5, '--rate', '--exact');
    const isBusy = await eventually(() => (rates()[0] ?? []).every((rate) => rate > 0), 60_000);
    t.ok(isBusy, 'all five rates of the service are more than nothing');
    const ours = async () =>
      (await seen(table)).flatMap(({ service, dests }) =>
        [service, ...dests].map(({ stats }) =>
          [
            stats.connectionsPerSecond,
            stats.packetsInPerSecond,
            stats.packetsOutPerSecond,
            stats.bytesInPerSecond,
            stats.bytesOutPerSecond,
          ].map(Number),
        ),
      );
    // The kernel estimates anew every two seconds.
    const [theirs, mine] = await between(rates, ours);
    t.strictSame(mine, theirs);
    await loop.stop();
  });

  table.close();
  await director.stop();
}
