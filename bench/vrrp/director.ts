/** The programs that are measured. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program, Stage } from '../../test/interop/stage.js';
import { PROJECT } from '../../test/kernel/lab.js';
import { addressOf, type Checks, keepalivedConfig, lvsentryConfig, type Router } from './configs.js';

const MAIN = join(PROJECT, 'dist/bundle/src/main.js');
/** Jiffies of /proc (USER_HZ) are the same on every machine that Node runs on. */
const JIFFIES_PER_SECOND = 100;

/** A program that runs virtual routers on a host of a stage. */
export interface Director {
  readonly program: Program;
  /** Whether all of its virtual routers are. */
  readonly isBackup: () => boolean;
  /** SIGKILL to all of its processes, so that none says goodbye and none is started again. */
  readonly kill: () => Promise<void>;
  /** Where lvsentry's API listens. */
  readonly socket: string;
  /** Puts a new configuration in the place of the one it has read. */
  readonly rewrite: (config: string) => void;
}

/** Who is measured, under which heading. */
export interface Contender {
  readonly name: string;
  readonly start: (stage: Stage, host: string, routers: readonly Router[], checks?: Checks) => Director;
}

function writer(file: string): (config: string) => void {
  return (config) => {
    writeFileSync(`${file}.new`, config);
    renameSync(`${file}.new`, file);
  };
}

/** Whether it has printed a text so often. */
function says({ output }: Program, text: string, times: number): () => boolean {
  return () => output.filter((line) => line.includes(text)).length >= times;
}

function childrenOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** The process itself and what it started. */
function processesOf({ child }: Program): number[] {
  return child.pid === undefined ? [] : [child.pid, ...childrenOf(child.pid)];
}

async function killAll(program: Program): Promise<void> {
  const [first, ...rest] = processesOf(program);
  if (first === undefined) return;
  // keepalived's parent would start a child that dies again, and a child whose parent dies says goodbye.
  if (rest.length > 0) process.kill(first, 'SIGSTOP');
  for (const pid of rest) process.kill(pid, 'SIGKILL');
  await program.stop('SIGKILL');
}

export const LVSENTRY: Contender = {
  name: 'lvsentry',
  start: (stage, host, routers, checks) => {
    const file = join(stage.folder, `${host}.yaml`);
    const socket = join(stage.folder, `${host}.sock`);
    const rewrite = writer(file);
    rewrite(lvsentryConfig(routers, socket, checks));
    const program = stage.start(host, process.execPath, MAIN, 'run', '-c', file);
    const isBackup = says(program, 'is backup with priority', routers.length);
    return { program, isBackup, kill: () => killAll(program), socket, rewrite };
  },
};

function keepalived(name: string, globals: readonly string[]): Contender {
  return {
    name,
    start: (stage, host, routers) => {
      const file = join(stage.folder, `${host}.conf`);
      const rewrite = writer(file);
      rewrite(keepalivedConfig(routers, globals));
      const [pid, child] = [join(stage.folder, `${host}.pid`), join(stage.folder, `${host}-vrrp.pid`)];
      // What a killed one left behind may name a process that nobody has waited for yet.
      for (const path of [pid, child]) rmSync(path, { force: true });
      const program = stage.start(host, 'keepalived', '-n', '-l', '-P', '-f', file, '-p', pid, '-r', child);
      const isBackup = says(program, 'Entering BACKUP STATE', routers.length);
      return { program, isBackup, kill: () => killAll(program), socket: '', rewrite };
    },
  };
}

export const KEEPALIVED = keepalived('keepalived', []);
/** As whoever cares about late adverts runs it. */
export const KEEPALIVED_RT = keepalived('keepalived, vrrp_rt_priority 20', ['vrrp_rt_priority 20']);

/** Takes away what a killed director may have left behind. */
export function sweep(stage: Stage, host: string, ids: readonly number[]): void {
  for (const id of ids) {
    const words = ['-n', stage.nameOf(host), 'addr', 'del', `${addressOf(id)}/32`, 'dev', 'eth0'];
    spawnSync('ip', words, { stdio: 'ignore' });
  }
}

/** What a director costs. */
export interface Cost {
  /** Seconds of processor time since it started. */
  readonly cpu: number;
  /** Bytes of memory, its share of what is shared with others. */
  readonly memory: number;
}

export function costOf({ program }: Director): Cost {
  let cpu = 0;
  let memory = 0;
  for (const pid of processesOf(program)) {
    // proc(5): the name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    cpu += (Number(stat[11]) + Number(stat[12])) / JIFFIES_PER_SECOND;
    memory += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
  }
  return { cpu, memory };
}
