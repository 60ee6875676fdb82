/**
 * The kernel lab: runs a command where IPVS is. On a host kernel that has IPVS that is a fresh set of
 * namespaces; elsewhere a guest, User-Mode Linux, whose root file system is the host's through hostfs.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { followLines } from './follow.js';

/** The project's folder, seen from dist/test/kernel. */
export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

const SCRIPTS = join(PROJECT, 'test/kernel/guest');
const UML_MODULES = '/usr/lib/uml/modules';
const UML_MEMORY = '1024M';
/** How long it is looked for the idlest processor: twenty ticks. */
const LOOK_MS = 200;

/** Where kernel tests can run on this machine. */
export type KernelHome =
  | { readonly kind: 'host' }
  | { readonly kind: 'guest'; readonly program: string }
  | { readonly kind: 'none'; readonly reason: string };

export interface GuestJob {
  /** Shell text (bash). `LAB_SHARED` in its environment names the shared folder. */
  readonly command: string;
  /** For everything from boot to power-off; then the guest is killed. */
  readonly timeoutMs: number;
  /** Working folder of the command; the project's where absent. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of `makeSharedFolder`; one is made, and removed afterwards, where absent. */
  readonly shared?: string;
  /** Each line that the command prints, to either stream, as it comes. */
  readonly onLine?: (line: string) => void;
  /** Kills the guest. */
  readonly signal?: AbortSignal;
}

export interface GuestRun {
  /** Of the command; undefined where it did not end. */
  readonly exitCode: number | undefined;
  readonly end: 'finished' | 'timed-out' | 'aborted' | 'crashed';
  /** What the guest's kernel and its init said: the cause of a crash. */
  readonly console: string;
}

function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

function hostHasIpvs(): boolean {
  if (existsSync('/proc/net/ip_vs')) return true;
  spawnSync('modprobe', ['ip_vs'], { stdio: 'ignore' });
  return existsSync('/proc/net/ip_vs');
}

/** Looks for a kernel with IPVS: this one, a guest, or none with the reason in words. Loads ip_vs if it can. */
export function findKernel(): KernelHome {
  if (process.platform !== 'linux') return { kind: 'none', reason: 'not a Linux machine' };
  if (process.getuid?.() !== 0) return { kind: 'none', reason: 'not root' };
  for (const name of ['bash', 'ip', 'ipvsadm', 'setpriv', 'unshare'])
    if (findProgram(name) === undefined) return { kind: 'none', reason: `${name} is not installed` };
  if (hostHasIpvs()) return { kind: 'host' };
  const program = findProgram('linux.uml');
  if (program !== undefined && existsSync(UML_MODULES)) return { kind: 'guest', program };
  return { kind: 'none', reason: 'this kernel has no IPVS and the package user-mode-linux is not installed' };
}

