/**
 * A main that starts the VRRP thread, as the daemon does, and has bad luck once an instance is master. Arguments: the
 * configuration's file, and `blocked` (it waits inside a call, so that its loop stands still) or `mortal` (its thread dies).
 */
import { readFileSync } from 'node:fs';
import { systemTimers } from '../../src/sys/clock.js';
import { collectGarbageAlone } from '../../src/sys/collector.js';
import { VrrpThread } from '../../src/vrrp/thread.js';
import { configOf } from '../config/given.js';

const BLOCKED = 4000;

collectGarbageAlone();
const [file = '', luck = ''] = process.argv.slice(2);

function standStill(): void {
  process.stdout.write('blocked\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED);
  process.stdout.write('free\n');
}

const worker = luck === 'mortal' ? './mortal-worker.js' : '../../src/vrrp/worker.js';
const thread = new VrrpThread({
  workerFile: new URL(worker, import.meta.url),
  timers: systemTimers,
  onRole: ({ to, cause }) => {
    process.stdout.write(`${to} ${cause}\n`);
    if (to === 'master' && luck === 'blocked') standStill();
  },
  onNotice: ({ message }) => process.stdout.write(`${message}\n`),
  onDigest: () => undefined,
  onDied: ({ message }) => process.stdout.write(`${message}\n`),
});
thread.configure(configOf(readFileSync(file, 'utf8')).vrrp);
thread.ready();
process.once('SIGTERM', () => void thread.close());
// As `mortal` waits for it: the thread throws, and main goes on.
process.once('SIGUSR2', () => thread.observe('die', { kind: 'up' }));
