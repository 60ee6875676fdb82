/**
 * The whole picture: real requests through the VIP while lvsentry keeps the director's table, by every forwarding
 * method. What the table holds is read with ipvsadm, whether requests succeed is what the client saw.
 */
import type { Assertions } from '../../contract/assertions.js';
import { type ClientLoop, eventually, TestClient } from '../client.js';
import { Director, RECEIVER_PORT, Receiver, SECRET } from '../director.js';
import { prepareByLvsentry } from '../real-servers.js';
import { startServers, type TestServer, type TestServers } from '../servers.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, buildTopology, type Method, runOn, useMethod, VIP } from '../topology.js';

const RISE = 2;
const FALL = 2;

interface Pace {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** From one request of the client to the next. */
  readonly everyMs: number;
}

/** A login by FTP costs the guest tenths of a second, and a second where the machine is busy. */
const PACES: Readonly<Record<80 | 21, Pace>> = {
  80: { intervalMs: 1000, timeoutMs: 800, everyMs: 200 },
  21: { intervalMs: 3000, timeoutMs: 2900, everyMs: 1500 },
};

/** A probe may have passed just before the server broke; then `fall` more must fail, the last by its time limit. */
const leavesWithinMs = ({ intervalMs, timeoutMs }: Pace): number => FALL * intervalMs + timeoutMs;
const returnsWithinMs = ({ intervalMs, timeoutMs }: Pace): number => (RISE + 1) * intervalMs + timeoutMs;
/** To look with ipvsadm takes this long on the guest's one processor, and probes are late by as much. */
const SLACK_MS = 1500;

const WORDS: Readonly<Record<Method, string>> = {
  direct: '-g -w 1',
  masquerade: '-m -w 1',
  tunnel: '-i -w 1 --tun-type ipip',
};

const timesOf = ({ intervalMs, timeoutMs }: Pace): string =>
  `interval: ${intervalMs}ms, timeout: ${timeoutMs}ms`;

function configuration(method: Method): string {
  return `
name: director-a
resync: 2s
api: { listen: 127.0.0.1:8405 }
defaults:
  check: { rise: ${RISE}, fall: ${FALL} }
services:
  web:
    address: ${VIP}:80
    scheduler: wlc
    forward: ${method}
    check: { type: http, path: /, ${timesOf(PACES[80])} }
    servers:
      - { name: web1, address: ${ADDRESSES.rs1} }
      - { name: web2, address: ${ADDRESSES.rs2} }
  ftp:
    address: ${VIP}:21
    scheduler: wlc
    forward: ${method}
    persistence: { timeout: 360s }
    check: { type: ftp, file: /alive, ${timesOf(PACES[21])} }
    servers:
      - { name: ftp1, address: ${ADDRESSES.rs1} }
      - { name: ftp2, address: ${ADDRESSES.rs2} }
alerts:
  lab:
    webhook: { url: "http://127.0.0.1:${RECEIVER_PORT}/hook", secret: ${SECRET} }
    on: [server-down, server-up, service-lost, service-recovered]
`;
}

interface Lab extends TestServers {
  readonly client: TestClient;
  readonly director: Director;
}

/** What ipvsadm should print: `without` names the server that is out of the service on that port. */
function expectedTable(method: Method, without?: { port: number; server: 'rs1' | 'rs2' }): string[] {
  return [21, 80].flatMap((port) => {
    const persistence = port === 21 ? ' -p 360' : '';
    const servers = (['rs1', 'rs2'] as const).filter(
      (server) => without === undefined || without.port !== port || without.server !== server,
    );
    return [
      `-A -t ${VIP}:${port} -s wlc${persistence}`,
      ...servers.map((server) => `-a -t ${VIP}:${port} -r ${ADDRESSES[server]}:${port} ${WORDS[method]}`),
    ];
  });
}

interface Break {
  readonly name: string;
  readonly port: 80 | 21;
  readonly server: (lab: Lab) => TestServer;
  readonly make: (server: TestServer) => Promise<void> | void;
  readonly heal: (server: TestServer) => Promise<void> | void;
  /** What the log says of it. */
  readonly reason: string;
}

const HTTP_BREAKS: readonly Break[] = [
  {
    name: 'stopped',
    port: 80,
    server: ({ http }) => http.rs2,
    make: (server) => server.stop(),
    heal: (server) => server.start(),
    reason: 'refused',
  },
  {
    name: 'frozen',
    port: 80,
    server: ({ http }) => http.rs2,
    make: (server) => server.freeze(),
    heal: (server) => server.thaw(),
    reason: 'timeout',
  },
  {
    name: 'answering 500',
    port: 80,
    server: ({ http }) => http.rs2,
    make: (server) => server.order({ status: 500 }),
    heal: (server) => server.order({ status: 200 }),
    reason: 'bad-status',
  },
];

const FTP_BREAKS: readonly Break[] = [
  {
    name: 'stopped',
    port: 21,
    server: ({ ftp }) => ftp.rs2,
    make: (server) => server.stop(),
    heal: (server) => server.start(),
    reason: 'refused',
  },
  {
    name: 'frozen',
    port: 21,
    server: ({ ftp }) => ftp.rs2,
    make: (server) => server.freeze(),
    heal: (server) => server.thaw(),
    reason: 'timeout',
  },
];

function failures(recorded: ClientLoop['recorded'], fromMs: number): string[] {
  return recorded
    .filter(({ atMs, status }) => atMs > fromMs && status !== 200 && status !== 230)
    .map(({ atMs, status, error }) => `${Math.round(atMs)} ms: ${error ?? status}`);
}

