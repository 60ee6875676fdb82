import t from 'tap';
import { LvsError } from '../../src/core/errors.js';
import { seconds } from '../../src/core/units.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { Timeouts, TimeoutsState } from '../../src/ipvs/model.js';
import { TimeoutKeeper } from '../../src/ipvs/timeout-keeper.js';
import { type HeldTimeouts, type TimeoutStore, timeoutsText } from '../../src/ipvs/timeouts.js';
import { FakeTime } from '../fakes/time.js';

const KERNEL: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 };
const RESYNC = seconds(10);

/** A kernel, and a store, that say in which order they were used, and can be made to fail. */
class Kernel {
  readonly table = new MemoryTable();
  readonly used: string[] = [];
  kept: HeldTimeouts = {};
  failLook: Error | undefined;
  failSet: Error | undefined;
  /** The command is done, and its answer lost. */
  loseAnswer = false;

  readonly store: TimeoutStore = {
    load: async () => this.kept,
    save: async (held) => {
      this.used.push(`save ${JSON.stringify(held)}`);
      this.kept = held;
    },
  };

  timeouts = async (): Promise<Timeouts> => {
    this.used.push('look');
    if (this.failLook !== undefined) throw this.failLook;
    return this.table.timeouts();
  };

  setTimeouts = async (timeouts: Partial<Timeouts>): Promise<void> => {
    this.used.push(`set ${timeoutsText(timeouts)}`);
    if (this.failSet !== undefined) throw this.failSet;
    await this.table.setTimeouts(timeouts);
    if (this.loseAnswer) throw new LvsError('IPVS', 'set-timeouts: ETIMEDOUT');
  };

  /** What was done since the last time this was asked, without the looks. */
  done(): string[] {
    return this.used.splice(0).filter((each) => each !== 'look');
  }
}

function setup(kernel = new Kernel()) {
  const time = new FakeTime();
  const told: string[] = [];
  const states: (TimeoutsState | undefined)[] = [];
  const keeper = new TimeoutKeeper({
    table: kernel,
    store: kernel.store,
    timers: time,
    events: {
      onState: (state) => states.push(state),
      onChanged: (set) => told.push(`set ${timeoutsText(set)}`),
      onDrift: (drift, policy) => told.push(`${policy} ${JSON.stringify(drift)}`),
      onFailure: (message) => told.push(`failed ${message}`),
    },
  });
  const aim = async (wanted: Partial<Timeouts>): Promise<void> => {
    keeper.aim(wanted, RESYNC);
    await keeper.settled();
  };
  return { kernel, time, told, states, keeper, aim };
}

t.test('remembered first, then set; at the end put back, then forgotten', async (t) => {
  const { kernel, told, states, keeper, aim } = setup();
  await aim({ tcp: 60, udp: 300 });
  t.same(kernel.done(), ['save {"tcp":{"original":900,"ours":[60]}}', 'set tcp 60s']);
  t.same(states, [
    {
      wanted: { tcp: 60, udp: 300 },
      seen: { tcp: 60, tcpFin: 120, udp: 300 },
      original: { tcp: 900, udp: 300 },
      inSync: true,
      lastError: undefined,
      repaired: 0,
      left: [],
    },
  ]);
  await keeper.close();
  t.same(kernel.done(), ['set tcp 900s', 'save {}']);
  t.same(await kernel.table.timeouts(), KERNEL);
  t.same(told, ['set tcp 60s', 'set tcp 900s']);
  t.equal(states.at(-1), undefined);
});

t.test('without a wish the kernel is not asked, not at a resync and not at the end', async (t) => {
  const { kernel, states, told, time, keeper, aim } = setup();
  await aim({});
  await time.advance(60_000);
  await keeper.close();
  t.same([kernel.used, states, told], [[], [], []]);
});

t.test('one that was never given a wish touches nothing at its end, whatever is remembered', async (t) => {
  const { kernel, keeper } = setup();
  kernel.kept = { tcp: { original: 900, ours: [60] } };
  await kernel.table.setTimeouts({ tcp: 60 });
  await keeper.close();
  t.same(kernel.used, []);
});

