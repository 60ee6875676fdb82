/** lvsentry on this machine's own kernel, its table in memory: what the lab's slow machine hides of main's event loop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './figures.js';
import { askHeld } from './held.js';
import { lvsentryConfig, type Size } from './workload.js';

const WAIT_LIMIT_MS = 60_000;
const CALM_MS = 6000;
const RELOADS = 5;

export interface HostBench {
  /** Where the configuration and the loop's figures are written. */
  readonly folder: string;
  readonly program: string;
  /** Loaded before the program: guest/loop-delay.ts, bundled. */
  readonly loopDelay: string;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the log has told `kind`. */
function told(child: ChildProcess, kind: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`no ${kind} within ${WAIT_LIMIT_MS} ms`)), WAIT_LIMIT_MS);
    let text = '';
    const onData = (data: Buffer): void => {
      text += data.toString();
      if (!text.includes(`"kind":"${kind}"`)) return;
      clearTimeout(limit);
      child.stdout?.off('data', onData);
      resolve();
    };
    child.stdout?.on('data', onData);
  });
}

async function longestHold(child: ChildProcess, file: string): Promise<number> {
  return (await askHeld(child.pid ?? 0, file)).max;
}

/** The whole process's share of memory, MB. */
function pss(child: ChildProcess): number {
  const rollup = readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Starts it, reloads it a few times with one weight changed, and ends it. */
export async function hostFigures(size: Size, its: HostBench): Promise<readonly Figure[]> {
  const name = `${size.services} × ${size.servers}, host, table in memory`;
  const figures: Figure[] = [];
  const tell = (figure: string, value: number): void => {
    figures.push({ contender: 'lvsentry', size: name, figure, value });
  };
  const [file, delayFile] = [join(its.folder, 'host.yaml'), join(its.folder, 'host-delay.json')];
  const write = (weight: number): void => {
    const wish = { size, weight, changed: 1, isChecked: false };
    writeFileSync(file, lvsentryConfig(wish, `unix:${join(its.folder, 'host.sock')}`, 'memory'));
  };
  write(1);
  const began = performance.now();
  const child = spawn(process.execPath, ['--import', its.loopDelay, its.program, 'run', '-c', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LOOP_DELAY_FILE: delayFile },
  });
  try {
    await told(child, 'daemon-started');
    tell('exec to table complete', performance.now() - began);
    await pause(CALM_MS);
    tell('memory (PSS) of the process, MB', pss(child));
    tell('event loop of main held at the start, longest', await longestHold(child, delayFile));
    for (let reload = 0; reload < RELOADS; reload += 1) {
      write(7 + reload);
      const inForce = told(child, 'config-reloaded');
      child.kill('SIGHUP');
      tell('reload, weights changed in one service', await timed(() => inForce));
      await pause(500);
      tell('event loop of main held by that reload, longest', await longestHold(child, delayFile));
    }
    return figures;
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}
