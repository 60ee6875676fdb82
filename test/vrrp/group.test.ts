import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { wantsMaster } from '../../src/vrrp/fsm.js';
import { type GroupMember, settleGroup, stepGroup } from '../../src/vrrp/group.js';
import type { Fault, VrrpEvent } from '../../src/vrrp/model.js';
import { initialVrrp } from '../../src/vrrp/transitions.js';
import { advert, effectWord, HIGHER, LOWER, ms, rule, standing } from './build.js';

const DOWN = 3609.375;
const LINK: Fault = { kind: 'link-down', name: 'eth0' };
const GROUPED = rule({ grouped: true });

/** A group that a test drives. */
class Group {
  members: readonly GroupMember[];
  did: readonly string[] = [];

  constructor(...names: readonly string[]) {
    this.members = names.map((name) => ({ name, rule: GROUPED, state: initialVrrp(standing()) }));
  }

  step(name: string, event: VrrpEvent, at: number): void {
    const { members, effects } = stepGroup(this.members, name, event, ms(at));
    this.members = members;
    this.did = effects.map(({ member, effect }) => `${member}: ${effectWord(effect)}`);
  }

  get kinds(): string {
    return this.members.map(({ state }) => (wantsMaster(state) ? 'wants' : state.kind)).join(' ');
  }

  member(name: string): GroupMember {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  }
}

function running(): Group {
  const group = new Group('in', 'out');
  for (const name of ['in', 'out']) group.step(name, { kind: 'startup' }, 0);
  return group;
}

function mastering(): Group {
  const group = running();
  for (const name of ['in', 'out']) group.step(name, { kind: 'timer' }, DOWN);
  return group;
}

t.test('nobody is master before all want to be; then all are, in one step', async (t) => {
  const group = running();
  group.step('in', { kind: 'timer' }, DOWN);
  t.equal(group.kinds, 'wants backup');
  t.same(group.did, []);
  group.step('out', { kind: 'timer' }, DOWN + 1);
  t.equal(group.kinds, 'master master');
  t.same(group.did, [
    'in: send 100',
    'in: take',
    'in: announce master',
    'in: backup>master master-silent',
    'out: send 100',
    'out: take',
    'out: announce master',
    'out: backup>master master-silent',
  ]);
});

t.test(
  'a member that still hears a master holds the others back, and they it when it hears none',
  async (t) => {
    const group = running();
    group.step('out', advert(200), 3000);
    group.step('in', { kind: 'timer' }, DOWN);
    t.equal(group.kinds, 'wants backup');
    group.step('in', advert(200), 4000);
    group.step('out', { kind: 'timer' }, 3000 + DOWN);
    t.equal(group.kinds, 'backup wants', 'the other way round');
  },
);

t.test(
  'one member yields, all yield: the others resign so that their links are taken over too',
  async (t) => {
    const group = mastering();
    group.step('out', advert(200, HIGHER), 4000);
    t.equal(group.kinds, 'backup backup');
    t.same(group.did, [
      'out: send 100',
      'out: silence',
      'out: drop',
      'out: master>backup higher-priority',
      'in: send 0',
      'in: silence',
      'in: drop',
      'in: master>backup group',
    ]);
  },
);

t.test('one member has a fault, all have; it clears, all are backup', async (t) => {
  const group = mastering();
  group.step('in', { kind: 'faults', faults: [LINK] }, 4000);
  t.equal(group.kinds, 'fault fault');
  t.ok(group.did.includes('out: send 0'));
  t.same(group.member('out').state.standing.faults, [{ kind: 'group', name: 'in' }]);
  t.same(group.member('in').state.standing.faults, [LINK], 'no fault comes back to where it came from');
  group.step('in', { kind: 'faults', faults: [] }, 5000);
  t.equal(group.kinds, 'backup backup');
  t.same(group.member('out').state.standing.faults, []);
});

t.test('faults of two members clear one by one', async (t) => {
  const group = mastering();
  group.step('in', { kind: 'faults', faults: [LINK] }, 4000);
  group.step('out', { kind: 'faults', faults: [LINK] }, 4100);
  group.step('in', { kind: 'faults', faults: [] }, 4200);
  t.equal(group.kinds, 'fault fault');
  group.step('out', { kind: 'faults', faults: [] }, 4300);
  t.equal(group.kinds, 'backup backup');
});

t.test('a missing source address is a fault for the group', async (t) => {
  const group = mastering();
  group.step('in', { kind: 'source', source: undefined }, 4000);
  t.equal(group.kinds, 'fault fault');
  group.step('in', { kind: 'source', source: ip('10.0.0.2') }, 5000);
  t.equal(group.kinds, 'backup backup');
});

t.test('different priorities on different links elect once, not for ever', async (t) => {
  // Here 150 and 100; the peer has 100 and 150 and lives on both links.
  const group = running();
  group.step('in', { kind: 'priority', priority: 150 }, 0);
  for (let at = 1000; at < 60_000; at += 1000) {
    group.step('in', advert(100, LOWER), at);
    group.step('out', advert(150, LOWER), at);
    group.step('in', { kind: 'timer' }, at);
    group.step('out', { kind: 'timer' }, at);
    t.notMatch(group.kinds, 'master', `${at}`);
  }
  t.equal(group.kinds, 'wants backup');
});

t.test('a shutdown of one member takes the others down to backup', async (t) => {
  const group = mastering();
  group.step('in', { kind: 'shutdown' }, 4000);
  t.equal(group.kinds, 'initialize backup');
});

t.test('settling a settled group does nothing; an unknown member is a defect', async (t) => {
  const group = mastering();
  t.same(settleGroup(group.members, ms(4000)), { members: group.members, effects: [] });
  t.throws(() => group.step('nobody', { kind: 'timer' }, 4000), { code: 'INTERNAL' });
});

const eventArbitrary: fc.Arbitrary<VrrpEvent> = fc.oneof(
  fc.constantFrom<VrrpEvent>({ kind: 'startup' }, { kind: 'timer' }, { kind: 'timer' }, { kind: 'ready' }),
  fc.constantFrom(0, 99, 100, 200).map((priority): VrrpEvent => advert(priority, HIGHER)),
  fc.constantFrom<readonly Fault[]>([], [], [LINK]).map((faults): VrrpEvent => ({ kind: 'faults', faults })),
  fc.constantFrom<VrrpEvent>(
    { kind: 'source', source: undefined },
    { kind: 'source', source: LOWER },
    { kind: 'shutdown' },
  ),
);

t.test(
  'law: after every step all members are master or none is, and all have a fault or none has',
  async () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), eventArbitrary, fc.constantFrom(0, 700, 4000)), {
          maxLength: 80,
        }),
        (events) => {
          const group = new Group('a', 'b', 'c');
          let now = 0;
          for (const [name, event, delay] of events) {
            now += delay;
            group.step(name, event, now);
            const started = group.members.filter(({ state }) => state.kind !== 'initialize');
            const masters = group.members.filter(({ state }) => state.kind === 'master').length;
            const faulty = started.filter(({ state }) => state.kind === 'fault').length;
            if (masters !== 0 && masters !== 3) return false;
            if (faulty !== 0 && faulty !== started.length) return false;
          }
          return true;
        },
      ),
      { numRuns: 2_000 },
    );
  },
);
