import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { systemClock, systemEntropy, systemTimers } from '../../src/sys/clock.js';

const after = (delay: number): Promise<void> =>
  new Promise((resolve) => {
    systemTimers.after(millis(delay), resolve);
  });

t.test('the monotonic clock never goes back and is the same in every thread', async (t) => {
  let last = systemClock.monotonic();
  for (let index = 0; index < 10_000; index += 1) {
    const now = systemClock.monotonic();
    if (now < last) t.fail(`${now} after ${last}`);
    last = now;
  }
  const url = new URL('../../src/sys/clock.js', import.meta.url);
  const code = `import('${url}').then((m) => require('worker_threads').parentPort.postMessage(m.systemClock.monotonic()))`;
  const before = systemClock.monotonic();
  const [there] = (await once(new Worker(code, { eval: true, execArgv: [] }), 'message')) as [number];
  t.ok(there > before && there < systemClock.monotonic());
});

t.test('the wall clock is that of the system', async (t) => {
  t.ok(Math.abs(systemClock.wall() - Date.now()) < 1000);
});

t.test('a timer is not early, by no fraction of a millisecond', async (t) => {
  for (const delay of [0, 0.25, 1, 1.5, 3.7, 12.3]) {
    const start = systemClock.monotonic();
    await after(delay);
    t.ok(systemClock.monotonic() - start >= delay, `${delay} ms`);
  }
  await after(-5);
});

t.test('timers fire in the order of their instants', async (t) => {
  const order: number[] = [];
  await Promise.all(
    [30, 5, 15].map(async (delay) => {
      await after(delay);
      order.push(delay);
    }),
  );
  t.strictSame(order, [5, 15, 30]);
});

t.test('a cancelled timer does not fire, however often it is cancelled', async (t) => {
  const timer = systemTimers.after(millis(1), () => t.fail('fired'));
  timer.cancel();
  timer.cancel();
  await after(20);
  timer.cancel();
});

t.test('a timer of more than 2^31 ms waits, without a warning', async (t) => {
  const warned = (warning: Error): void => {
    t.fail(warning.message);
  };
  process.on('warning', warned);
  const timers = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((delay) =>
    systemTimers.after(millis(delay), () => t.fail(`fired after ${delay}`)),
  );
  await after(20);
  for (const timer of timers) timer.cancel();
  process.off('warning', warned);
});

t.test('a delay that is no number is our own defect', async (t) => {
  t.throws(() => systemTimers.after(millis(Number.NaN), () => undefined), { code: 'INTERNAL' });
});

t.test('entropy is uniform in [0, 1)', async (t) => {
  const draws = Array.from({ length: 10_000 }, () => systemEntropy.uniform());
  t.ok(draws.every((draw) => draw >= 0 && draw < 1));
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  // Six standard deviations of the mean of 10,000 draws: 6 * 0.2887 / 100.
  t.ok(Math.abs(mean - 0.5) < 0.0174);
});
