import t from 'tap';
import { Shared } from '../src/shared.js';
import { turn } from './fakes/time.js';

function bench() {
  const made: { resolve(value: number): void; reject(error: Error): void }[] = [];
  const shared = new Shared(
    () => new Promise<number>((resolve, reject) => void made.push({ resolve, reject })),
  );
  return { made, shared };
}

t.test('one at a time, and one for all that ask meanwhile', async (t) => {
  const { made, shared } = bench();
  const first = shared.take();
  await turn();
  const others = [shared.take(), shared.take(), shared.take()];
  await turn();
  t.equal(made.length, 1, 'the one that began before they asked is none for them');
  made[0]?.resolve(1);
  t.equal(await first, 1);
  await turn();
  t.equal(made.length, 2);
  made[1]?.resolve(2);
  t.same(await Promise.all(others), [2, 2, 2]);
  const last = shared.take();
  await turn();
  t.equal(made.length, 3, 'nothing is kept for those who ask later');
  made[2]?.resolve(3);
  t.equal(await last, 3);
});

t.test('a failure is heard by those who waited for it, and by nobody else', async (t) => {
  const { made, shared } = bench();
  const first = shared.take();
  await turn();
  const second = shared.take();
  made[0]?.reject(new Error('gone'));
  await t.rejects(first, { message: 'gone' });
  await turn();
  made[1]?.resolve(2);
  t.equal(await second, 2);
});
