/** What is foreign, and what goes: from the configuration, or at a stop. */
import t from 'tap';
import { millis, seconds } from '../../src/core/units.js';
import type { Dest } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { Leaving } from '../../src/ipvs/ownership.js';
import { A, B, Bench, desired, FOREIGN, OTHERS, puts, takes, WEB, WEB_TEXT } from './bench.js';
import { key, service, table } from './build.js';

t.test('foreign entries are listed and left alone', async (t) => {
  const bench = new Bench(table([WEB, [A, B, FOREIGN]], [OTHERS, [FOREIGN]]));
  await bench.configure(desired('up', 'down'));
  t.same(bench.foreign, ['tcp 192.0.2.200:80', '192.0.2.99:80 in tcp 192.0.2.1:80']);
  t.equal(bench.lines, 'wlc: 11=1 99=7, wlc: 99=7');
  await bench.somebody({ kind: 'delete-service', key: OTHERS.key }, takes(FOREIGN));
  t.same(bench.foreign, []);
});

t.test('exclusive: what is foreign goes, but not before what is ours is in', async (t) => {
  const bench = new Bench(table([OTHERS, [FOREIGN]]));
  bench.scripted.refuse = (operation) => (operation.kind === 'add-dest' ? 'ENOMEM' : undefined);
  await bench.configure(desired('up', 'up'), { exclusive: true });
  await bench.time.advance(20_000);
  t.ok(bench.scripted.observed.has('tcp 192.0.2.200:80'), 'ours is not in yet');
  bench.scripted.refuse = () => undefined;
  await bench.time.advance(20_000);
  t.equal(bench.lines, 'wlc: 11=1 12=2');
  t.ok(bench.told.includes('delete-service exclusive'));
  await bench.somebody(puts(FOREIGN), { kind: 'add-service', service: OTHERS });
  t.same(bench.told.sort(), ['delete-dest exclusive', 'delete-service exclusive']);
  t.equal(bench.lines, 'wlc: 11=1 12=2');
});

t.test(
  'exclusive: a new configuration is in before anything goes again, and at a stop nothing does',
  async (t) => {
    const bench = new Bench();
    await bench.configure(desired('up', 'up'), { exclusive: true });
    bench.scripted.refuse = (operation) => (operation.kind === 'edit-service' ? 'ENOENT' : undefined);
    const odd = desired('up', 'up', [A, B], service(key(), { scheduler: 'nosuch' }));
    await bench.configure(odd, { exclusive: true });
    await bench.somebody({ kind: 'add-service', service: OTHERS });
    t.ok(bench.scripted.observed.has('tcp 192.0.2.200:80'));
    const stopping = new Bench();
    await stopping.configure(desired('up', 'up'), { exclusive: true, onStop: { kind: 'remove' } });
    stopping.scripted.observed = applyToObserved(stopping.scripted.observed, [
      { kind: 'add-service', service: OTHERS },
      puts(FOREIGN),
    ]);
    await stopping.reconciler.leave(seconds(100));
    await stopping.reconciler.close();
    t.equal(stopping.lines, 'wlc: 99=7, wlc: ');
  },
);

t.test('exclusive: a thousand at a look, so that a mistake can be seen while it happens', async (t) => {
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), { exclusive: true });
  const strangers = Array.from({ length: 1500 }, (_, at) => service(key('192.0.2.200', 1 + at)));
  const count = (): number => bench.scripted.observed.size - 1;
  await bench.somebody(...strangers.map((one) => ({ kind: 'add-service', service: one }) as const));
  await bench.reconciler.settled();
  t.equal(count(), 500);
  await bench.time.advance(9000);
  t.equal(count(), 500, 'not before the next look');
  await bench.time.advance(1000);
  await bench.reconciler.settled();
  t.equal(count(), 0);
});

const DRAIN: Leaving = { kind: 'drain', deadline: millis(60_000) };

/** Gives a server of the table connections. */
function connects(bench: Bench, its: Dest, active: number): void {
  const web = bench.scripted.observed.get(WEB_TEXT);
  const text = `${its.key.address}:80`;
  const seen = web?.dests.get(text);
  if (web === undefined || seen === undefined) throw new Error('it is not there');
  const dests = new Map(web.dests).set(text, { ...seen, active });
  bench.scripted.observed = new Map(bench.scripted.observed).set(WEB_TEXT, { ...web, dests });
}

