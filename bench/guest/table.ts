/** Runs in the kernel lab: loads, reloads and stops each daemon in turn and prints one JSON line a run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ip } from '../../src/core/ip.js';
import { IpvsClient } from '../../src/ipvs/client.js';
import type { IpvsTable, ServiceKey } from '../../src/ipvs/model.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openNetlink } from '../../src/sys/netlink.js';
import { entries, keepalivedConfig, lvsentryConfig, type Size } from '../workload.js';

const WAIT_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 5;

/** What one daemon is started with and told. */
interface Contender {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly configFile: string;
  readonly config: (weight: number) => string;
}

const [folder = '', program = '', services = '1000', servers = '10', rounds = '3'] = process.argv.slice(2);
const size: Size = { services: Number(services), servers: Number(servers) };
const last = entries(size).at(-1);
if (last === undefined) throw new Error('no services');
const lastKey: ServiceKey = { kind: 'address', protocol: 'tcp', address: ip(last.vip), port: 80 };
const firstServer = `${last.servers[0]}:80`;

function contenders(): readonly Contender[] {
  const keepalived = join(folder, 'keepalived.conf');
  const ours = join(folder, 'lvsentry.yaml');
  const listen = `unix:${join(folder, 'api.sock')}`;
  return [
    {
      name: 'keepalived',
      program: 'keepalived',
      args: ['-C', '-n', '-f', keepalived, '-p', join(folder, 'k.pid'), '-c', join(folder, 'kc.pid')],
      configFile: keepalived,
      config: (weight) => keepalivedConfig(size, weight),
    },
    {
      name: 'lvsentry',
      program: process.execPath,
      args: [program, 'run', '-c', ours],
      configFile: ours,
      config: (weight) => lvsentryConfig(size, weight, listen),
    },
  ];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + WAIT_LIMIT_MS;
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${WAIT_LIMIT_MS} ms`);
    await pause(LOOK_EVERY_MS);
  }
}

/** Looks at the last service first: one small question while the daemon works, the whole table at the end. */
async function isComplete(table: IpvsTable): Promise<boolean> {
  const seen = await table.read(lastKey);
  if (seen?.dests.size !== size.servers) return false;
  const all = [...(await table.dump()).values()];
  return all.length === size.services && all.every((one) => one.dests.size === size.servers);
}

async function weightIs(table: IpvsTable, weight: number): Promise<boolean> {
  const seen = await table.read(lastKey);
  return seen?.dests.get(firstServer)?.settings.weight === weight;
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measure(table: IpvsTable, one: Contender): Promise<Record<string, unknown>> {
  await table.flush();
  writeFileSync(one.configFile, one.config(1));
  let child: ChildProcess | undefined;
  const load = await timed(async () => {
    child = spawn(one.program, one.args, { stdio: ['ignore', 'ignore', 'inherit'] });
    await until(`${one.name} load`, () => isComplete(table));
  });
  if (child === undefined) throw new Error('not started');
  const running = child;
  // Both have finished their start by now: lvsentry has loaded its API and told its workers their checks.
  await pause(6000);
  writeFileSync(one.configFile, one.config(7));
  const reload = await timed(async () => {
    running.kill('SIGHUP');
    await until(`${one.name} reload`, () => weightIs(table, 7));
  });
  await pause(1000);
  const stop = await timed(async () => {
    const gone = exited(running);
    running.kill('SIGTERM');
    await gone;
  });
  const left = (await table.dump()).size;
  await table.flush();
  return { name: one.name, load, reload, stop, left };
}

const table = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
for (let round = 0; round < Number(rounds); round += 1) {
  for (const one of contenders()) console.log(JSON.stringify(await measure(table, one)));
}
table.close();
rmSync(join(folder, 'api.sock'), { force: true });
process.exit(0);
