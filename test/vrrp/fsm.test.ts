/** What the machine does beyond the RFC. */
import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { nextDeadline, stepVrrp, wantsMaster } from '../../src/vrrp/fsm.js';
import type { Fault, InstanceRule, VrrpEvent } from '../../src/vrrp/model.js';
import {
  advert,
  backupOf,
  effectWord,
  HIGHER,
  LOWER,
  Machine,
  masterOf,
  ms,
  rule,
  standing,
} from './build.js';

const DOWN = 3609.375;
const SKEW = 609.375;
const LINK: Fault = { kind: 'link-down', name: 'eth0' };

t.test('fault: a master resigns, a backup steps aside, and adverts are not heard', async (t) => {
  const master = masterOf(rule());
  master.step({ kind: 'faults', faults: [LINK] }, 4000);
  t.same(master.did, ['send 0', 'silence', 'drop', 'master>fault fault']);
  const backup = backupOf(rule());
  backup.step({ kind: 'faults', faults: [LINK] }, 100);
  t.same(backup.did, ['backup>fault fault']);
  for (const event of [advert(0), advert(1), { kind: 'timer' }] as const) backup.step(event, 100_000);
  t.equal(backup.state.kind, 'fault');
  t.equal(nextDeadline(backup.state), undefined);
});

t.test('fault: it ends when the last fault clears, and begins like a start', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'faults', faults: [LINK, { kind: 'tracked', name: 'script chk' }] }, 4000);
  machine.step({ kind: 'faults', faults: [LINK] }, 5000);
  t.same([machine.state.kind, machine.did], ['fault', []]);
  machine.step({ kind: 'faults', faults: [] }, 6000);
  t.same(machine.did, ['fault>backup fault-cleared']);
  t.equal(nextDeadline(machine.state), 6000 + DOWN, 'a whole interval to listen');
});

t.test('fault: an owner that recovers is master at once (6.4.1)', async (t) => {
  const machine = masterOf(rule(), 255);
  machine.step({ kind: 'faults', faults: [LINK] }, 4000);
  machine.step({ kind: 'faults', faults: [] }, 5000);
  t.same(machine.did, ['send 255', 'take', 'announce master', 'fault>master owner']);
});

t.test('fault: a missing source address is one, a new address is not', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'source', source: ip('10.0.0.9') }, 4000);
  t.same([machine.state.kind, machine.did], ['master', []]);
  machine.step(advert(100, HIGHER), 4100);
  t.equal(machine.state.kind, 'master', 'the new address wins the tie');
  machine.step({ kind: 'source', source: undefined }, 4200);
  t.ok(machine.did.includes('master>fault fault'));
  machine.step({ kind: 'source', source: ip('10.0.0.9') }, 4300);
  t.equal(machine.state.kind, 'backup');
});

t.test('fault: a start with a fault drops leftovers and waits', async (t) => {
  const machine = new Machine(rule(), standing({ faults: [LINK] }));
  machine.step({ kind: 'startup' });
  t.same(machine.did, ['drop', 'initialize>fault fault']);
  machine.step({ kind: 'shutdown' });
  t.same(machine.did, ['fault>initialize shutdown']);
});

t.test('fault: before start-up it is noted, and the start finds it', async (t) => {
  const machine = new Machine(rule());
  machine.step({ kind: 'faults', faults: [LINK] });
  t.same([machine.state.kind, machine.did], ['initialize', []]);
  machine.step({ kind: 'startup' });
  t.equal(machine.state.kind, 'fault');
});

t.test('start-up in any other state does nothing', async (t) => {
  for (const machine of [backupOf(rule()), masterOf(rule())]) {
    const before = machine.state;
    machine.step({ kind: 'startup' }, 10_000);
    t.same([machine.state, machine.did], [before, []]);
  }
});

t.test('a resignation counts from the master that was heard, not from anybody', async (t) => {
  const machine = backupOf(rule());
  machine.step(advert(200, HIGHER), 1000);
  machine.step(advert(0, LOWER), 1100);
  t.equal(nextDeadline(machine.state), 1000 + DOWN);
  machine.step(advert(0, HIGHER), 1200);
  t.equal(nextDeadline(machine.state), 1200 + SKEW);
});

