import t from 'tap';
import { seconds } from '../../src/core/units.js';
import { LevelLoop, type Look } from '../../src/ipvs/level-loop.js';
import { FakeTime, turn } from '../fakes/time.js';

function setup() {
  const time = new FakeTime();
  let looks = 0;
  const answers: { next: Look; gate: Promise<void> | undefined } = { next: 'right', gate: undefined };
  const loop = new LevelLoop({
    timers: time,
    attempt: async () => {
      looks += 1;
      await answers.gate;
      return answers.next;
    },
  });
  loop.resync = seconds(10);
  return { time, loop, answers, count: () => looks };
}

t.test('it looks when asked, and again at every resync', async (t) => {
  const { time, loop, count } = setup();
  t.equal(count(), 0, 'not by itself');
  loop.look();
  await loop.settled();
  t.equal(count(), 1);
  await time.advance(9_999);
  t.equal(count(), 1);
  await time.advance(20_001);
  t.equal(count(), 4);
  await loop.close();
  await time.advance(60_000);
  t.equal(count(), 4, 'and never after its end');
  loop.look();
  await turn();
  t.equal(count(), 4);
});

t.test('where there is nothing to look at, it waits to be asked', async (t) => {
  const { time, loop, answers, count } = setup();
  answers.next = 'idle';
  loop.look();
  await time.advance(60_000);
  t.same([count(), time.waiting], [1, 0]);
});

t.test(
  'after a failure it tries again, less and less often, and not less often than at a resync',
  async (t) => {
    const { time, loop, answers, count } = setup();
    answers.next = 'wrong';
    loop.look();
    await time.advance(0);
    const looks: number[] = [];
    for (const span of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
      await time.advance(span);
      looks.push(count());
    }
    t.same(looks, [2, 3, 4, 5, 6, 7, 8, 9]);
    answers.next = 'right';
    await time.advance(5000);
    answers.next = 'wrong';
    await time.advance(10_000);
    await time.advance(100);
    t.equal(count(), 12, 'after a success it begins anew');
  },
);

t.test('one look at a time: what is asked for meanwhile is one look more', async (t) => {
  const { loop, answers, count } = setup();
  let open = (): void => undefined;
  answers.gate = new Promise((resolve) => {
    open = resolve;
  });
  for (let asked = 0; asked < 3; asked += 1) loop.look();
  await turn();
  t.equal(count(), 1);
  const closed = loop.close();
  open();
  await closed;
  t.equal(count(), 2, 'its end waits for it');
});
