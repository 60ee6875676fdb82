/** What a thread may ask of the kernel so that nothing delays it. */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { errnoName, errnoValue } from '../core/errno.js';
import { loadNative } from './native.js';

// sched.h
const SCHED_FIFO = 1;
const SCHED_RR = 2;

/** Above all ordinary threads; below what the kernel itself runs at (migration, watchdog). */
const FIFO_PRIORITY = 20;
/** Just above all ordinary threads. */
const HELPER_PRIORITY = 1;
const ESRCH = errnoValue('ESRCH');

/**
 * The threads that V8 and libuv have made so far: they collect garbage and compile for all threads of JavaScript. Call
 * it before there is a second one of those. Empty where there is no /proc.
 */
export function helperThreads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task')
      .map(Number)
      .filter((thread) => thread !== process.pid);
  } catch {
    return [];
  }
}

/**
 * Loads modules with all of their functions compiled. V8 compiles a function when it is first called, and throws its code
 * away when it is not called for long; what runs when a master dies runs for the first time then, or after weeks, and
 * the network waits for it. Flags of V8 are the process's: what other threads load meanwhile is compiled whole too.
 */
export async function compiledWhole<Modules>(load: () => Promise<Modules>): Promise<Modules> {
  setFlagsFromString('--no-flush-bytecode');
  setFlagsFromString('--no-lazy');
  try {
    return await load();
  } finally {
    setFlagsFromString('--lazy');
  }
}

/**
 * Asks for real-time scheduling of the calling thread and, below it, of those it waits for, and that the program's code is never paged out. The heap is not
 * locked: V8 gives pages back with madvise(MADV_DONTNEED), which the kernel refuses for locked ones (EINVAL), and V8
 * aborts then. A service manager keeps that out of the swap (systemd: MemorySwapMax=0).
 * @param helpers `helperThreads()`. V8 shares garbage collection and compiling with them and waits for them: at ordinary
 *   priority they wait for a processor as long as the machine is busy, and this thread with them, up to 100 ms
 * @returns what was refused and why; empty where all was granted
 */
export function becomeRealtime(helpers: readonly number[]): readonly string[] {
  const native = loadNative();
  const results = [
    native.setScheduler(SCHED_FIFO, FIFO_PRIORITY, 0),
    ...helpers.map((thread) => native.setScheduler(SCHED_RR, HELPER_PRIORITY, thread)),
  ];
  const scheduled = results.find((result) => result < 0 && result !== -ESRCH) ?? 0;
  const locked = native.lockProgram();
  const refused: string[] = [];
  if (scheduled < 0) refused.push(`real-time scheduling (${errnoName(-scheduled)}, needs CAP_SYS_NICE)`);
  if (locked < 0) refused.push(`locking of code in memory (${errnoName(-locked)}, needs CAP_IPC_LOCK)`);
  return refused;
}