t.test('on-remove: drain: a server that leaves the configuration finishes its connections', async (t) => {
  const rules = { onRemove: DRAIN };
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), rules);
  connects(bench, B, 3);
  await bench.configure(desired('up', 'up', [A]), rules);
  t.equal(bench.lines, 'wlc: 11=1 12=0');
  await bench.time.advance(30_000);
  t.equal(bench.lines, 'wlc: 11=1 12=0', 'while it has some');
  t.same(bench.foreign, [], 'it is still ours');
  connects(bench, B, 0);
  await bench.time.advance(3000);
  t.equal(bench.lines, 'wlc: 11=1', 'and then it goes');
});

t.test('on-remove: drain: the deadline ends it; who comes back is ours again', async (t) => {
  const rules = { onRemove: DRAIN };
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), rules);
  connects(bench, B, 3);
  await bench.configure(desired('up', 'up', [A]), rules);
  await bench.time.advance(59_000);
  t.equal(bench.lines, 'wlc: 11=1 12=0');
  await bench.configure(desired('up', 'up'), rules);
  t.equal(bench.lines, 'wlc: 11=1 12=2');
  await bench.time.advance(60_000);
  t.equal(bench.lines, 'wlc: 11=1 12=2', 'its drain is forgotten');
  await bench.configure(desired('up', 'up', [A]), rules);
  await bench.time.advance(62_000);
  t.equal(bench.lines, 'wlc: 11=1');
});

t.test('on-remove: drain: a whole service goes when its last server is empty', async (t) => {
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), { onRemove: DRAIN });
  connects(bench, B, 3);
  await bench.configure(new Map(), { onRemove: DRAIN });
  t.equal(bench.lines, 'wlc: 12=0', 'who has none goes at once');
  connects(bench, B, 0);
  await bench.time.advance(3000);
  t.equal(bench.lines, '');
});

t.test('leave: what is to be kept is kept, and nothing is written', async (t) => {
  const bench = new Bench();
  await bench.configure(desired('up', 'up'));
  t.same(bench.reconciler.leaving, []);
  t.equal(await bench.reconciler.leave(seconds(100)), true);
  await bench.reconciler.close();
  t.same(bench.scripted.applied, []);
});

t.test('leave: our services go at a stop; servers of others keep theirs', async (t) => {
  for (const [observed, expected] of [
    [table([WEB, [A, B]], [OTHERS, [FOREIGN]]), 'wlc: 99=7'],
    [table([WEB, [A, B, FOREIGN]]), 'wlc: 99=7'],
  ] as const) {
    const bench = new Bench(observed);
    await bench.configure(desired('up', 'up'), { onStop: { kind: 'remove' } });
    await bench.reconciler.leave(seconds(100));
    await bench.reconciler.close();
    t.equal(bench.lines, expected);
    t.ok(bench.told.every((line) => line.endsWith('stopping')));
  }
});

t.test('leave: drain waits for connections until its deadline; a reload comes too late', async (t) => {
  for (const ends of [true, false]) {
    const bench = new Bench();
    await bench.configure(desired('up', 'up'), { onStop: DRAIN });
    connects(bench, A, 1);
    let left = false;
    const leaving = bench.reconciler.leave(seconds(100)).then((isGone) => {
      left = isGone;
    });
    await bench.time.advance(10_000);
    t.equal(bench.lines, 'wlc: 11=0');
    await bench.configure(desired('up', 'up'), { onStop: DRAIN });
    t.equal(bench.lines, 'wlc: 11=0');
    await bench.time.advance(40_000);
    t.equal(left, false);
    if (ends) connects(bench, A, 0);
    await bench.time.advance(ends ? 3000 : 12_000);
    t.equal(bench.lines, '');
    await leaving;
    t.equal(left, true);
    await bench.reconciler.close();
    t.equal(bench.time.waiting, 0);
  }
});

t.test('leave: a table that refuses does not hold up a stop for ever', async (t) => {
  for (const isClosed of [true, false]) {
    const bench = new Bench();
    await bench.configure(desired('up', 'up'), { onStop: { kind: 'remove' } });
    bench.scripted.refuse = () => 'EPERM';
    const leaving = bench.reconciler.leave(seconds(40));
    await bench.time.advance(30_000);
    if (isClosed) await bench.reconciler.close();
    else await bench.time.advance(10_000);
    t.equal(await leaving, false, isClosed ? 'closed before' : 'at the limit');
    t.equal(bench.lines, 'wlc: 11=1 12=2');
    await bench.reconciler.close();
  }
});
