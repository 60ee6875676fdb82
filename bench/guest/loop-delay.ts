/**
 * Loaded into lvsentry's main thread before it: on SIGUSR2 it writes how long the event loop was held since the last
 * time, in milliseconds, beyond the interval at which it looks.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 5;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const figures = { p99: beyond(delay.percentile(99)), max: beyond(delay.max) };
    writeFileSync(process.env.LOOP_DELAY_FILE ?? '/dev/null', JSON.stringify(figures));
    delay.reset();
  });
}