t.test('what is right already is neither set nor remembered, nor put back', async (t) => {
  const { kernel, told, keeper, aim } = setup();
  await aim(KERNEL);
  await keeper.close();
  t.same([kernel.done(), told], [[], []]);
});

t.test('the same wish again is no look; another one is, and what it drops is put back', async (t) => {
  const { kernel, aim } = setup();
  await aim({ tcp: 60 });
  await aim({ tcp: 60 });
  t.equal(kernel.used.filter((each) => each === 'look').length, 1);
  kernel.done();
  await aim({ udp: 5 });
  t.same(await kernel.table.timeouts(), { tcp: 900, tcpFin: 120, udp: 5 });
  await aim({});
  t.same(await kernel.table.timeouts(), KERNEL);
});

t.test('a change by somebody else is told and undone at the next look', async (t) => {
  const { kernel, told, states, time, aim } = setup();
  await aim({ tcp: 60 });
  await kernel.table.setTimeouts({ tcp: 61, tcpFin: 7 });
  await time.advance(10_000);
  t.same(told, ['set tcp 60s', 'repair [{"name":"tcp","found":61,"wanted":60}]']);
  t.match(states.at(-1), { seen: { tcp: 60, tcpFin: 7 }, repaired: 1, inSync: true });
  await time.advance(10_000);
  t.equal(told.length, 2, 'and once');
});

t.test('what somebody else set last is not put back', async (t) => {
  const { kernel, keeper, aim } = setup();
  await aim({ tcp: 60, udp: 5 });
  await kernel.table.setTimeouts({ tcp: 61 });
  await keeper.close();
  t.same(await kernel.table.timeouts(), { ...KERNEL, tcp: 61 });
  t.same(kernel.kept, {});
});

t.test('after a crash the next run knows the originals, with the same wish, another or none', async (t) => {
  for (const wanted of [{ tcp: 60 }, { tcp: 70 }, {}, { udp: 9 }]) {
    const kernel = new Kernel();
    await setup(kernel).aim({ tcp: 60 });
    // No close: it died.
    const next = setup(kernel);
    await next.aim(wanted);
    t.match(await kernel.table.timeouts(), { ...KERNEL, ...wanted });
    await next.keeper.close();
    t.same(await kernel.table.timeouts(), KERNEL, JSON.stringify(wanted));
    t.same(kernel.kept, {});
  }
});

t.test('a crash while one value replaced another loses nothing', async (t) => {
  const kernel = new Kernel();
  const first = setup(kernel);
  await first.aim({ tcp: 60 });
  kernel.failSet = new LvsError('IPVS', 'gone');
  await first.aim({ tcp: 70 });
  kernel.failSet = undefined;
  const next = setup(kernel);
  await next.aim({ tcp: 70 });
  await next.keeper.close();
  t.same(await kernel.table.timeouts(), KERNEL);
});

t.test('a refusal is told once, tried again, and is nobody else’s change', async (t) => {
  const { kernel, told, states, time, aim } = setup();
  kernel.failSet = new LvsError('PERMISSION', 'set-timeouts: EPERM');
  await aim({ tcp: 60 });
  await time.advance(1000);
  t.same(told, ['failed set-timeouts: EPERM']);
  t.match(states.at(-1), { inSync: false, lastError: 'set-timeouts: EPERM', seen: KERNEL });
  kernel.failSet = undefined;
  await time.advance(5000);
  t.same(told, ['failed set-timeouts: EPERM', 'set tcp 60s']);
  t.match(states.at(-1), { inSync: true, lastError: undefined, original: { tcp: 900 }, repaired: 0 });
});

t.test('a change whose answer was lost is ours all the same', async (t) => {
  const { kernel, told, time, keeper, aim } = setup();
  kernel.loseAnswer = true;
  await aim({ tcp: 60 });
  kernel.loseAnswer = false;
  await time.advance(5000);
  t.same(told, ['failed set-timeouts: ETIMEDOUT']);
  await keeper.close();
  t.same(await kernel.table.timeouts(), KERNEL);
});

