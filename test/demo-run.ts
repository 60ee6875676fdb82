/** Runs of the demo as a person starts them: `scripts/demo.mjs` in processes of their own, with a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { ROOT } from './house/project.js';

const LIMIT_MS = 150_000;
const POLL_MS = 50;

/** @throws where it does not come true in time */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  while (!(await condition())) {
    if (limit.aborted)
      throw new Error(`not within ${LIMIT_MS} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(POLL_MS);
  }
}

/** One run of the demo's program, with everything that it prints. */
export class Run {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #closed: Promise<unknown[]>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.#child = spawn(process.execPath, ['scripts/demo.mjs', ...args], {
      cwd: ROOT,
      env,
      stdio: [...stdio],
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#lines.push(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  text(): string {
    return this.#lines.join('\n');
  }

  /** Settles with the exit code, or the name of the signal. */
  async ended(): Promise<number | string> {
    const [code, signal] = await this.#closed;
    return (code ?? signal) as number | string;
  }

  async end(signal: NodeJS.Signals): Promise<number | string> {
    this.#child.kill(signal);
    return this.ended();
  }
}

/** A temporary folder, and all that is started with it. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'lvsentry-test-'));
  readonly #runs: Run[] = [];

  constructor(t: Test) {
    t.teardown(async () => {
      for (const run of this.#runs) await run.end('SIGTERM');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  run(...args: readonly string[]): Run {
    const run = new Run(args, { ...process.env, TMPDIR: this.folder });
    this.#runs.push(run);
    return run;
  }

  /** Another shell: `npm run demo -- ...`, to its end. */
  async order(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | string; readonly text: string }> {
    const run = this.run(...args);
    return { code: await run.ended(), text: run.text() };
  }

  /** Processes that were started with this folder, by the environment that they inherited. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TMPDIR=${this.folder}`);
        } catch {
          return false;
        }
      })
      .map(Number);
  }
}
