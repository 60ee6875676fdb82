/** Which threads the garbage of this process is collected on, how much of it may lie about, and what is made fast. */
import { setFlagsFromString } from 'node:v8';

/**
 * Those of V8's flags for work of helper threads that each piece of work looks at when it begins. Marking is not among
 * them: it is under way for a while, and V8 ends the process where its flags change meanwhile.
 */
const FLAGS = [
  '--no-parallel-scavenge',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--no-concurrent-sweeping',
  '--no-concurrent-array-buffer-sweeping',
] as const;

/**
 * Lets every thread of JavaScript collect its garbage alone. V8 shares that work with helper threads and waits for
 * them; they run at ordinary priority, so on a busy machine the thread of the virtual routers, real-time or not, waited
 * up to 80 ms for a processor that others had. It holds for the whole process.
 */
export function collectGarbageAlone(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

/**
 * Ends V8's collecting whenever little goes on, which waits for helper threads that mark. What a start leaves about, some
 * 20 MB, then stays for longer. It holds for the whole process.
 */
export function collectRarely(): void {
  setFlagsFromString('--no-memory-reducer');
}

/**
 * Keeps the space for young objects as it began, a megabyte: it would grow to sixteen, twice in every thread, and never
 * shrink. Each collection is short. It holds for the whole process until another thread starts, which sets it back: so
 * every thread calls it first of all.
 */
export function keepYoungSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Lets code run for longer before V8 makes a fast version of it: seven times its default. A start runs much code for a
 * moment only; making that fast took a fifth of the processor and a quarter of the memory that it touched, and where
 * there is one processor the start waited for it. What runs all the time is fast some seconds later. It holds for the
 * whole process.
 */
export function optimizeLate(): void {
  setFlagsFromString('--interrupt-budget=500000');
}
