/** What lvsentry's main thread does while all of 5,000 servers fail and come back at once, and how late verdicts are. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { askHeld, type Held } from '../held.js';
import { ask, upOf } from './ask.js';
import { flappingConfig, PORT, PROBE_TIMEOUT_MS } from './contenders.js';

const SERVERS = 5000;
const ROUNDS = 3;
const LIMIT_MS = 60_000;
const SETTLE_MS = 6000;
/** Servers whose last probes are looked at. */
const SAMPLE = 200;

/** Runs a program where nobody else is. */
export type Run = (
  command: readonly string[],
  environment?: Readonly<Record<string, string>>,
) => ChildProcess;

export interface FlapOptions {
  readonly run: Run;
  readonly folder: string;
  readonly program: string;
  /** Loaded before the program: guest/loop-delay.ts, bundled. */
  readonly loopDelay: string;
}

/** In milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface FlapFigures {
  /** How long main's event loop was held, at the p99 and at most. */
  readonly held: Held;
  /** From the verdict of a worker to the end of the change of the table. */
  readonly toTable: Spread;
  /** From the deadline of a probe to its end. */
  readonly late: Spread;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${LIMIT_MS} ms`);
    await pause(50);
  }
}

interface Line {
  readonly kind?: string;
  readonly operation?: string;
  readonly server?: string;
  readonly time: string;
}

/** What the daemon has said of servers. */
class Story {
  up = 0;
  down = 0;
  /** When the last change of a server in the table was done, by the server. */
  readonly changedAt = new Map<string, number>();

  constructor(daemon: ChildProcess) {
    if (daemon.stdout !== null) createInterface(daemon.stdout).on('line', (line) => this.#take(line));
  }

  #take(text: string): void {
    const { kind, operation, server = '', time } = JSON.parse(text) as Line;
    if (kind === 'server-up') this.up += 1;
    if (kind === 'server-down') this.down += 1;
    if (operation !== undefined) this.changedAt.set(server, Date.parse(time));
  }
}

interface Services {
  readonly services: readonly {
    readonly servers: readonly { readonly name: string; readonly since: string }[];
  }[];
}

interface Why {
  readonly servers: readonly {
    readonly checks: readonly {
      readonly probes: readonly { readonly reason: string; readonly micros: number }[];
    }[];
  }[];
}

/** How much longer than their time-out probes took that came to it. */
async function lateness(folder: string, names: readonly string[]): Promise<readonly number[]> {
  const late: number[] = [];
  for (const name of names) {
    const { servers } = await ask<Why>(folder, `/v1/servers/${encodeURIComponent(name)}/why`);
    for (const { reason, micros } of servers.flatMap(({ checks }) => checks.flatMap(({ probes }) => probes)))
      if (reason.startsWith('timeout')) late.push(micros / 1000 - PROBE_TIMEOUT_MS);
  }
  return late;
}

/** One daemon, and a target that dies, comes back, and falls silent. */
export async function measureFlaps({ run, folder, program, loopDelay }: FlapOptions): Promise<FlapFigures> {
  const startTarget = (): ChildProcess => run([join(folder, 'target'), `${PORT}`]);
  const delayFile = join(folder, 'loop-delay.json');
  let target = startTarget();
  const file = flappingConfig(SERVERS, folder);
  const command = [process.execPath, '--import', loopDelay, program, 'run', '-c', file];
  const daemon = run(command, { LOOP_DELAY_FILE: delayFile });
  const story = new Story(daemon);
  const toTable: number[] = [];
  try {
    let up = 0;
    for (const end = performance.now() + LIMIT_MS; up < SERVERS && performance.now() < end; await pause(500))
      up = await upOf(folder);
    if (up < SERVERS) throw new Error(`${up} of ${SERVERS} are up`);
    await pause(SETTLE_MS);
    await askHeld(daemon.pid ?? 0, delayFile);
    for (let round = 1; round <= ROUNDS; round += 1) {
      target.kill('SIGKILL');
      await until('all are down', () => story.down === round * SERVERS);
      await pause(1000);
      const { services } = await ask<Services>(folder, '/v1/services');
      for (const { name, since } of services.flatMap(({ servers }) => servers))
        toTable.push((story.changedAt.get(name) ?? Number.NaN) - Date.parse(since));
      target = startTarget();
      await until('all are up', () => story.up >= round * SERVERS);
    }
    const held = await askHeld(daemon.pid ?? 0, delayFile);
    target.kill('SIGSTOP');
    await until('nobody answers', () => story.down >= (ROUNDS + 1) * SERVERS);
    await pause(3000);
    const names = Array.from(
      { length: SAMPLE },
      (_, index) => [...story.changedAt.keys()][index * (SERVERS / SAMPLE)] ?? '',
    );
    return { held, toTable: spreadOf(toTable), late: spreadOf(await lateness(folder, names)) };
  } finally {
    target.kill('SIGKILL');
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }
}