t.test('two owners: the higher address stays, the lower yields, both say so', async (t) => {
  const high = masterOf(rule(), 255);
  high.step(advert(255, LOWER), 5000);
  t.same(high.did, ['send 255', 'announce lower-master', 'report lower-master', 'report second-owner']);
  const low = masterOf(rule(), 255);
  low.step(advert(255, HIGHER), 5000);
  t.same(low.did, ['send 255', 'silence', 'drop', 'master>backup higher-address', 'report second-owner']);
  low.step(advert(255, HIGHER), 6000);
  t.equal(nextDeadline(low.state), 6000 + 3003.90625, 'and it stays backup');
});

t.test('a lower master is answered at most ten times in one interval', async (t) => {
  const machine = masterOf(rule());
  let answers = 0;
  for (let at = 4000; at < 5000; at += 1) {
    machine.step(advert(99), at);
    answers += machine.did.filter((word) => word === 'send 100').length;
  }
  t.equal(answers, 10);
});

t.test('priority: a running timer moves by the difference of the skews, both ways', async (t) => {
  const machine = backupOf(rule());
  machine.step({ kind: 'priority', priority: 200 }, 1000);
  t.equal(nextDeadline(machine.state), 3218.75);
  machine.step({ kind: 'priority', priority: 100 }, 2000);
  t.equal(nextDeadline(machine.state), DOWN);
  machine.step(advert(0), 3000);
  machine.step({ kind: 'priority', priority: 200 }, 3001);
  t.equal(nextDeadline(machine.state), 3218.75, 'the skew after a resignation too');
});

t.test('priority: a master that was passed over counts again when we fall to it or below', async (t) => {
  const machine = backupOf(rule(), 200);
  machine.step(advert(150, LOWER, 2000), 1000);
  machine.step({ kind: 'priority', priority: 151 }, 1100);
  t.equal(nextDeadline(machine.state), 3218.75 + (49 * 1000) / 256, 'still above: the timer moves, no more');
  machine.step({ kind: 'priority', priority: 150 }, 1200);
  t.match(machine.state, { masterInterval: 2000, masterDownAt: 1000 + 6000 + (106 * 2000) / 256 });
  const grouped = backupOf(rule({ grouped: true }), 200);
  grouped.step(advert(150), 3000);
  grouped.step({ kind: 'timer' }, 3218.75);
  grouped.step({ kind: 'priority', priority: 100 }, 3300);
  t.equal(nextDeadline(grouped.state), 3000 + DOWN, 'and it wants to be master no more');
});

t.test('priority: a master says the new one with its next advert', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'priority', priority: 50 }, 4000);
  t.same(machine.did, []);
  machine.step({ kind: 'timer' }, DOWN + 1000);
  t.same(machine.did, ['send 50']);
  machine.step(advert(51), DOWN + 1100);
  t.equal(machine.state.kind, 'backup');
});

t.test('adverts stay on the grid of their deadlines: lateness does not add up', async (t) => {
  const machine = masterOf(rule());
  for (let beat = 1; beat <= 100; beat += 1) machine.step({ kind: 'timer' }, DOWN + beat * 1000 + 7);
  t.equal(nextDeadline(machine.state), DOWN + 101_000);
  machine.step({ kind: 'timer' }, DOWN + 102_500);
  t.same(machine.did, ['send 100'], 'a beat that was missed is not made up for');
  t.equal(nextDeadline(machine.state), DOWN + 103_500);
});

t.test('two masters meet, the lower hears first: it says so, and the higher announces', async (t) => {
  const low = masterOf(rule(), 100);
  low.step(advert(150, HIGHER), 20_000);
  t.same(low.did, ['send 100', 'silence', 'drop', 'master>backup higher-priority']);
  const high = masterOf(rule(), 150);
  for (let at = 0; at < 10; at += 1) high.step({ kind: 'timer' }, nextDeadline(high.state));
  high.step(advert(100, LOWER));
  t.same(high.did, ['send 150', 'announce lower-master', 'report lower-master']);
});

t.test('the master that was taken over from says so too: it is answered, but no trouble', async (t) => {
  const high = masterOf(rule(), 150);
  const taken = high.now;
  high.step(advert(100, LOWER), taken + 1);
  t.same(high.did, ['send 150', 'announce lower-master']);
  high.step(advert(100, LOWER), taken + 1000);
  t.same(high.did, ['send 150', 'announce lower-master', 'report lower-master'], 'one that goes on is');
});

t.test('overslept backup: listens once more before it takes what may be taken', async (t) => {
  const machine = backupOf(rule());
  machine.step({ kind: 'timer' }, DOWN + 1000);
  t.same(machine.did, ['report overslept']);
  t.equal(nextDeadline(machine.state), DOWN + 2000 + SKEW);
  machine.step(advert(200), DOWN + 1500);
  t.equal(nextDeadline(machine.state), DOWN + 1500 + DOWN, 'the master lives');
});

