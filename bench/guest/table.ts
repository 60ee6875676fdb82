/**
 * Runs in the kernel lab: `FOLDER PROGRAM SERVICES SERVERS WHO`. The one who is named fills, changes and empties the
 * table, `others` do so without configuration; each figure is a line of JSON. What keepalived has no word for is measured
 * for lvsentry alone.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ip } from '../../src/core/ip.js';
import { IpvsClient } from '../../src/ipvs/client.js';
import type { IpvsTable, ObservedService, ServiceKey } from '../../src/ipvs/model.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openNetlink } from '../../src/sys/netlink.js';
import type { Figure } from '../figures.js';
import { askHeld } from '../held.js';
import { operations } from '../messages.js';
import {
  entries,
  ipvsadmLines,
  keepalivedConfig,
  lvsentryConfig,
  type Size,
  type Wish,
} from '../workload.js';

const WAIT_LIMIT_MS = 240_000;
/** A look holds the one processor of the lab for half a millisecond. */
const LOOK_EVERY_MS = 25;
/** After a load: both have finished their start by then, lvsentry its API and its workers. */
const CALM_MS = 6000;
/** From one dump to the next is ten seconds. */
const IDLE_MS = 12_000;
/** How many services one reload changes: its time should grow with them, and with nothing else. */
const CHANGES = [1, 10, 100, 1000];
/** Servers that go down at once, in services of ten. */
const DOWN: Size = { services: 100, servers: 10 };

const [folder = '', program = '', services = '', servers = '', who = ''] = process.argv.slice(2);
const size: Size = { services: Number(services), servers: Number(servers) };
const table: IpvsTable = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
const delayFile = join(folder, 'loop-delay.json');

/** What one daemon is started with and told. */
interface Contender {
  readonly name: Figure['contender'];
  readonly command: readonly string[];
  readonly configFile: string;
  readonly config: (wish: Wish) => string;
}

