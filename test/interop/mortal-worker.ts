/** The real VRRP worker, but the first one of a process dies when it is told to observe its end. */
import { parentPort } from 'node:worker_threads';
import '../../src/vrrp/worker.js';
import type { ToVrrp } from '../../src/vrrp/protocol.js';

let told = 0;
parentPort?.on('message', (message: ToVrrp) => {
  told += 1;
  // In the first thread it comes behind all that is known, in the next one with it.
  if (message.kind === 'observed' && message.what === 'die' && told >= 3) throw new Error('told to die');
});