t.test('overslept backup: once only, so that a machine that is always late still takes over', async (t) => {
  const machine = backupOf(rule());
  machine.step({ kind: 'timer' }, 50_000);
  machine.step({ kind: 'timer' }, 100_000);
  t.equal(machine.state.kind, 'master');
  const late = backupOf(rule());
  late.step({ kind: 'timer' }, DOWN + 999);
  t.equal(late.state.kind, 'master', 'less than an interval is only late');
});

t.test('overslept master with preemption: speaks at once and announces again', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'timer' }, DOWN + 3000);
  t.same(machine.did, ['send 100', 'announce overslept', 'report overslept']);
  t.equal(nextDeadline(machine.state), DOWN + 4000);
});

t.test(
  'overslept master without preemption: keeps quiet for one interval and yields to whoever speaks',
  async (t) => {
    const heard = masterOf(rule({ preempt: false }));
    heard.step({ kind: 'timer' }, DOWN + 3000);
    t.same(heard.did, ['report overslept']);
    heard.step(advert(1), DOWN + 3500);
    t.same(heard.did, ['silence', 'drop', 'master>backup overslept']);
    const alone = masterOf(rule({ preempt: false }));
    alone.step({ kind: 'timer' }, DOWN + 3000);
    alone.step({ kind: 'timer' }, DOWN + 4000);
    t.same(alone.did, ['send 100'], 'nobody took over: the addresses were never gone');
    alone.step(advert(1), DOWN + 4500);
    t.equal(alone.state.kind, 'master');
  },
);

t.test('overslept master without preemption: adverts that waited in the socket count first', async (t) => {
  const machine = masterOf(rule({ preempt: false }));
  machine.step(advert(1), DOWN + 3000);
  t.same(machine.did, ['silence', 'drop', 'master>backup overslept']);
  const early = masterOf(rule({ preempt: false }));
  early.step(advert(1), DOWN + 2999);
  t.equal(early.state.kind, 'master', 'nobody can have taken over yet');
});

t.test(
  'overslept is counted from the deadline, and in the adverts that a master-down interval has',
  async (t) => {
    const machine = masterOf(rule({ downAdverts: 2 }));
    const deadline = nextDeadline(machine.state) ?? ms(0);
    machine.step({ kind: 'timer' }, deadline + 1000);
    t.match(machine.effects.at(-1), { kind: 'report', report: { kind: 'overslept', by: 1000 } });
  },
);

t.test('with one advert for a master-down interval a master is not overslept at every beat', async (t) => {
  const machine = masterOf(rule({ downAdverts: 1 }));
  machine.step({ kind: 'timer' }, nextDeadline(machine.state));
  t.same(machine.did, ['send 100']);
});

t.test('reconfigured: a master says so at once and looks at its addresses, a backup goes on', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'reconfigured' }, 4000);
  t.same(machine.did, ['send 100', 'take']);
  t.equal(nextDeadline(machine.state), 5000);
  const backup = backupOf(rule());
  backup.step({ kind: 'reconfigured' }, 100);
  t.same([backup.did, nextDeadline(backup.state)], [[], DOWN]);
  const fault = new Machine(rule(), standing({ faults: [LINK] }));
  fault.step({ kind: 'startup' });
  fault.step({ kind: 'reconfigured' });
  t.same([fault.did, fault.state.kind], [[], 'fault']);
});

t.test('reconfigured: a backup that left its sync group gets a timer again', async (t) => {
  const machine = backupOf(rule({ grouped: true }));
  machine.step({ kind: 'timer' }, DOWN);
  t.ok(wantsMaster(machine.state));
  const step = stepVrrp(rule(), machine.state, { kind: 'reconfigured' }, ms(5000));
  t.equal(nextDeadline(step.state), 5000 + DOWN);
});

t.test('grouped: the timer makes it want, not be; an advert that counts makes it want no more', async (t) => {
  const machine = backupOf(rule({ grouped: true }));
  machine.step({ kind: 'timer' }, DOWN);
  t.same([machine.state.kind, machine.did, nextDeadline(machine.state)], ['backup', [], undefined]);
  machine.step(advert(0), 4000);
  machine.step(advert(99), 4100);
  machine.step({ kind: 'priority', priority: 120 }, 4150);
  t.ok(wantsMaster(machine.state), 'resignations and lower masters change nothing');
  machine.step(advert(120), 4200);
  t.notOk(wantsMaster(machine.state));
  const owner = backupOf(rule({ grouped: true, waitReady: true }), 255);
  owner.step({ kind: 'ready' }, 10);
  t.ok(wantsMaster(owner.state), 'an owner wants at once');
});

