/** A process whose second thread becomes real-time and whose third does not; it prints how all its threads stand. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { becomeRealtime, helperThreads } from '../../src/sys/realtime.js';

/** Field 41 of proc(5): 0 ordinary, 1 SCHED_FIFO, 2 SCHED_RR. */
function policyOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]);
}

function main(): void {
  const helpers = helperThreads();
  const file = new URL(import.meta.url);
  const third = new Worker(file, { workerData: undefined });
  third.once('online', () => {
    // One of them is gone meanwhile.
    const second = new Worker(file, { workerData: [...helpers, 2 ** 22 + 1] });
    second.once('message', (refused: readonly string[]) => {
      const others = readdirSync('/proc/self/task').map(Number);
      const policies = others.filter((thread) => thread !== process.pid).map(policyOf);
      const said = { refused, helpers: helpers.length, main: policyOf(process.pid), policies };
      process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0));
    });
  });
}

if (isMainThread) main();
else {
  const helpers = workerData as readonly number[] | undefined;
  if (helpers !== undefined) parentPort?.postMessage(becomeRealtime(helpers));
  setInterval(() => undefined, 1000);
}
