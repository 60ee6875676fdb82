import fc from 'fast-check';
import t from 'tap';
import type { Timeouts } from '../../src/ipvs/model.js';
import {
  type HeldTimeouts,
  memorable,
  planTimeouts,
  recall,
  TIMEOUT_NAMES,
  timeoutsText,
} from '../../src/ipvs/timeouts.js';

const KERNEL: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 };

/** A kernel and what is held of it, as one step after the other is done. */
class World {
  kernel: Timeouts = KERNEL;
  held: HeldTimeouts = {};
  drift = 0;

  want(wanted: Partial<Timeouts>): Partial<Timeouts> {
    const plan = planTimeouts(wanted, this.held, this.kernel);
    this.kernel = { ...this.kernel, ...plan.set };
    this.held = plan.after;
    this.drift += plan.drift.length;
    return plan.set;
  }
}

t.test('what is wanted is set, and what is not named is left alone', async (t) => {
  const world = new World();
  t.same(world.want({ tcp: 60 }), { tcp: 60 });
  t.same(world.held, { tcp: { original: 900, ours: [60] } });
  t.same(world.want({ tcp: 60 }), {}, 'done again there is nothing to do');
  t.same(world.want({ tcp: 60, udp: 5 }), { udp: 5 });
  t.same(world.want({ udp: 5 }), { tcp: 900 }, 'what is dropped is put back');
  t.same(world.want({}), { udp: 300 });
  t.same([world.kernel, world.held, world.drift], [KERNEL, {}, 0]);
});

t.test('what the kernel has already is not set, and nothing is put back', async (t) => {
  const world = new World();
  t.same(world.want({ tcp: 900 }), {});
  t.same(memorable(world.held), {});
  t.same(world.want({}), {});
});

t.test('another wish keeps the first original', async (t) => {
  const world = new World();
  world.want({ tcp: 60 });
  t.same(planTimeouts({ tcp: 70 }, world.held, world.kernel).meanwhile, {
    tcp: { original: 900, ours: [60, 70] },
  });
  world.want({ tcp: 70 });
  t.same(world.held, { tcp: { original: 900, ours: [70] } });
  world.want({ tcp: 900 });
  world.want({});
  t.equal(world.kernel.tcp, 900);
});

t.test('a change by somebody else is drift: repaired while wanted, and theirs at the end', async (t) => {
  const world = new World();
  world.want({ tcp: 60, udp: 5 });
  world.kernel = { ...world.kernel, tcp: 61 };
  t.same(planTimeouts({ tcp: 60, udp: 5 }, world.held, world.kernel).drift, [
    { name: 'tcp', found: 61, wanted: 60 },
  ]);
  t.same(world.want({ tcp: 60, udp: 5 }), { tcp: 60 });
  world.kernel = { ...world.kernel, udp: 7 };
  t.same(world.want({}), { tcp: 900 }, 'what somebody set last stays');
  t.same(world.kernel, { tcp: 900, tcpFin: 120, udp: 7 });
});

t.test('a value that is wanted and that somebody else has set is no drift', async (t) => {
  const world = new World();
  world.want({ tcp: 60 });
  world.kernel = { ...world.kernel, tcp: 70 };
  t.same(world.want({ tcp: 70 }), {});
  t.equal(world.drift, 0);
});

t.test('what a run left is recalled where the kernel still has it', async (t) => {
  const left: HeldTimeouts = {
    tcp: { original: 900, ours: [60, 70] },
    udp: { original: 300, ours: [5] },
  };
  t.same(recall(left, { tcp: 60, tcpFin: 120, udp: 5 }), left);
  t.same(recall(left, { tcp: 70, tcpFin: 120, udp: 300 }), { tcp: left.tcp }, 'put back already');
  t.same(recall(left, { tcp: 80, tcpFin: 5, udp: 9 }), {}, 'somebody else chose');
});

t.test('in words', async (t) => {
  t.equal(timeoutsText({ udp: 5, tcp: 60, tcpFin: 1 }), 'tcp 60s, tcp-fin 1s, udp 5s');
  t.equal(timeoutsText({}), '');
});

const value = fc.integer({ min: 1, max: 4 });
const wishes = fc.record({ tcp: value, tcpFin: value, udp: value }, { requiredKeys: [] });

type Step =
  | { readonly kind: 'want'; readonly wanted: Partial<Timeouts> }
  /** The process dies before, or after, the kernel was told; the next one wants this. */
  | { readonly kind: 'die'; readonly told: boolean; readonly wanted: Partial<Timeouts> };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('want' as const), wanted: wishes }),
  fc.record({ kind: fc.constant('die' as const), told: fc.boolean(), wanted: wishes }),
);

t.test(
  'law: whatever is wanted and wherever it dies, in the end the kernel has its own values again',
  async () => {
    fc.assert(
      fc.property(fc.record({ tcp: value, tcpFin: value, udp: value }), fc.array(step), (kernel, steps) => {
        const world = new World();
        world.kernel = kernel;
        for (const each of steps) {
          if (each.kind === 'want') world.want(each.wanted);
          else {
            const plan = planTimeouts(each.wanted, world.held, world.kernel);
            if (each.told) world.kernel = { ...world.kernel, ...plan.set };
            world.held = recall(memorable(plan.meanwhile), world.kernel);
          }
        }
        world.want({});
        for (const name of TIMEOUT_NAMES) if (world.kernel[name] !== kernel[name]) return false;
        return world.drift === 0;
      }),
    );
  },
);

t.test('law: a step leads to what is wanted, touches nothing else, and is not needed twice', async () => {
  const held = fc.record(
    {
      tcp: fc.record({ original: value, ours: fc.array(value, { minLength: 1, maxLength: 2 }) }),
      udp: fc.record({ original: value, ours: fc.array(value, { minLength: 1, maxLength: 2 }) }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(wishes, held, fc.record({ tcp: value, tcpFin: value, udp: value }), (wanted, its, seen) => {
      const plan = planTimeouts(wanted, its, seen);
      const after = { ...seen, ...plan.set };
      const again = planTimeouts(wanted, plan.after, after);
      const right = TIMEOUT_NAMES.every((name) => after[name] === (wanted[name] ?? after[name]));
      const untouched = after.tcpFin === seen.tcpFin || wanted.tcpFin !== undefined;
      return right && untouched && Object.keys(again.set).length === 0 && again.drift.length === 0;
    }),
  );
});