t.test('an advert with interval 0 never gets here: it would be a defect of ours', async (t) => {
  t.throws(() => backupOf(rule()).step(advert(200, LOWER, 0)), { code: 'INTERNAL' });
});

const faultsArbitrary = fc.constantFrom<readonly Fault[]>([], [LINK]);
const eventArbitrary: fc.Arbitrary<VrrpEvent> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<VrrpEvent>({ kind: 'startup' }) },
  { weight: 1, arbitrary: fc.constant<VrrpEvent>({ kind: 'shutdown' }) },
  { weight: 6, arbitrary: fc.constant<VrrpEvent>({ kind: 'timer' }) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(0, 1, 99, 100, 101, 255),
        fc.constantFrom(LOWER, HIGHER),
        fc.constantFrom(10, 1000, 40_950),
      )
      .map(([priority, source, interval]): VrrpEvent => advert(priority, source, interval)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1, 99, 254).map((priority): VrrpEvent => ({ kind: 'priority', priority })),
  },
  { weight: 1, arbitrary: faultsArbitrary.map((faults): VrrpEvent => ({ kind: 'faults', faults })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<VrrpEvent>(
      { kind: 'source', source: undefined },
      { kind: 'source', source: HIGHER },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<VrrpEvent>(
      ...(['ready', 'reconfigured', 'group-take', 'group-yield'] as const).map((kind) => ({ kind })),
    ),
  },
);

const ruleArbitrary: fc.Arbitrary<InstanceRule> = fc
  .record({
    version: fc.constantFrom<2 | 3>(2, 3),
    preempt: fc.boolean(),
    waitReady: fc.boolean(),
    grouped: fc.boolean(),
    preemptDelay: fc.constantFrom(ms(0), ms(5000)),
    startupDelay: fc.constantFrom(ms(0), ms(5000)),
    failbackDelay: fc.constantFrom(ms(0), ms(5000)),
  })
  .map(rule);

t.test(
  'law: whatever happens, addresses are held exactly while master, and only a master speaks',
  async (t) => {
    fc.assert(
      fc.property(
        ruleArbitrary,
        fc.constantFrom(1, 100, 255),
        fc.array(fc.tuple(eventArbitrary, fc.constantFrom(0, 1, 600, 1000, 5000)), { maxLength: 60 }),
        (machineRule, priority, events) => {
          const machine = new Machine(machineRule, standing({ priority, ready: false }));
          let held = false;
          for (const [event, delay] of events) {
            const before = machine.state;
            const now = machine.now + delay;
            machine.step(event, now);
            for (const effect of machine.effects) {
              if (effect.kind === 'take-addresses') held = true;
              if (effect.kind === 'drop-addresses') held = false;
              const speaks = effect.kind === 'send-advert';
              // One that yields speaks a last time, while it still has the addresses.
              const yields = before.kind === 'master' && held;
              if (speaks && effect.priority > 0 && machine.state.kind !== 'master' && !yields) return false;
              if (speaks && effect.priority === 0 && before.kind !== 'master') return false;
            }
            const roles = machine.effects.filter(({ kind }) => kind === 'role');
            if (roles.length !== (before.kind === machine.state.kind ? 0 : 1)) return false;
            if (held !== (machine.state.kind === 'master')) return false;
            const deadline = nextDeadline(machine.state);
            if (event.kind === 'timer' && deadline !== undefined && deadline <= now) return false;
          }
          return true;
        },
      ),
      { numRuns: 3_000 },
    );
    t.equal(effectWord({ kind: 'silence' }), 'silence');
  },
);

t.test('law: a timer before its deadline changes nothing', async () => {
  fc.assert(
    fc.property(ruleArbitrary, fc.array(eventArbitrary, { maxLength: 20 }), (machineRule, events) => {
      const machine = new Machine(machineRule);
      for (const event of events) machine.step(event, machine.now + 1);
      const deadline = nextDeadline(machine.state);
      if (deadline !== undefined && deadline <= machine.now) return true;
      const before = machine.state;
      const step = machine.step({ kind: 'timer' });
      return step.state === before && step.effects.length === 0;
    }),
  );
});
