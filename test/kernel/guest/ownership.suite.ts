/** Beside a real kernel: tables that others made are taken over without a write, and what is ours goes as it is told to. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Assertions } from '../../contract/assertions.js';
import { eventually, TestClient } from '../client.js';
import { Director } from '../director.js';
import type { GuestProcess } from '../process.js';
import { httpServer } from '../servers.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, buildTopology, directorTable, runOn, startOn, VIP } from '../topology.js';

const FOLDER = process.env.LAB_SHARED ?? '';
const WEB = `-A -t ${VIP}:80 -s wlc`;
const server = (address: string, weight = 1): string => `-a -t ${VIP}:80 -r ${address}:80 -g -w ${weight}`;
const WHOLE = [WEB, server(ADDRESSES.rs1), server(ADDRESSES.rs2)];
const FOREIGN = ['-A -t 192.0.2.200:80 -s rr', '-a -t 192.0.2.200:80 -r 192.0.2.201:80 -m -w 3'];
const MAKER_LIMIT_MS = 60_000;

const configuration = (extra = '', servers = `${ADDRESSES.rs1}, ${ADDRESSES.rs2}`): string => `
name: director-a
resync: 1s
api: { listen: 127.0.0.1:8405 }
defaults: { check: { interval: 1s, timeout: 900ms } }
services:
  web:
    address: ${VIP}:80
    servers: [${servers}]
${extra}`;

const ipvsadm = (line: string): string => runOn('director', 'ipvsadm', ...line.split(' '));

/** Who else makes tables. */
interface Maker {
  readonly name: string;
  /** Starts it; undefined where it is not one that runs. */
  readonly start: () => GuestProcess | undefined;
}

const KEEPALIVED = `
virtual_server ${VIP} 80 {
  delay_loop 1
  lb_algo wlc
  lb_kind DR
  protocol TCP
  real_server ${ADDRESSES.rs1} 80 { weight 1 TCP_CHECK { connect_timeout 2 } }
  real_server ${ADDRESSES.rs2} 80 { weight 1 TCP_CHECK { connect_timeout 2 } }
}
`
  .replaceAll(' { weight', ' {\n weight')
  .replaceAll(' TCP_CHECK { ', '\n TCP_CHECK {\n ')
  .replaceAll(' } }', '\n }\n}');

const LDIRECTORD = `checktimeout=2
checkinterval=1
quiescent=no
virtual=${VIP}:80
\treal=${ADDRESSES.rs1}:80 gate 1
\treal=${ADDRESSES.rs2}:80 gate 1
\tchecktype=connect
\tscheduler=wlc
\tprotocol=tcp
`;