/** A server breaks and heals under traffic: it leaves, nobody notices from then on, it returns. */
async function breakAndHeal(
  t: Assertions,
  lab: Lab,
  method: Method,
  one: Break,
  downs: string[],
): Promise<void> {
  const server = one.server(lab);
  const protocol = one.port === 80 ? 'http' : 'ftp';
  const pace = PACES[one.port];
  const loop = lab.client.loop(pace.everyMs, { protocol, address: VIP, port: one.port, timeoutMs: 5000 });
  const began = performance.now();
  await one.make(server);
  const without = expectedTable(method, { port: one.port, server: 'rs2' });
  await tableBecomes(
    t,
    without,
    'it leaves the table, and nothing else changes',
    leavesWithinMs(pace) + SLACK_MS,
  );
  const leftAt = performance.now() - began;
  downs.push(one.reason);
  await eventually(() => lab.director.downs.length >= downs.length, 5000);
  t.strictSame(lab.director.downs, downs, 'for the right reason');
  for (let count = 0; count < 4; count += 1)
    await lab.client.ask({ protocol, address: VIP, port: one.port, timeoutMs: 5000 });
  t.strictSame(failures(await loop.stop(), leftAt), [], 'every later request succeeds');
  await one.heal(server);
  await tableBecomes(t, expectedTable(method), 'it returns', returnsWithinMs(pace) + SLACK_MS);
}

async function suiteOfMethod(t: Assertions, lab: Lab, method: Method): Promise<void> {
  useMethod(method);
  const receiver = await Receiver.start();
  lab.director.configure(configuration(method));
  await t.test('from an empty table to the configured one', async (t) => {
    await lab.director.start();
    await tableBecomes(t, expectedTable(method), 'ipvsadm prints what the configuration says', 5000);
    // A lab that others hold up may be slower than the client's patience.
    const answers = async (status: number, ask: () => Promise<{ status?: number | undefined }>) =>
      t.ok(
        await eventually(async () => (await ask()).status === status, 60_000),
        `the client gets ${status}`,
      );
    await answers(200, () => lab.client.http(VIP));
    await answers(230, () => lab.client.ftp(VIP));
  });
  // One way is enough to see all breaks; by the others the refused and the silent server are seen.
  const breaks =
    method === 'direct'
      ? [...HTTP_BREAKS, ...FTP_BREAKS]
      : [...HTTP_BREAKS.slice(0, 2), ...FTP_BREAKS.slice(0, 1)];
  const downs: string[] = [];
  for (const one of breaks) {
    await t.test(`port ${one.port}, a server ${one.name}`, (t) => breakAndHeal(t, lab, method, one, downs));
  }
  if (method === 'direct')
    await t.test('kill -9 and a restart under traffic', (t) => killAndRestart(t, lab, method));
  await t.test('the webhooks tell exactly the transitions, in order, signed', async (t) => {
    const expected = breaks.flatMap(({ port }) => {
      const name = port === 80 ? 'web2' : 'ftp2';
      return [`server-down ${name}`, `server-up ${name}`];
    });
    await eventually(() => receiver.received.length >= expected.length, 5000);
    t.strictSame(receiver.told, expected);
    t.strictSame(receiver.forged, []);
  });
  await t.test('a stop leaves the table as it is', async (t) => {
    await lab.director.stop();
    t.equal(lab.director.process.child.exitCode, 0);
    await tableBecomes(t, expectedTable(method), 'nothing changed', 0);
  });
  await receiver.stop();
  runOn('director', 'ipvsadm', '-C');
}

/** Promise 1: a restart adopts the table as it stands. */
async function killAndRestart(t: Assertions, lab: Lab, method: Method): Promise<void> {
  const before = runOn('director', 'ipvsadm', '-Ln', '--stats', '--exact');
  const loop = lab.client.loop(100, { protocol: 'http', address: VIP, port: 80, timeoutMs: 5000 });
  const long = lab.client.ask({
    protocol: 'http',
    address: VIP,
    port: 80,
    path: '/for/12000',
    timeoutMs: 60_000,
  });
  await eventually(() => loop.recorded.length > 2, 10_000);
  await lab.director.stop('SIGKILL');
  await tableBecomes(t, expectedTable(method), 'the table stands without the daemon', 0);
  await lab.director.start();
  await eventually(() => loop.recorded.length > 40, 20_000);
  // Two intervals: the first verdicts are in, and a resync has passed.
  await eventually(() => false, 2 * PACES[21].intervalMs);
  t.strictSame(failures(await loop.stop(), 0), [], 'no request failed');
  t.equal((await long).status, 200, 'a connection from before the kill lived through it all');
  t.equal(lab.director.changes, 0, 'nothing that was right was written');
  await tableBecomes(t, expectedTable(method), 'the table is the same', 0);
  t.ok(connections() > connections(before), 'and so are its entries: their counters went on');
}

/** Connections that the service on port 80 has counted. */
function connections(stats = runOn('director', 'ipvsadm', '-Ln', '--stats', '--exact')): number {
  const row = stats.split('\n').find((line) => line.includes(`${VIP}:80 `));
  return Number(row?.trim().split(/\s+/)[2]);
}

export async function suite(t: Assertions): Promise<void> {
  buildTopology(prepareByLvsentry);
  const folder = process.env.LAB_SHARED ?? '';
  const lab: Lab = {
    ...(await startServers(folder)),
    client: await TestClient.start(),
    director: new Director(`${folder}/whole.yaml`),
  };
  for (const method of ['direct', 'masquerade', 'tunnel'] as const) {
    await t.test(method, (t) => suiteOfMethod(t, lab, method));
  }
}
