/** The bundled program, run by a test and ended with it; and questions to its API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/src/main.js', import.meta.url));

/** Of its log. */
export type Line = Readonly<Record<string, unknown>>;

/** One run of the daemon; ended with its test, whatever happens. */
export class DaemonRun {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  /** What it said on stderr, which is shown too. */
  errors = '';
  readonly #waiting = new Set<() => void>();

  constructor(t: Test, file: string, env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [PROGRAM, 'run', '-c', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child = child;
    createInterface(child.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      for (const look of this.#waiting) look();
    });
    child.stderr.on('data', (data: Buffer) => {
      this.errors += data.toString();
      process.stderr.write(data);
    });
    t.teardown(() => child.kill('SIGKILL'));
  }

  of(kind: string): readonly Line[] {
    return this.lines.filter((line) => line.kind === kind);
  }

  /** The line of that kind with this number, past or future. */
  kind(kind: string, index = 0): Promise<Line> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.of(kind)[index];
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The exit code; null where a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }
}

export interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

/** Asks the API on a socket. @throws where nobody listens (rejects) */
export async function askSocket(socketPath: string, path: string, method = 'GET'): Promise<Answer> {
  const asked = request({ socketPath, path, method, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode, text: Buffer.concat(parts).toString() };
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
