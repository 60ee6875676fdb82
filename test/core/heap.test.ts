import fc from 'fast-check';
import t from 'tap';
import { DueHeap, type DueItem } from '../../src/core/heap.js';
import { type Millis, millis } from '../../src/core/units.js';

class Thing implements DueItem {
  place = -1;
  dueAt: Millis;

  constructor(at: number) {
    this.dueAt = millis(at);
  }
}

function drain(heap: DueHeap<Thing>): number[] {
  const order: number[] = [];
  for (let next = heap.peek(); next !== undefined; next = heap.peek()) {
    order.push(next.dueAt);
    heap.remove(next);
  }
  return order;
}

t.test('an empty heap has nothing', async (t) => {
  const heap = new DueHeap<Thing>();
  t.equal(heap.peek(), undefined);
  t.equal(heap.size, 0);
});

t.test('things come out by the time they are due', async (t) => {
  const heap = new DueHeap<Thing>();
  for (const at of [5, 1, 4, 1, 3, 9, 2]) heap.push(new Thing(at));
  t.equal(heap.size, 7);
  t.same(drain(heap), [1, 1, 2, 3, 4, 5, 9]);
});

t.test('a thing stands in one heap, once', async (t) => {
  const [one, other] = [new DueHeap<Thing>(), new DueHeap<Thing>()];
  const thing = new Thing(1);
  t.throws(() => one.remove(thing), { code: 'INTERNAL' }, 'it is in none');
  one.push(thing);
  t.throws(() => one.push(thing), { code: 'INTERNAL' }, 'it is there already');
  t.throws(() => other.push(thing), { code: 'INTERNAL' }, 'it is elsewhere');
  other.push(new Thing(2));
  t.throws(() => other.remove(thing), { code: 'INTERNAL' }, 'another stands in its place');
  one.remove(thing);
  other.push(thing);
  t.equal(other.peek(), thing);
});

const move = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('push' as const), at: fc.integer({ min: 0, max: 50 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(100) }) },
);

t.test('law: whatever goes in and out, the earliest is on top and all come out sorted', async (t) => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 120, size: 'max' }), (moves) => {
      const heap = new DueHeap<Thing>();
      let inside: Thing[] = [];
      for (const step of moves) {
        if (step.kind === 'push') {
          const thing = new Thing(step.at);
          inside.push(thing);
          heap.push(thing);
        } else if (inside.length > 0) {
          const gone = inside[step.which % inside.length];
          if (gone === undefined) return false;
          inside = inside.filter((thing) => thing !== gone);
          heap.remove(gone);
          if (gone.place !== -1) return false;
        }
        const least = inside.reduce((least, { dueAt }) => Math.min(least, dueAt), Number.POSITIVE_INFINITY);
        if (heap.size !== inside.length || (heap.peek()?.dueAt ?? Number.POSITIVE_INFINITY) !== least)
          return false;
      }
      const sorted = inside.map(({ dueAt }) => dueAt).sort((a, b) => a - b);
      return drain(heap).join() === sorted.join();
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
