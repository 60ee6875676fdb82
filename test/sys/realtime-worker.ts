/** A process whose second thread becomes real-time and whose third does not; it prints how all its threads stand. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { becomeRealtime } from '../../src/sys/realtime.js';

/** Field 41 of proc(5): 0 ordinary, 1 SCHED_FIFO. */
function policyOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]);
}

function main(): void {
  const file = new URL(import.meta.url);
  const third = new Worker(file, { workerData: false });
  third.once('online', () => {
    const second = new Worker(file, { workerData: true });
    second.once('message', (refused: readonly string[]) => {
      const others = readdirSync('/proc/self/task').map(Number);
      const policies = others.filter((thread) => thread !== process.pid).map(policyOf);
      const said = { refused, main: policyOf(process.pid), policies };
      process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0));
    });
  });
}

if (isMainThread) main();
else {
  if (workerData === true) parentPort?.postMessage(becomeRealtime());
  setInterval(() => undefined, 1000);
}
