/** What a thread may ask of the kernel so that nothing delays it. */
import { readFileSync } from 'node:fs';
import { errnoName } from '../core/errno.js';
import { loadNative } from './native.js';

// sched.h
const SCHED_FIFO = 1;

/** Above all ordinary threads; below what the kernel itself runs at (migration, watchdog). */
const FIFO_PRIORITY = 20;

/**
 * Asks for real-time scheduling of the calling thread. Memory is not locked: V8 gives pages back with
 * madvise(MADV_DONTNEED), which the kernel refuses for locked ones (EINVAL), and V8 aborts then. A service manager
 * keeps a process out of the swap without that (systemd: MemorySwapMax=0).
 * @returns why it was refused; undefined where it was granted
 */
export function becomeRealtime(): string | undefined {
  const result = loadNative().setScheduler(SCHED_FIFO, FIFO_PRIORITY);
  return result < 0 ? `real-time scheduling (${errnoName(-result)}, needs CAP_SYS_NICE)` : undefined;
}

/** Whether the machine forwards IPv6 that comes in on an interface. */
export function forwardsIpv6(device: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${device}/forwarding`, 'utf8').trim() !== '0';
  } catch {
    // Without IPv6, or without the interface, nothing is announced there either.
    return false;
  }
}
