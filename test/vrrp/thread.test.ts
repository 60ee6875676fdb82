/** Main's side of the VRRP thread, with real threads that do what a test tells them. */
import t, { type Test } from 'tap';
import { systemTimers } from '../../src/sys/clock.js';
import type { RoleChange } from '../../src/vrrp/protocol.js';
import type { VrrpDigest } from '../../src/vrrp/status.js';
import { VrrpThread } from '../../src/vrrp/thread.js';
import { eventually } from '../checks/listeners.js';
import { FakeTime } from '../fakes/time.js';
import { router } from './director.js';

const A = router({ name: 'a' });
const B = router({ name: 'b', vrid: 21 });

class Bench {
  /** What the threads said back, and their deaths. */
  readonly said: string[] = [];
  readonly roles: RoleChange[] = [];
  readonly digests: VrrpDigest[] = [];
  readonly thread: VrrpThread;

  constructor(t: Test, timers = systemTimers) {
    this.thread = new VrrpThread({
      workerFile: new URL('./stand-in-worker.js', import.meta.url),
      timers,
      onRole: (change) => this.roles.push(change),
      onNotice: ({ message }) => this.said.push(message),
      onDigest: (digest) => this.digests.push(digest),
      onDied: ({ message }, again) => this.said.push(`died${again ? ' again' : ''}: ${message}`),
    });
    t.teardown(() => this.thread.close());
  }

  /** Makes the thread do something, and waits until it has heard it. */
  async order(words: string): Promise<void> {
    this.thread.observe(words, { kind: 'up' });
    await this.hears(`${words} up`);
  }

  async hears(word: string): Promise<void> {
    if (!(await eventually(() => this.said.includes(word))))
      throw new Error(`never heard "${word}": ${this.said.join(', ')}`);
  }

  /** What was said since the last time. */
  taken(): readonly string[] {
    return this.said.splice(0);
  }
}

t.test('without virtual routers there is no thread; with the first one there is', async (t) => {
  const bench = new Bench(t);
  bench.thread.configure([]);
  bench.thread.ready();
  bench.thread.observe('services web', { kind: 'up' });
  bench.thread.configure([A]);
  await bench.hears('ready');
  t.same(
    bench.taken(),
    ['configure [a] resumed []', 'services web up', 'ready'],
    'what was known comes first',
  );
  bench.thread.configure([A]);
  bench.thread.ready();
  bench.thread.observe('services web', { kind: 'up' });
  bench.thread.configure([A, B]);
  await bench.hears('configure [a b] resumed []');
  t.same(bench.taken().length, 1, 'what is known already is not told again');
});

t.test('roles and digests come through', async (t) => {
  const bench = new Bench(t);
  bench.thread.configure([A]);
  await bench.order('role a master');
  await bench.order('digest');
  t.ok(await eventually(() => bench.digests.length === 1));
  t.match(bench.roles, [{ instance: 'a', to: 'master' }]);
});

t.test('a thread that dies is started again, knows all, and goes on where it was master', async (t) => {
  for (const [order, cause] of [
    ['throw it broke', 'it broke'],
    ['exit', 'exit code 3'],
  ] as const) {
    const bench = new Bench(t);
    bench.thread.configure([A, B]);
    bench.thread.ready();
    await bench.order('role a master');
    await bench.order('role b master');
    await bench.order('role b backup');
    bench.taken();
    bench.thread.observe(order, { kind: 'up' });
    // It is told the order anew when it is told all that is known, and dies of it again.
    await bench.hears(`died again: the VRRP thread ended: ${cause}`);
    const said = bench.taken();
    t.equal(said[said.indexOf(`died: the VRRP thread ended: ${cause}`) + 1], 'configure [a b] resumed [a]');
    await bench.hears('configure [a b] resumed []');
    bench.thread.observe(order, { kind: 'unknown' });
    await bench.thread.close();
  }
});

t.test('the same cause after some life is told as new', async (t) => {
  const bench = new Bench(t);
  bench.thread.configure([A]);
  await bench.order('digest');
  bench.thread.observe('throw it broke', { kind: 'up' });
  await bench.hears('died: the VRRP thread ended: it broke');
  t.notOk(bench.said.includes('died again: the VRRP thread ended: it broke'));
});

t.test('another configuration while there is no thread: nobody goes on', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, time);
  bench.thread.configure([A]);
  await bench.order('role a master');
  bench.thread.observe('exit', { kind: 'up' });
  await bench.hears('died: the VRRP thread ended: exit code 3');
  bench.taken();
  bench.thread.configure([B]);
  bench.thread.observe('exit', { kind: 'down' });
  t.equal(time.waiting, 1, 'the restart is under way, and there is one');
  await time.advance(0);
  await bench.hears('configure [b] resumed []');
});

t.test('closing asks the thread to resign and waits for it', async (t) => {
  const bench = new Bench(t);
  bench.thread.configure([A]);
  await bench.hears('configure [a] resumed []');
  await bench.thread.close();
  t.ok(bench.said.includes('stop'));
  t.notOk(
    bench.said.some((word) => word.startsWith('died')),
    'its end is no death',
  );
});

t.test('a thread that does not end in time is ended', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, time);
  bench.thread.configure([A]);
  await bench.order('hang');
  const closed = bench.thread.close();
  await bench.hears('stop');
  await time.advance(2999);
  await time.advance(2);
  await closed;
  t.equal(time.waiting, 0);
});

t.test('closing while it waits to be started again: it is not', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, time);
  bench.thread.configure([A]);
  bench.thread.observe('exit', { kind: 'up' });
  await bench.hears('died: the VRRP thread ended: exit code 3');
  await bench.thread.close();
  t.equal(time.waiting, 0);
});
