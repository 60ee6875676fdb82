/** One test for each sentence of the state tables. Sections are those of RFC 5798 and RFC 9568, which number alike. */
import t from 'tap';
import { nextDeadline } from '../../src/vrrp/fsm.js';
import { advert, backupOf, HIGHER, LOWER, Machine, masterOf, ms, rule, SELF, standing } from './build.js';

const BOTH = [rule({ version: 2 }), rule({ version: 3 })] as const;
const DOWN = 3609.375;
const SKEW = 609.375;

t.test('6.4.1 start-up, priority 255: send an advertisement, announce, Adver_Timer, to Master', async (t) => {
  for (const machineRule of BOTH) {
    const machine = new Machine(machineRule, standing({ priority: 255 }));
    machine.step({ kind: 'startup' }, 10_000);
    t.same(machine.did, ['send 255', 'take', 'announce master', 'initialize>master owner']);
    t.match(machine.state, { kind: 'master', advertAt: 11_000 });
  }
});

t.test(
  '6.4.1 start-up, priority below 255: Master_Adver_Interval is ours, Master_Down_Timer, to Backup',
  async (t) => {
    for (const machineRule of BOTH) {
      const machine = new Machine(machineRule);
      machine.step({ kind: 'startup' }, 10_000);
      t.same(machine.did, ['drop', 'initialize>backup startup']);
      t.match(machine.state, { kind: 'backup', masterInterval: 1000, masterDownAt: 10_000 + DOWN });
    }
  },
);

t.test('6.4.1 nothing but a start-up leaves Initialize', async (t) => {
  const machine = new Machine(rule());
  for (const event of [advert(0), advert(255), { kind: 'timer' }, { kind: 'shutdown' }] as const) {
    machine.step(event, 1_000_000);
    t.same(machine.did, []);
    t.equal(machine.state.kind, 'initialize');
  }
});

t.test(
  '6.4.2 Backup does not hold the addresses: it drops what a predecessor left, and takes none',
  async (t) => {
    const machine = new Machine(rule());
    machine.step({ kind: 'startup' });
    t.ok(machine.did.includes('drop'));
    machine.step(advert(200), 500);
    t.same(machine.did, []);
  },
);

t.test('6.4.2 Shutdown: cancel Master_Down_Timer, to Initialize', async (t) => {
  const machine = backupOf(rule());
  machine.step({ kind: 'shutdown' }, 100);
  t.same(machine.did, ['backup>initialize shutdown'], 'no priority 0: it was not master');
  t.equal(nextDeadline(machine.state), undefined);
});

t.test('6.4.2 Master_Down_Timer fires: advertisement, announce, Adver_Timer, to Master', async (t) => {
  for (const machineRule of BOTH) {
    const machine = backupOf(machineRule);
    machine.step({ kind: 'timer' }, DOWN - 0.001);
    t.same(machine.did, [], 'not a microsecond earlier');
    machine.step({ kind: 'timer' }, DOWN);
    t.same(machine.did, ['send 100', 'take', 'announce master', 'backup>master master-silent']);
    t.match(machine.state, { kind: 'master', advertAt: DOWN + 1000 });
  }
});

t.test('6.4.2 advertisement of priority 0: Master_Down_Timer is Skew_Time', async (t) => {
  for (const machineRule of BOTH) {
    const machine = backupOf(machineRule);
    machine.step(advert(200), 2000);
    machine.step(advert(0), 2100);
    t.equal(nextDeadline(machine.state), 2100 + SKEW);
    machine.step({ kind: 'timer' }, 2100 + SKEW);
    t.ok(machine.did.includes('backup>master master-resigned'));
  }
});

t.test('6.4.2 priority 0 counts without preemption too, and before any master was heard', async (t) => {
  const machine = backupOf(rule({ preempt: false }));
  machine.step(advert(0), 100);
  t.equal(nextDeadline(machine.state), 100 + SKEW);
});

t.test(
  '6.4.2 Skew_Time of a resignation is of the interval learned from the master (RFC 9568)',
  async (t) => {
    const machine = backupOf(rule());
    machine.step(advert(200, LOWER, 3000), 0);
    machine.step(advert(0, LOWER, 3000), 100);
    t.equal(nextDeadline(machine.state), 100 + 3 * SKEW);
  },
);

t.test('6.4.2 Preempt_Mode false: any priority resets Master_Down_Timer', async (t) => {
  for (const version of [2, 3] as const) {
    for (const priority of [1, 99, 100, 101, 255]) {
      const machine = backupOf(rule({ version, preempt: false }));
      machine.step(advert(priority), 3000);
      t.equal(nextDeadline(machine.state), 3000 + DOWN, `priority ${priority}`);
    }
  }
});

t.test(
  '6.4.2 priority greater than or equal to ours resets Master_Down_Timer, whatever the address',
  async (t) => {
    for (const source of [LOWER, HIGHER]) {
      for (const priority of [100, 101, 255]) {
        const machine = backupOf(rule());
        machine.step(advert(priority, source), 3000);
        t.equal(nextDeadline(machine.state), 3000 + DOWN, `priority ${priority} from ${source}`);
      }
    }
  },
);

t.test(
  '6.4.2 version 3 learns Master_Adver_Interval and recomputes Skew_Time and Master_Down_Interval',
  async (t) => {
    const machine = backupOf(rule());
    machine.step(advert(200, LOWER, 3000), 1000);
    t.match(machine.state, { masterInterval: 3000, masterDownAt: 1000 + 3 * DOWN });
    t.same(machine.did, ['report interval-learned']);
    machine.step(advert(200, LOWER, 3000), 4000);
    t.same(machine.did, [], 'told once');
    machine.step(advert(200, LOWER, 10), 7000);
    t.match(machine.state, { masterInterval: 10, masterDownAt: 7000 + 36.09375 });
  },
);

