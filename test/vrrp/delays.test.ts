/** Delays before an instance begins, and before it preempts. */
import t from 'tap';
import { nextDeadline } from '../../src/vrrp/fsm.js';
import type { Fault } from '../../src/vrrp/model.js';
import { advert, backupOf, Machine, ms, rule, standing } from './build.js';

const DOWN = 3609.375;
const LINK: Fault = { kind: 'link-down', name: 'eth0' };

/** Adverts of priority 100 once a second until the machine is master; when that was. */
function preemptedAt(machine: Machine, from: number): number {
  let next = from;
  while (machine.state.kind === 'backup' && machine.now < from + 60_000) {
    const deadline = nextDeadline(machine.state) ?? Number.POSITIVE_INFINITY;
    if (deadline < next) machine.step({ kind: 'timer' }, deadline);
    else {
      machine.step(advert(100), next);
      next += 1000;
    }
  }
  return machine.now;
}

t.test('start-up delay: nothing is heard or said before, then it begins', async (t) => {
  const machine = new Machine(rule({ startupDelay: ms(10_000) }), standing({ priority: 255 }));
  machine.step({ kind: 'startup' }, 1000);
  t.same([machine.state.kind, machine.did, nextDeadline(machine.state)], ['initialize', ['drop'], 11_000]);
  machine.step({ kind: 'startup' }, 2000);
  machine.step(advert(100), 3000);
  machine.step({ kind: 'timer' }, 10_999);
  t.same(
    [machine.did, nextDeadline(machine.state)],
    [[], 11_000],
    'a second start-up does not begin it anew',
  );
  machine.step({ kind: 'timer' }, 11_000);
  t.equal(machine.state.kind, 'master');
});

t.test('start-up delay: a shutdown ends it', async (t) => {
  const machine = new Machine(rule({ startupDelay: ms(10_000) }));
  machine.step({ kind: 'startup' });
  machine.step({ kind: 'shutdown' }, 5000);
  t.equal(nextDeadline(machine.state), undefined);
});

t.test('preempt delay: counted from the first lower advert; 4 s, priority 200, version 2', async (t) => {
  const machine = backupOf(rule({ version: 2, preemptDelay: ms(4000) }), 200);
  const at = preemptedAt(machine, 1000);
  t.equal(
    at,
    4000 + 3218.75,
    'adverts at 1 to 4 s count, the one at 5 s does not; then the rest of the timer',
  );
});

t.test('preempt delay: an advert that is not lower cancels it', async (t) => {
  const machine = backupOf(rule({ preemptDelay: ms(4000) }), 200);
  machine.step(advert(100), 1000);
  machine.step(advert(200), 2000);
  machine.step(advert(100), 3000);
  t.match(machine.state, { preemptAt: 7000 });
});

t.test('preempt delay: a silent master is replaced without it', async (t) => {
  const machine = backupOf(rule({ preemptDelay: ms(100_000) }), 200);
  machine.step(advert(100), 1000);
  t.equal(nextDeadline(machine.state), 1000 + 3218.75);
});

t.test('no preemption: as long as a lower master speaks it stays', async (t) => {
  const machine = backupOf(rule({ preempt: false }), 200);
  for (let at = 1000; at < 100_000; at += 1000) machine.step(advert(1), at);
  t.equal(machine.state.kind, 'backup');
});

t.test('readiness: no preemption before the first verdicts, but a silent master is replaced', async (t) => {
  const machine = new Machine(rule({ waitReady: true }), standing({ priority: 200, ready: false }));
  machine.step({ kind: 'startup' });
  for (let at = 1000; at <= 60_000; at += 1000) machine.step(advert(100), at);
  t.equal(machine.state.kind, 'backup');
  machine.step({ kind: 'ready' }, 60_100);
  t.same(machine.did, [], 'being ready is no reason to hurry');
  t.equal(preemptedAt(machine, 61_000), 60_000 + 3218.75);
  const alone = new Machine(rule({ waitReady: true }), standing({ ready: false }));
  alone.step({ kind: 'startup' });
  alone.step({ kind: 'timer' }, DOWN);
  t.equal(alone.state.kind, 'master');
});

t.test('readiness: an owner waits in Backup and is master when ready', async (t) => {
  const machine = new Machine(rule({ waitReady: true }), standing({ priority: 255, ready: false }));
  machine.step({ kind: 'startup' });
  t.equal(machine.state.kind, 'backup');
  machine.step(advert(100), 1000);
  t.equal(nextDeadline(machine.state), 1000 + 3003.90625, 'a living master is left alone meanwhile');
  machine.step({ kind: 'ready' }, 1500);
  t.same(machine.did, ['send 255', 'take', 'announce master', 'backup>master owner']);
});

t.test('failback delay: no preemption for so long after a start or a fault, then as usual', async (t) => {
  const machine = backupOf(rule({ failbackDelay: ms(30_000) }), 200);
  t.equal(preemptedAt(machine, 1000), 29_000 + 3218.75, 'the advert at 29 s was the last to count');
  const faulty = backupOf(rule({ failbackDelay: ms(30_000) }), 200);
  faulty.step({ kind: 'faults', faults: [LINK] }, 100_000);
  faulty.step({ kind: 'faults', faults: [] }, 200_000);
  t.match(faulty.state, { holdUntil: 230_000 });
});

t.test('failback delay: a silent master is replaced without it; an owner waits it out', async (t) => {
  const machine = backupOf(rule({ failbackDelay: ms(30_000) }), 200);
  t.equal(nextDeadline(machine.state), 3218.75);
  const owner = backupOf(rule({ failbackDelay: ms(30_000), waitReady: true }), 255);
  t.equal(owner.state.kind, 'backup');
  owner.step({ kind: 'ready' }, 100);
  t.equal(owner.state.kind, 'backup');
});