function written(name: string, text: string): string {
  const path = `${FOLDER}/${name}`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const MAKERS: readonly Maker[] = [
  {
    name: 'keepalived',
    start: () => {
      const pids = ['-p', `${FOLDER}/keepalived.pid`, '-c', `${FOLDER}/checkers.pid`];
      return startOn(
        'director',
        'keepalived',
        '-C',
        '-n',
        '-l',
        '-f',
        written('keepalived.conf', KEEPALIVED),
        ...pids,
      );
    },
  },
  {
    name: 'ldirectord',
    start: () => startOn('director', 'ldirectord', '-d', written('ldirectord.cf', LDIRECTORD), 'start'),
  },
  {
    name: 'ipvsadm',
    start: () => {
      for (const line of WHOLE) ipvsadm(line);
      return undefined;
    },
  },
];

/** It and its children, without a chance to put anything away: asked to end, both empty their tables. */
function kill(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((each) => each !== '');
  for (const child of children) kill(Number(child));
  process.kill(pid, 'SIGKILL');
}

async function takesOver(t: Assertions, director: Director, client: TestClient, maker: Maker): Promise<void> {
  const its = maker.start();
  const isMade = await eventually(() => directorTable().length === WHOLE.length, MAKER_LIMIT_MS);
  if (!isMade)
    throw new Error(`${maker.name} makes no table:\n${its?.lines.join('\n')}\n${directorTable().join('\n')}`);
  await tableBecomes(t, WHOLE, `${maker.name} has made the table`, 0);
  const loop = client.loop(200, { protocol: 'http', address: VIP, port: 80, timeoutMs: 10_000 });
  director.configure(configuration());
  await director.start();
  if (its !== undefined) kill(its.pid);
  // The API listens a moment after the start.
  const ask = 'curl -s http://127.0.0.1:8405/readyz || true';
  const isReady = (): boolean => runOn('director', 'sh', '-c', ask).includes('true');
  t.ok(await eventually(isReady, 20_000), 'both servers have their verdicts');
  // Some looks at the table pass.
  const began = loop.recorded.length;
  await eventually(() => loop.recorded.length > began + 20, 30_000);
  const bad = (await loop.stop()).filter(({ status }) => status !== 200);
  t.strictSame(bad, [], 'no request failed');
  t.equal(director.changes, 0, 'nothing that was right was written');
  t.equal(director.events('table-drift').length + director.events('foreign-found').length, 0);
  await tableBecomes(t, WHOLE, 'the table is as it was', 0);
  await director.stop();
  await tableBecomes(t, WHOLE, 'and so it is left', 0);
  ipvsadm('-C');
}

async function drift(t: Assertions, director: Director): Promise<void> {
  director.configure(configuration('drift: { weight: accept, removed: report }'));
  await director.start();
  await tableBecomes(t, WHOLE, 'to begin with');
  ipvsadm(`-e -t ${VIP}:80 -r ${ADDRESSES.rs1}:80 -g -w 9`);
  t.ok(await eventually(() => director.events('drift-accepted').length === 1, 10_000), 'it is accepted');
  ipvsadm(`-d -t ${VIP}:80 -r ${ADDRESSES.rs2}:80`);
  t.ok(await eventually(() => director.events('table-drift').length === 1, 10_000), 'it is reported');
  const left = [WEB, server(ADDRESSES.rs1, 9)];
  await tableBecomes(t, left, 'both stay as somebody made them', 0);
  director.reload();
  await tableBecomes(t, [...left, server(ADDRESSES.rs2)], 'a reload repairs what was only reported');
  t.equal(director.events('drift-accepted').length + director.events('table-drift').length, 2, 'told once');
  for (const line of FOREIGN) ipvsadm(line);
  t.ok(
    await eventually(() => director.events('foreign-found').length === 1, 10_000),
    'what is foreign is told',
  );
  director.configure(configuration('exclusive: true'));
  director.reload();
  await tableBecomes(t, WHOLE, 'exclusive: it goes, and what was accepted is repaired');
  await director.stop();
}

async function leaving(t: Assertions, director: Director, client: TestClient): Promise<void> {
  for (const line of FOREIGN) ipvsadm(line);
  director.configure(configuration('on-stop: { drain: 15s }\non-remove: { drain: 15s }'));
  await director.start();
  await tableBecomes(t, [...WHOLE, ...FOREIGN], 'to begin with');
  // One long answer from each server, for the scheduler gives connections in turn.
  const long = { protocol: 'http', address: VIP, port: 80, path: '/for/6000', timeoutMs: 60_000 } as const;
  const first = [client.ask(long), client.ask(long)];
  await eventually(() => (ipvsadm('-Ln').match(/ 1 +\d+ *\n/g)?.length ?? 0) === 2, 5000);
  director.configure(configuration('on-stop: { drain: 15s }\non-remove: { drain: 15s }', ADDRESSES.rs1));
  director.reload();
  await tableBecomes(t, [WEB, server(ADDRESSES.rs1), server(ADDRESSES.rs2, 0), ...FOREIGN], 'it drains');
  t.strictSame(
    (await Promise.all(first)).map(({ status }) => status),
    [200, 200],
    'its connections live on',
  );
  await tableBecomes(t, [WEB, server(ADDRESSES.rs1), ...FOREIGN], 'then it goes', 60_000);
  const last = client.ask({ ...long, path: '/for/3000' });
  await eventually(() => / 1 +\d+ *\n/.test(ipvsadm('-Ln')), 5000);
  const stopped = director.stop('SIGTERM');
  t.equal((await last).status, 200, 'a stop that drains lets them end, too');
  await stopped;
  await tableBecomes(t, FOREIGN, 'and takes away what is ours alone', 0);
  ipvsadm('-C');
}

export async function suite(t: Assertions): Promise<void> {
  buildTopology();
  await Promise.all([httpServer('rs1').start(), httpServer('rs2').start()]);
  const client = await TestClient.start();
  const director = new Director(`${FOLDER}/ownership.yaml`);
  for (const maker of MAKERS)
    await t.test(`a table made by ${maker.name} is taken over under traffic`, (t) =>
      takesOver(t, director, client, maker),
    );
  await t.test('drift is accepted, reported, repaired; foreign entries stay until told otherwise', (t) =>
    drift(t, director),
  );
  await t.test('what leaves drains first, from the configuration and at a stop', (t) =>
    leaving(t, director, client),
  );
}
