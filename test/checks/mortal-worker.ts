/** The real probe worker, but it dies when it is told to: by a broadcast, which the pool knows nothing of. */
import { parentPort, workerData } from 'node:worker_threads';
import '../../src/checks/worker.js';
import type { WorkerSetup } from '../../src/checks/protocol.js';
import { type Order, onOrder } from './orders.js';

onOrder((workerData as WorkerSetup).worker, (order: Order) => {
  switch (order.kind) {
    case 'throw':
      throw new Error('told to die');
    case 'exit':
      process.exit(3);
      break;
    case 'hang':
      for (;;);
    case 'say':
      parentPort?.postMessage(order.message);
  }
});
