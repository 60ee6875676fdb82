/** What a thread may ask of the kernel so that nothing delays it. */
import { setFlagsFromString } from 'node:v8';
import { errnoName } from '../core/errno.js';
import { loadNative } from './native.js';

// sched.h
const SCHED_FIFO = 1;

/** Above all ordinary threads; below what the kernel itself runs at (migration, watchdog). */
const FIFO_PRIORITY = 20;

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
 * Asks for real-time scheduling of the calling thread, and that the program's code is never paged out. The heap is not
 * locked: V8 gives pages back with madvise(MADV_DONTNEED), which the kernel refuses for locked ones (EINVAL), and V8
 * aborts then. A service manager keeps that out of the swap (systemd: MemorySwapMax=0).
 * @returns what was refused and why; empty where all was granted
 */
export function becomeRealtime(): readonly string[] {
  const native = loadNative();
  const scheduled = native.setScheduler(SCHED_FIFO, FIFO_PRIORITY);
  const locked = native.lockProgram();
  const refused: string[] = [];
  if (scheduled < 0) refused.push(`real-time scheduling (${errnoName(-scheduled)}, needs CAP_SYS_NICE)`);
  if (locked < 0) refused.push(`locking of code in memory (${errnoName(-locked)}, needs CAP_IPC_LOCK)`);
  return refused;
}