t.test('a kernel that does not answer is asked again', async (t) => {
  const { kernel, told, time, aim } = setup();
  kernel.failLook = new LvsError('IPVS', 'timeouts: ETIMEDOUT');
  await aim({ tcp: 60 });
  t.same(kernel.done(), []);
  kernel.failLook = undefined;
  await time.advance(5000);
  t.same(told, ['failed timeouts: ETIMEDOUT', 'set tcp 60s']);
});

t.test('what cannot be put back at the end stays remembered for the next run', async (t) => {
  const { kernel, told, time, keeper, aim } = setup();
  await aim({ tcp: 60 });
  kernel.failSet = new LvsError('PERMISSION', 'set-timeouts: EPERM');
  await keeper.close();
  t.same(kernel.kept, { tcp: { original: 900, ours: [60] } });
  t.same(told.at(-1), 'failed set-timeouts: EPERM');
  t.equal(time.waiting, 0, 'there is no further try');
  kernel.failSet = undefined;
  await setup(kernel).aim({});
  t.same(await kernel.table.timeouts(), KERNEL);
});

const CHANGED = '[{"name":"tcp","found":61,"wanted":60}]';

t.test('what is let stand is told once, and again where it is changed once more', async (t) => {
  for (const policy of ['report', 'accept'] as const) {
    const { kernel, told, states, time, keeper, aim } = setup();
    keeper.govern(policy);
    await aim({ tcp: 60, udp: 5 });
    told.length = 0;
    await kernel.table.setTimeouts({ tcp: 61 });
    kernel.done();
    await time.advance(50_000);
    t.same([told, kernel.done()], [[`${policy} ${CHANGED}`], []]);
    t.match(states.at(-1), {
      inSync: policy === 'accept',
      repaired: 0,
      original: { tcp: 900, udp: 300 },
      left: [{ name: 'tcp', policy, wanted: 60, found: 61 }],
    });
    await kernel.table.setTimeouts({ tcp: 62 });
    await time.advance(20_000);
    t.equal(told.length, 2);
    t.match(states.at(-1)?.left, [{ found: 62 }]);
    await kernel.table.setTimeouts({ tcp: 60 });
    await time.advance(20_000);
    t.equal(told.length, 2, 'what somebody puts right himself is no drift');
    t.match(states.at(-1), { inSync: true, left: [] });
    await keeper.close();
    t.same(await kernel.table.timeouts(), KERNEL);
  }
});

t.test('what others chose and was let stand stays theirs at the end; the rest is put back', async (t) => {
  const { kernel, time, keeper, aim } = setup();
  keeper.govern('accept');
  await aim({ tcp: 60, udp: 5 });
  await kernel.table.setTimeouts({ tcp: 61 });
  await time.advance(10_000);
  await keeper.close();
  t.same(await kernel.table.timeouts(), { ...KERNEL, tcp: 61 });
  t.same(kernel.kept, {});
});

t.test('a reload ends what was reported, and what was accepted where it says something else', async (t) => {
  // What is done about drift before and after, what is wanted after, what the kernel has then.
  const rows = [
    ['report', 'report', { tcp: 60 }, 60],
    ['report', 'accept', { tcp: 60 }, 60],
    ['accept', 'accept', { tcp: 60 }, 61],
    ['accept', 'accept', { tcp: 60, udp: 5 }, 61],
    ['accept', 'accept', { tcp: 70 }, 70],
    ['accept', 'report', { tcp: 60 }, 60],
    ['accept', 'repair', { tcp: 60 }, 60],
  ] as const;
  for (const [before, after, wanted, has] of rows) {
    const { kernel, told, time, keeper, aim } = setup();
    keeper.govern(before);
    await aim({ tcp: 60 });
    await kernel.table.setTimeouts({ tcp: 61 });
    await time.advance(10_000);
    told.length = 0;
    keeper.govern(after);
    await aim(wanted);
    await time.advance(20_000);
    t.equal((await kernel.table.timeouts()).tcp, has, JSON.stringify([before, after, wanted]));
    t.notOk(
      told.some((line) => line.includes('found')),
      'it is not news',
    );
    await keeper.close();
    t.same(
      await kernel.table.timeouts(),
      { ...KERNEL, tcp: has === 61 ? 61 : 900 },
      'the original is known still',
    );
  }
});