t.test('3768 6.4.2 version 2 has one interval for all', async (t) => {
  const machine = backupOf(rule({ version: 2 }));
  machine.step(advert(200, LOWER, 3000), 1000);
  t.match(machine.state, { masterInterval: 1000, masterDownAt: 1000 + DOWN });
});

t.test('6.4.2 Preempt_Mode true and lower priority: discard; the timer goes on', async (t) => {
  for (const machineRule of BOTH) {
    const machine = backupOf(machineRule);
    for (const at of [1000, 2000, 3000]) machine.step(advert(99, HIGHER, 3000), at);
    t.match(machine.state, { masterDownAt: DOWN, masterInterval: 1000 }, 'nothing was learned either');
    machine.step({ kind: 'timer' }, DOWN);
    t.ok(machine.did.includes('backup>master preempted'));
  }
});

t.test(
  '6.4.3 Master accepts packets to the addresses if Accept_Mode is true or it is the owner',
  async (t) => {
    for (const [accept, priority, word] of [
      [true, 100, 'take'],
      [false, 100, 'take without accepting'],
      [false, 255, 'take'],
    ] as const) {
      const machine = masterOf(rule({ accept }), priority);
      t.ok(machine.did.includes(word), `accept ${accept}, priority ${priority}`);
    }
  },
);

t.test('6.4.3 Shutdown: cancel Adver_Timer, advertisement of priority 0, to Initialize', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'shutdown' }, 4000);
  t.same(
    machine.did,
    ['send 0', 'silence', 'drop', 'master>initialize shutdown'],
    '0 goes before the addresses',
  );
  t.equal(nextDeadline(machine.state), undefined);
});

t.test('6.4.3 Adver_Timer fires: advertisement, and the timer is set again', async (t) => {
  const machine = masterOf(rule());
  machine.step({ kind: 'timer' }, DOWN + 999.999);
  t.same(machine.did, []);
  machine.step({ kind: 'timer' }, DOWN + 1000);
  t.same(machine.did, ['send 100']);
  t.equal(nextDeadline(machine.state), DOWN + 2000);
});

t.test(
  '6.4.3 advertisement of priority 0: advertisement, Adver_Timer is Advertisement_Interval',
  async (t) => {
    const machine = masterOf(rule());
    machine.step(advert(0), DOWN + 300);
    t.same(
      machine.did,
      ['send 100', 'announce lower-master'],
      'beyond it: hosts may believe the one that left',
    );
    t.equal(nextDeadline(machine.state), DOWN + 1300);
  },
);

t.test('6.4.3 greater priority: cancel Adver_Timer, learn, Master_Down_Timer, to Backup', async (t) => {
  const machine = masterOf(rule());
  machine.step(advert(101, LOWER, 3000), 4000);
  t.same(
    machine.did,
    ['send 100', 'silence', 'drop', 'master>backup higher-priority'],
    'beyond it: a last word',
  );
  t.match(machine.state, { kind: 'backup', masterInterval: 3000, masterDownAt: 4000 + 3 * DOWN });
});

t.test('6.4.3 equal priority and greater address: to Backup, compared as unsigned numbers', async (t) => {
  const machine = masterOf(rule());
  machine.step(advert(100, HIGHER), 4000);
  t.same(machine.did, ['send 100', 'silence', 'drop', 'master>backup higher-address']);
  const text = new Machine(rule(), standing({ source: SELF }));
  text.step({ kind: 'startup' });
  text.step({ kind: 'timer' }, DOWN);
  text.step({ ...advert(100), source: '9.255.255.255' as typeof SELF }, 4000);
  t.equal(text.state.kind, 'master', '9.255.255.255 is below 10.0.0.2, though not as text');
});

t.test('6.4.3 equal priority and our own address: not greater, so we stay', async (t) => {
  const machine = masterOf(rule());
  machine.step(advert(100, SELF), 4000);
  t.equal(machine.state.kind, 'master');
});

t.test('6.4.3 Preempt_Mode does not count in Master: a greater priority is always yielded to', async (t) => {
  const machine = masterOf(rule({ preempt: false }));
  machine.step(advert(101), 4000);
  t.equal(machine.state.kind, 'backup');
  const equal = masterOf(rule({ preempt: false }));
  equal.step(advert(100, LOWER), 4000);
  t.equal(equal.state.kind, 'master', 'nor does it make one yield to less');
});

t.test(
  '6.4.3 else: discard, and send an advertisement immediately (RFC 9568); Adver_Timer goes on',
  async (t) => {
    for (const event of [advert(99, HIGHER), advert(100, LOWER)]) {
      const machine = masterOf(rule());
      machine.step(event, 5000);
      t.same(machine.did, ['send 100', 'announce lower-master', 'report lower-master']);
      t.match(machine.state, { kind: 'master', advertAt: DOWN + 1000 });
    }
  },
);

t.test('6.1 the owner preempts whatever Preempt_Mode says', async (t) => {
  const machine = new Machine(rule({ preempt: false, failbackDelay: ms(1) }), standing({ priority: 255 }));
  machine.step({ kind: 'startup' });
  machine.step(advert(254), 2);
  machine.step({ kind: 'timer' }, nextDeadline(machine.state));
  t.equal(machine.state.kind, 'master');
});

t.test('6.1 on becoming master we send our own interval, not the learned one', async (t) => {
  const machine = backupOf(rule());
  machine.step(advert(200, LOWER, 3000), 0);
  machine.step({ kind: 'timer' }, nextDeadline(machine.state));
  t.match(machine.state, { kind: 'master', advertAt: 3 * DOWN + 1000 });
});
