/** A thread that died while its instances were master: the next one goes on, and nobody notices but by the clock. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { nextDeadline } from '../../src/vrrp/fsm.js';
import { settleGroup, stepGroup } from '../../src/vrrp/group.js';
import { initialVrrp } from '../../src/vrrp/transitions.js';
import { advert, config, effectWord, HIGHER, Machine, ms, rule, standing } from './build.js';
import { Director, router, ruled } from './director.js';
import { Network } from './network.js';

const BRIEF = { announce: { ...config().announce, repeat: 1, delay: ms(0) } };

t.test('it is master at once, with everything that goes with it', async (t) => {
  const machine = new Machine(
    rule({ waitReady: true, failbackDelay: ms(60_000) }),
    standing({ ready: false }),
  );
  machine.step({ kind: 'resume' }, 500);
  t.same(machine.did, ['send 100', 'take', 'announce master', 'initialize>master resumed']);
  t.equal(nextDeadline(machine.state), 1500);
});

t.test('one that may not preempt is quiet for an interval, and yields to whoever speaks', async (t) => {
  const build = (): Machine => {
    const machine = new Machine(rule({ preempt: false }));
    machine.step({ kind: 'resume' }, 500);
    return machine;
  };
  const quiet = build();
  t.same(quiet.did, ['take', 'initialize>master resumed'], 'the virtual IPs are kept, and nothing is said');
  quiet.step({ kind: 'timer' }, 1500);
  t.same(quiet.did, ['send 100'], 'nobody spoke');
  const replaced = build();
  replaced.step(advert(50), 900);
  t.equal(replaced.state.kind, 'backup', 'a lower one that became master meanwhile stays it');
});

t.test('with a fault it is at fault; running, or waiting for its start, it is not asked', async (t) => {
  const faulty = new Machine(rule(), standing({ faults: [{ kind: 'link-down', name: 'eth0' }] }));
  faulty.step({ kind: 'resume' });
  t.equal(faulty.state.kind, 'fault');
  t.match(faulty.did, ['drop', /initialize>fault/]);
  const backup = new Machine(rule());
  backup.step({ kind: 'startup' });
  backup.step({ kind: 'resume' });
  t.same([backup.state.kind, backup.did], ['backup', []]);
  const waiting = new Machine(rule({ startupDelay: ms(1000) }));
  waiting.step({ kind: 'startup' });
  waiting.step({ kind: 'resume' });
  t.same([waiting.state.kind, waiting.did], ['initialize', []]);
});

t.test('members of a sync group resume together, and without becoming backups', async (t) => {
  const grouped = rule({ grouped: true });
  let members = ['a', 'b'].map((name) => ({ name, rule: grouped, state: initialVrrp(standing()) }));
  const first = stepGroup(members, 'a', { kind: 'resume' }, ms(0));
  t.same(first.effects, []);
  members = [...first.members];
  const second = stepGroup(members, 'b', { kind: 'resume' }, ms(0));
  t.same(
    second.effects.map(({ member, effect }) => `${member} ${effectWord(effect)}`),
    ['a', 'b'].flatMap((name) => [
      `${name} send 100`,
      `${name} take`,
      `${name} announce master`,
      `${name} backup>master resumed`,
    ]),
  );
  t.same(settleGroup(second.members, ms(0)).effects, []);
});

t.test('the engine: virtual IPs stay in place all the while', async (t) => {
  const network = new Network();
  network.add('eth0', '10.0.0.100/24');
  const director = new Director(network);
  const other = router({ ...BRIEF, name: 'other', vrid: 21, addresses: [ip('10.0.0.101')] });
  network.add('eth0', '10.0.0.101/24');
  await director.engine.configure([router(BRIEF), other], new Set(['outside']));
  t.same(await director.settle(), [
    '0 remove 10.0.0.101',
    '0 advert 20 100',
    '0 outside initialize>master resumed',
    '0 arp 10.0.0.100',
    '0 other initialize>backup startup',
  ]);
  t.ok(network.has('10.0.0.100'));
});

t.test('the engine: a sync group goes on whole or not at all', async (t) => {
  const member = (name: string, vrid: number) =>
    router(
      { ...BRIEF, ...ruled({ grouped: true }), name, vrid, addresses: [ip(`10.0.0.${vrid}`)] },
      { group: 'g' },
    );
  for (const [resumed, role] of [
    [['a', 'b'], 'master'],
    [['a'], 'backup'],
  ] as const) {
    const director = new Director();
    await director.engine.configure([member('a', 20), member('b', 21)], new Set(resumed));
    await director.settle();
    await director.pass(1000);
    t.same(
      director.digest?.routers.map((each) => each.role),
      [role, role],
      resumed.join(),
    );
  }
});

t.test('it is heard like any master: a higher one takes over', async (t) => {
  const machine = new Machine(rule());
  machine.step({ kind: 'resume' });
  machine.step(advert(200, HIGHER), 10);
  t.equal(machine.state.kind, 'backup');
});
