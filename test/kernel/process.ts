/** Processes that a suite starts in the guest, each ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/** Three programs of Node that start at once take long where the machine has other work. */
const READY_WITHIN_MS = 60_000;
/** State of a listening socket in /proc/net/tcp. */
const TCP_LISTEN = '0A';

/** Empty where the process has just ended. */
function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Does a process's network namespace listen on this TCP port? */
function listens(pid: number, port: number): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].some((table) => {
    const rows = readTable(`/proc/${pid}/net/${table}`).split('\n').slice(1);
    return rows.some((row) => {
      const [, local, , state] = row.trim().split(/\s+/);
      return state === TCP_LISTEN && local?.endsWith(end) === true;
    });
  });
}

export class GuestProcess {
  readonly child: ChildProcess;
  /** What it has printed so far, to either stream. */
  readonly lines: string[] = [];
  readonly #ended: Promise<unknown>;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#ended = once(this.child, 'exit');
    // A program that cannot be started shows as one that has ended.
    this.child.once('error', (cause) => this.lines.push(cause.message));
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.lines.push(line));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves once its namespace listens on a TCP port. @throws with what it printed, where it ended instead */
  async listening(port: number): Promise<this> {
    for (const end = Date.now() + READY_WITHIN_MS; this.running && Date.now() < end; await pause(20))
      if (listens(this.pid, port)) return this;
    throw new Error(
      `${this.child.spawnargs.join(' ')} does not listen on ${port}:\n${this.lines.join('\n')}`,
    );
  }

  /** Stops its clock: connections are still accepted by the kernel, and nobody answers. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    process.kill(this.pid, signal);
    await this.#ended;
  }
}
