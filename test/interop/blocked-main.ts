/**
 * A main thread that starts the VRRP thread, as the daemon does, and then does nothing at all any more: it waits inside a
 * call, so that its loop stands still. Arguments: the configuration's file.
 */
import { readFileSync } from 'node:fs';
import { systemTimers } from '../../src/sys/clock.js';
import { VrrpThread } from '../../src/vrrp/thread.js';
import { configOf } from '../config/given.js';

const BLOCKED = 4000;

const thread = new VrrpThread({
  workerFile: new URL('../../src/vrrp/worker.js', import.meta.url),
  data: { helpers: [] },
  timers: systemTimers,
  onRole: ({ to }) => {
    process.stdout.write(`${to}\n`);
    if (to !== 'master') return;
    process.stdout.write('blocked\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED);
    process.stdout.write('free\n');
  },
  onNotice: ({ message }) => process.stdout.write(`${message}\n`),
  onDigest: () => undefined,
  onDied: ({ message }) => process.stdout.write(`${message}\n`),
});
thread.configure(configOf(readFileSync(process.argv[2] ?? '', 'utf8')).vrrp);
thread.ready();
process.once('SIGTERM', () => void thread.close());