/** A new folder that host and guest both see and write. The caller removes it. */
export function makeSharedFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lvsentry-lab-'));
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function writeJob(job: GuestJob, shared: string): void {
  const exports = Object.entries(job.env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}`);
  const lines = [
    `export LAB_SHARED=${quote(shared)}`,
    ...exports,
    `cd ${quote(job.cwd ?? PROJECT)}`,
    `bash ${quote(join(shared, 'command.sh'))} >${quote(join(shared, 'output'))} 2>&1`,
    `echo $? >${quote(join(shared, 'exit-code'))}`,
  ];
  writeFileSync(join(shared, 'job.sh'), `${lines.join('\n')}\n`);
  writeFileSync(join(shared, 'command.sh'), `${job.command}\n`);
  writeFileSync(join(shared, 'output'), '');
  rmSync(join(shared, 'exit-code'), { force: true });
}

/** Idle time of each processor since the machine started, by its number (proc(5), /proc/stat), ticks. */
function idleTimes(): ReadonlyMap<number, number> {
  const lines = readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) +\d+ +\d+ +\d+ +(\d+)/gm);
  return new Map(Array.from(lines, ([, number, idle]) => [Number(number), Number(idle)]));
}

/** The processor of ours that is idle most just now. @returns undefined where nothing is known of them */
async function idlestProcessor(): Promise<number | undefined> {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const before = idleTimes();
  await pause(LOOK_MS);
  const gains = [...idleTimes()].map(([number, idle]) => ({
    number,
    gain: idle - (before.get(number) ?? 0),
  }));
  const ours = gains.filter(({ number }) => isAmong(allowed, number));
  return ours.sort((one, other) => other.gain - one.gain)[0]?.number;
}

function isAmong(list: string, number: number): boolean {
  return list.split(',').some((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return first <= number && number <= last;
  });
}

/**
 * On one processor: the guest's kernel and its processes wait for each other at every system call and page fault, which
 * takes three times as long from one processor to another.
 */
async function startGuest(
  program: string,
  shared: string,
  limitSeconds: number,
  console: number,
): Promise<ChildProcess> {
  mkdirSync(join(shared, 'uml'), { recursive: true });
  const options = [
    `mem=${UML_MEMORY}`,
    'rootfstype=hostfs',
    'rootflags=/',
    'rw',
    'init=/bin/bash',
    `uml_dir=${join(shared, 'uml')}`,
    'con=null',
    'con0=fd:0,fd:1',
    'con1=null',
    'quiet',
    `LAB_SHARED=${shared}`,
    `LAB_LIMIT=${limitSeconds}`,
    '--',
    join(SCRIPTS, 'init.sh'),
  ];
  // Nothing is ever written to its input: that it is closed tells the guest that we are gone.
  const processor = await idlestProcessor();
  const pin = processor === undefined ? [] : ['taskset', '--cpu-list', String(processor)];
  const [file = program, ...words] = [...pin, program, ...options];
  return spawn(file, words, { detached: true, stdio: ['pipe', console, console] });
}

function startNamespaces(shared: string, console: number): ChildProcess {
  const options = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const command = ['unshare', ...options, 'bash', join(SCRIPTS, 'namespace.sh'), shared];
  // Should we be killed, unshare goes with us, and with it all that it holds.
  const words = ['--pdeathsig=KILL', ...command];
  return spawn('setpriv', words, { detached: true, stdio: ['ignore', console, console] });
}

/** The guest's processes are processes of the host, in one group that its first process leads. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {}
}

function awaitEnd(child: ChildProcess, job: GuestJob): Promise<GuestRun['end']> {
  return new Promise((resolve, reject) => {
    let end: GuestRun['end'] = 'finished';
    const stop = (why: GuestRun['end']) => {
      end = why;
      killGroup(child);
    };
    const abort = () => stop('aborted');
    const leave = () => killGroup(child);
    const timer = setTimeout(() => stop('timed-out'), job.timeoutMs);
    job.signal?.addEventListener('abort', abort, { once: true });
    process.once('exit', leave);
    const settle = () => {
      clearTimeout(timer);
      job.signal?.removeEventListener('abort', abort);
      process.removeListener('exit', leave);
      // A kernel that crashed leaves the processes of its guest behind.
      killGroup(child);
    };
    child.once('error', (cause) => {
      settle();
      reject(cause);
    });
    child.once('exit', () => {
      settle();
      resolve(end);
    });
    if (job.signal?.aborted === true) abort();
  });
}

function readExitCode(shared: string): number | undefined {
  try {
    const text = readFileSync(join(shared, 'exit-code'), 'utf8').trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs a command beside a kernel with IPVS and waits for its end. Nothing that it writes reaches the host
 * from a guest, except below the shared folder.
 * @throws where there is no such kernel (`findKernel` tells why) or it cannot be started.
 */
export async function runInGuest(job: GuestJob, kernel: KernelHome = findKernel()): Promise<GuestRun> {
  if (kernel.kind === 'none') throw new Error(`no kernel with IPVS: ${kernel.reason}`);
  const shared = job.shared ?? makeSharedFolder();
  try {
    writeJob(job, shared);
    const console = openSync(join(shared, 'console.log'), 'w');
    const follower = followLines(join(shared, 'output'), job.onLine ?? (() => undefined));
    // The guest ends itself a little later than we would, for the case that we are gone by then.
    const limitSeconds = Math.ceil(job.timeoutMs / 1000) + 10;
    const child =
      kernel.kind === 'host'
        ? startNamespaces(shared, console)
        : await startGuest(kernel.program, shared, limitSeconds, console);
    closeSync(console);
    const end = await awaitEnd(child, job).finally(() => follower.close());
    const exitCode = readExitCode(shared);
    return {
      exitCode,
      end: end === 'finished' && exitCode === undefined ? 'crashed' : end,
      console: readFileSync(join(shared, 'console.log'), 'utf8'),
    };
  } finally {
    if (job.shared === undefined) rmSync(shared, { recursive: true, force: true });
  }
}
