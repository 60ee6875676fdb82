/** One program from its start until nothing of it is left to wait for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoName } from '../core/errno.js';
import { errorText } from '../core/errors.js';
import type { OpenPipe, Timer, Timers } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import { type Account, findAccount } from './account.js';
import type { ProcessGroups } from './groups.js';
import type { Program, ProgramResult } from './model.js';

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** Bytes of output that are kept. */
export const OUTPUT_MAX = 4096;
/** Bytes of output that are read. A program that writes more has to wait, and its deadline comes. */
const READ_MAX = 1024 * 1024;
/** From TERM to KILL, where nobody is in a hurry. */
export const GRACE = seconds(2);
/** From KILL until a process that the kernel does not let go is no longer waited for. */
const ABANDON = seconds(1);
/** For output that is still on its way when a program has ended; what stays in the background may keep it open. */
const DRAIN = millis(100);

function accountOf(user: string | undefined): Account | undefined {
  if (user === undefined) return undefined;
  const found = findAccount(user, readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8'));
  if (!found.ok) throw new Error(found.problem);
  return found.account;
}

interface Child {
  readonly process: ChildProcess;
  /** What it writes, on either descriptor. */
  readonly output: Socket;
}

function refused(errno: number): Error {
  const code = errnoName(-errno);
  return Object.assign(new Error(`no pipe for its output: ${code}`), { code });
}

/** @throws what pipe(2), spawn(2) and its arguments can do wrong at once */
function start(program: Program, openPipe: OpenPipe): Child {
  const [file, ...rest] = program.argv;
  const account = accountOf(program.user);
  const pipe = openPipe();
  if (typeof pipe === 'number') throw refused(pipe);
  // From here on it closes the end that is read.
  const output = new Socket({ fd: pipe.read, readable: true, writable: false });
  try {
    const child = spawn(file, rest, {
      cwd: '/',
      env: { ...ENVIRONMENT, ...program.environment },
      stdio: ['ignore', pipe.write, pipe.write],
      // A session and a process group of its own, which signals can be sent to.
      detached: true,
      ...account,
    });
    return { process: child, output };
  } catch (thrown) {
    output.destroy();
    throw thrown;
  } finally {
    closeSync(pipe.write);
  }
}

function refusal(program: Program, thrown: unknown): ProgramResult {
  const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
  return { kind: 'not-run', errno, text: `${program.argv[0]} cannot be run: ${errorText(thrown)}` };
}

export interface ProcessPorts {
  readonly timers: Timers;
  readonly openPipe: OpenPipe;
  /** Where the groups of what runs are written down; undefined: nowhere. */
  readonly groups?: Pick<ProcessGroups, 'add' | 'delete'>;
}

/** Calls `onResult` once, as soon as it is known what came of the program, and `onGone` once, when it needs nothing more. */
export class ProgramProcess {
  readonly #program: Program;
  readonly #ports: ProcessPorts;
  readonly #onResult: (result: ProgramResult) => void;
  readonly #onGone: () => void;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #readBytes = 0;
  #child: Child | undefined;
  /** The one timer that runs: the deadline, then grace, then abandonment; or draining. */
  #timer: Timer | undefined;
  #isTold = false;
  #isGone = false;
  #isEnding = false;

  constructor(
    program: Program,
    ports: ProcessPorts,
    onResult: (result: ProgramResult) => void,
    onGone: () => void,
  ) {
    this.#program = program;
    this.#ports = ports;
    this.#onResult = onResult;
    this.#onGone = onGone;
  }

  /** Starts it. Its fork takes about a millisecond of this thread. */
  start(): void {
    let child: Child;
    try {
      child = start(this.#program, this.#ports.openPipe);
    } catch (thrown) {
      this.#refuse(thrown);
      return;
    }
    this.#child = child;
    const { process: started, output } = child;
    started.once('error', (error) => {
      // An error of a child that runs is one of a signal to it.
      if (started.pid === undefined) this.#refuse(error);
    });
    if (started.pid === undefined) return;
    this.#ports.groups?.add(started.pid);
    this.#listen(output);
    started.once('exit', (code, signal) => this.#onExit(code, signal));
    this.#timer = this.#ports.timers.after(this.#program.deadline, () => this.#onDeadline());
  }

  /** Ends it, with `grace` to put its things away; what it was to find out stays unknown. */
  stop(grace: Millis): void {
    if (this.#isEnding || this.#isGone) return;
    this.#tell({ kind: 'not-run', errno: 'ECANCELED', text: `${this.#program.argv[0]} was stopped` });
    if (this.#child === undefined) this.#isGone = true;
    else this.#end(grace);
  }

  #refuse(thrown: unknown): void {
    this.#tell(refusal(this.#program, thrown));
    this.#leave();
  }

  #listen(stream: Socket): void {
    stream.on('data', (bytes: Buffer) => {
      this.#readBytes += bytes.length;
      const kept = bytes.subarray(0, OUTPUT_MAX - this.#keptBytes);
      if (kept.length > 0) this.#kept.push(kept);
      this.#keptBytes += kept.length;
      if (this.#readBytes >= READ_MAX) stream.pause();
    });
    // A stream that breaks ends; the exit says the rest.
    stream.on('error', () => undefined);
  }

  #output(): string {
    return Buffer.concat(this.#kept).toString('utf8');
  }

  #onDeadline(): void {
    this.#end(GRACE);
    this.#tell({ kind: 'timeout', output: this.#output() });
  }

  /** TERM to all of the group, then KILL. */
  #end(grace: Millis): void {
    this.#isEnding = true;
    this.#timer?.cancel();
    this.#signal('SIGTERM');
    this.#timer = this.#ports.timers.after(grace, () => {
      this.#signal('SIGKILL');
      this.#timer = this.#ports.timers.after(ABANDON, () => this.#leave());
    });
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.process.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  #onExit(code: number | null, signal: string | null): void {
    this.#timer?.cancel();
    if (this.#isGone) return;
    if (this.#isEnding) {
      // Others of its group may have outlived TERM; the number is theirs for as long as there are any.
      this.#signal('SIGKILL');
      this.#leave();
      return;
    }
    // What keeps its output open goes first.
    if (this.#program.leavesNothing === true) this.#signal('SIGKILL');
    const finish = (): void => {
      const output = this.#output();
      this.#tell(
        code === null
          ? { kind: 'signalled', signal: signal ?? 'unknown', output }
          : { kind: 'exited', code, output },
      );
      this.#leave();
    };
    // It ends when nobody has the writing end any more.
    if (this.#child?.output.readableEnded === true) finish();
    else this.#child?.output.once('end', finish);
    this.#timer = this.#ports.timers.after(DRAIN, finish);
  }

  #tell(result: ProgramResult): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onResult(result);
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#timer?.cancel();
    const { process: started, output } = this.#child ?? {};
    if (started?.pid !== undefined) this.#ports.groups?.delete(started.pid);
    output?.destroy();
    started?.unref();
    this.#onGone();
  }
}
