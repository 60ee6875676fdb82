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
const LOOK_EVERY_MS = 10;
/** After a load: both have finished their start by then, lvsentry its API and its workers. */
const CALM_MS = 6000;
/** From one dump to the next is ten seconds. */
const IDLE_MS = 12_000;
/** How many services one reload changes: its time should grow with them, and with nothing else. */
const CHANGES = [1, 10, 100, 1000];
/** Of each: some meet a dump. */
const ROUNDS = 3;
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

/**
 * What is looked for is asked of the last service, which is changed last: a small question while a daemon works. Where
 * that has come the whole table is looked at, which takes longer than many changes do, and is nobody's time.
 */
interface Sought {
  readonly last: (seen: ObservedService | undefined) => boolean;
  readonly all: (seen: readonly ObservedService[]) => boolean;
}

function complete({ services, servers }: Size): Sought {
  const isWhole = (one: ObservedService | undefined): boolean => one?.dests.size === servers;
  return { last: isWhole, all: (seen) => seen.length === services && seen.every(isWhole) };
}

const isReached = async ({ all }: Sought): Promise<boolean> => all([...(await table.dump()).values()]);

const heaviest = ({ dests }: ObservedService): number =>
  Math.max(...[...dests.values()].map(({ settings }) => settings.weight));

function changedTo(weight: number, changed: number): Sought {
  const isChanged = (one: ObservedService | undefined): boolean =>
    one !== undefined && heaviest(one) === weight;
  return { last: isChanged, all: (seen) => seen.filter(isChanged).length === changed };
}

const EMPTIED: Sought = {
  last: (one) => one?.dests.size === 0,
  all: (seen) => seen.every(({ dests }) => dests.size === 0),
};

/** How long it took, from `began`. @throws Error where it does not come, or the last service is not the last (rejects) */
async function reached(what: string, began: number, its: Size, sought: Sought): Promise<number> {
  const key = keyOf(its);
  await until(what, async () => sought.last(await table.read(key)));
  const took = performance.now() - began;
  if (await isReached(sought)) return took;
  await until(`${what}, all of it`, () => isReached(sought));
  return performance.now() - began;
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
  tell(one.name, 'exec to table complete', await reached(`${one.name} load`, began, size, complete(size)));
  await pause(CALM_MS);
  tellMemory(child, one.name);
  return child;
}

async function reload(one: Contender, child: ChildProcess, weight: number, changed: number): Promise<void> {
  writeFileSync(one.configFile, one.config({ size, weight, changed, isChecked: false }));
  const began = performance.now();
  child.kill('SIGHUP');
  const took = await reached(`${one.name} reload`, began, size, changedTo(weight, changed));
  tell(one.name, `reload, weights changed in ${changed === 1 ? 'one service' : `${changed} services`}`, took);
  await pause(1000);
}

async function reloads(one: Contender, child: ChildProcess): Promise<void> {
  for (const [index, changed] of CHANGES.entries()) {
    for (let round = 0; round < ROUNDS; round += 1)
      await reload(one, child, 7 + index * ROUNDS + round, changed);
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
  await reached(`${one.name} with checks`, performance.now(), DOWN, complete(DOWN));
  await pause(CALM_MS);
  if (one.name === 'lvsentry') await tellLoopDelay(child, 'at the start with 1,000 checks');
  const began = performance.now();
  server.close();
  const down = await reached(`${one.name} down`, began, DOWN, EMPTIED);
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
  if (!(await isReached(complete(size)))) throw new Error('ipvsadm leaves the table incomplete');
  await table.flush();
  const all = operations(size);
  tell('lvsentry', 'all changes applied, nothing else', await timed(() => table.apply(all)));
  if (!(await isReached(complete(size)))) throw new Error('the client leaves the table incomplete');
  await table.flush();
  const lowest = [join(folder, 'lower-bound'), [join(folder, 'messages')]] as const;
  const least = await timed(() => spawnSync(...lowest, { stdio: 'inherit' }));
  for (const figure of ['exec to table complete', 'all changes applied, nothing else'])
    tell('C', figure, least);
  if (!(await isReached(complete(size)))) throw new Error('the lower bound leaves the table incomplete');
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