const keepalivedFile = join(folder, 'keepalived.conf');
const ourFile = join(folder, 'lvsentry.yaml');
const ours = [process.execPath, '--import', join(folder, 'loop-delay.mjs'), program];
const CONTENDERS: readonly Contender[] = [
  {
    name: 'keepalived',
    command: [
      'keepalived',
      '-C',
      '-n',
      '-f',
      keepalivedFile,
      '-p',
      join(folder, 'k'),
      '-c',
      join(folder, 'kc'),
    ],
    configFile: keepalivedFile,
    config: keepalivedConfig,
  },
  {
    name: 'lvsentry',
    command: [...ours, 'run', '-c', ourFile],
    configFile: ourFile,
    config: (wish) => lvsentryConfig(wish, `unix:${join(folder, 'api.sock')}`),
  },
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function tell(contender: Figure['contender'], figure: string, value: number): void {
  console.log(
    JSON.stringify({ contender, size: `${services} × ${servers}`, figure, value } satisfies Figure),
  );
}

async function until(what: string, reached: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + WAIT_LIMIT_MS;
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${WAIT_LIMIT_MS} ms`);
    await pause(LOOK_EVERY_MS);
  }
}

async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function keyOf(its: Size): ServiceKey {
  const address = ip(entries(its).at(-1)?.vip ?? '');
  return { kind: 'address', protocol: 'tcp', address, port: 80 };
}

/** Looks at the last service first: one small question while a daemon works, the whole table at the end. */
async function isComplete(its: Size): Promise<boolean> {
  const seen = await table.read(keyOf(its));
  if (seen?.dests.size !== its.servers) return false;
  const all = [...(await table.dump()).values()];
  return all.length === its.services && all.every((one) => one.dests.size === its.servers);
}

const heaviest = ({ dests }: ObservedService): number =>
  Math.max(...[...dests.values()].map(({ settings }) => settings.weight));

/** The last service is changed last: looked at first, and then all. */
async function areChanged(weight: number, changed: number): Promise<boolean> {
  const last = await table.read(keyOf(size));
  if (last === undefined || heaviest(last) !== weight) return false;
  if (changed === 1) return true;
  const all = [...(await table.dump()).values()];
  return all.filter((service) => heaviest(service) === weight).length === changed;
}

/** How many servers the last service has, and then how many all have. */
async function areDown(): Promise<boolean> {
  if ((await table.read(keyOf(DOWN)))?.dests.size !== 0) return false;
  return [...(await table.dump()).values()].every(({ dests }) => dests.size === 0);
}

function start({ command }: Contender): ChildProcess {
  const [file = '', ...args] = command;
  const env = { ...process.env, LOOP_DELAY_FILE: delayFile };
  return spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
}

/** Ends it, and waits for its children too: keepalived's checker may outlive it, and goes on emptying the table. */
async function stopped(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  child.kill('SIGTERM');
  await gone;
  const pids = children.filter((pid) => pid.trim() !== '');
  await until('its children', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
}

/** How long main's event loop was held since this was asked last. */
async function tellLoopDelay(child: ChildProcess, when: string): Promise<void> {
  const { p99, max } = await askHeld(child.pid ?? 0, delayFile);
  tell('lvsentry', `event loop of main held ${when}, p99`, p99);
  tell('lvsentry', `event loop of main held ${when}, longest`, max);
}

function tellMemory(child: ChildProcess, name: Contender['name']): void {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  tell(name, 'memory (RSS) of the process, MB', Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

async function loaded(one: Contender): Promise<ChildProcess> {
  await table.flush();
  writeFileSync(one.configFile, one.config({ size, weight: 1, changed: 1, isChecked: false }));
  const began = performance.now();
  const child = start(one);
  await until(`${one.name} load`, () => isComplete(size));
  tell(one.name, 'exec to table complete', performance.now() - began);
  await pause(CALM_MS);
  tellMemory(child, one.name);
  return child;
}

async function reloads(one: Contender, child: ChildProcess): Promise<void> {
  for (const [index, changed] of CHANGES.entries()) {
    const weight = 7 + index;
    writeFileSync(one.configFile, one.config({ size, weight, changed, isChecked: false }));
    const took = await timed(async () => {
      child.kill('SIGHUP');
      await until(`${one.name} reload`, () => areChanged(weight, changed));
    });
    tell(
      one.name,
      `reload, weights changed in ${changed === 1 ? 'one service' : `${changed} services`}`,
      took,
    );
    await pause(1000);
    if (one.name === 'lvsentry' && index === 0) await tellLoopDelay(child, 'by that reload');
  }
}

async function daemon(one: Contender): Promise<void> {
  const child = await loaded(one);
  if (one.name === 'lvsentry') {
    await tellLoopDelay(child, 'at the start');
    const words = [program, 'plan', '-c', ourFile];
    tell(one.name, 'plan on an unchanged table', await timed(() => spawnSync(process.execPath, words)));
    await pause(IDLE_MS);
    await tellLoopDelay(child, 'while nothing changes (dumps go on)');
  }
  await reloads(one, child);
  if (one.name === 'lvsentry') await tellLoopDelay(child, 'by the other reloads');
  tell(one.name, 'stop, table emptied', await timed(() => stopped(child)));
  // keepalived may be gone before its checker has emptied the table.
  tell(one.name, 'services left after the stop', (await table.dump()).size);
  await table.flush();
}

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.listen(80, '0.0.0.0', () => resolve(server));
  });
}

/** All servers refuse from one moment on; the checks find that out one after the other. */
async function goDown(one: Contender): Promise<void> {
  await table.flush();
  const server = await listening();
  writeFileSync(one.configFile, one.config({ size: DOWN, weight: 1, changed: 1, isChecked: true }));
  const child = start(one);
  await until(`${one.name} with checks`, () => isComplete(DOWN));
  await pause(CALM_MS);
  if (one.name === 'lvsentry') await tellLoopDelay(child, 'at the start with 1,000 checks');
  const down = await timed(async () => {
    server.close();
    await until(`${one.name} down`, areDown);
  });
  tell(one.name, '1,000 servers down at once, to all out', down);
  if (one.name === 'lvsentry') await tellLoopDelay(child, 'while they go down');
  await stopped(child);
}

async function others(): Promise<void> {
  // What is below this no program in JavaScript reaches here.
  tell(
    'lvsentry',
    'start and end of Node, nothing else',
    await timed(() => spawnSync(process.execPath, ['-e', '0'])),
  );
  await table.flush();
  writeFileSync(join(folder, 'save'), ipvsadmLines(size));
  const restore = `ipvsadm -R < ${join(folder, 'save')}`;
  tell('ipvsadm -R', 'exec to table complete', await timed(() => spawnSync('sh', ['-c', restore])));
  if (!(await isComplete(size))) throw new Error('ipvsadm leaves the table incomplete');
  await table.flush();
  const all = operations(size);
  tell('lvsentry', 'all changes applied, nothing else', await timed(() => table.apply(all)));
  if (!(await isComplete(size))) throw new Error('the client leaves the table incomplete');
  await table.flush();
  const lowest = [join(folder, 'lower-bound'), [join(folder, 'messages')]] as const;
  const least = await timed(() => spawnSync(...lowest, { stdio: 'inherit' }));
  for (const figure of ['exec to table complete', 'all changes applied, nothing else'])
    tell('C', figure, least);
  if (!(await isComplete(size))) throw new Error('the lower bound leaves the table incomplete');
  tell('C', 'stop, table emptied', await timed(() => table.flush()));
}

const one = CONTENDERS.find(({ name }) => name === who);
if (one === undefined) await others();
else {
  await daemon(one);
  if (size.services <= 1000) await goDown(one);
}
table.close();
process.exit(0);
