/** A probe worker that probes nothing: it tells what it was told, as the text of a defect, and obeys orders. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerSetup } from '../../src/checks/protocol.js';
import { onOrder } from './orders.js';

const { worker } = workerData as WorkerSetup;
const say = (message: FromWorker): void => parentPort?.postMessage(message);

export interface Echo {
  readonly worker: number;
  readonly ids: readonly string[];
  readonly verdicts: Readonly<Record<string, string>>;
}

const ids = new Set<string>();

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') return parentPort?.close();
  // It answers no questions.
  if (message.kind !== 'update') return;
  for (const id of message.drop) ids.delete(id);
  for (const { id } of message.put) ids.add(id);
  const echo: Echo = { worker, ids: [...ids], verdicts: Object.fromEntries(message.verdicts) };
  say({ kind: 'defect', id: '', text: JSON.stringify(echo) });
});

onOrder(worker, (order) => {
  if (order.kind === 'say') say(order.message);
  else process.exit(4);
});
