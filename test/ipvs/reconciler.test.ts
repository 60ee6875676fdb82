import t from 'tap';
import { seconds } from '../../src/core/units.js';
import { foreignTexts } from '../../src/ipvs/foreign.js';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { OwnershipRules } from '../../src/ipvs/ownership.js';
import type { Desired, Wishes } from '../../src/ipvs/plan.js';
import { Reconciler } from '../../src/ipvs/reconciler.js';
import { computeDesired } from '../../src/policy/desired.js';
import type { ServerHealth } from '../../src/world.js';
import { ScriptedTable } from '../fakes/scripted-table.js';
import { FakeTime, turn } from '../fakes/time.js';
import { config, dest, health, key, RULES, service, serviceConfig, table } from './build.js';

const WEB = service();
const A = dest('192.0.2.11');
const B = dest('192.0.2.12');
const FOREIGN = dest('192.0.2.99');

function setup(observed?: ObservedTable) {
  const time = new FakeTime();
  const scripted = new ScriptedTable(observed);
  const told: string[] = [];
  const foreign: string[] = [];
  const reconciler = new Reconciler({
    table: scripted.port(),
    clock: time,
    timers: time,
    turns: { soon: setImmediate },
    events: {
      onObserved: () => undefined,
      onApplied: (steps, results) => {
        for (const [index, step] of steps.entries()) {
          told.push(
            `${step.operation.kind} ${step.cause.kind} ${results[index]?.ok === true ? 'ok' : 'refused'}`,
          );
        }
      },
      onDrift: (drift) =>
        told.push(`drift ${drift.map(({ kind, policy }) => `${kind} ${policy}`).join(', ')}`),
      onForeign: (found) => {
        foreign.length = 0;
        foreign.push(...foreignTexts(found));
      },
      onFailure: (message) => told.push(message),
      onMemory: () => undefined,
      onSynced: () => told.push('synced'),
    },
  });
  return { time, scripted, told, foreign, reconciler };
}

function desired(a: 'up' | 'down' | undefined, b: 'up' | 'down' | undefined): Desired {
  const states = new Map<string, ServerHealth>([
    ['web/192.0.2.11:80', health(a)],
    ['web/192.0.2.12:80', health(b)],
  ]);
  return computeDesired(config(serviceConfig('web', WEB, [A, B])), states);
}

function wishes(wanted: Desired, rules: Partial<OwnershipRules> = {}): Wishes {
  const its = { ...RULES, ...rules };
  return {
    desired: wanted,
    ownership: { exclusive: its.exclusive, of: () => its },
    resync: seconds(10),
  };
}

const WEB_TEXT = 'tcp 192.0.2.1:80';

t.test('adopts a table that is right without a write', async (t) => {
  const { scripted, told, reconciler } = setup(table([WEB, [B, A, FOREIGN]]));
  reconciler.configure(wishes(desired(undefined, undefined)));
  await reconciler.settled();
  t.same(scripted.applied, []);
  t.same(told, ['synced']);
});

t.test('a verdict changes only its service, and running again changes nothing', async (t) => {
  const { scripted, time, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  await reconciler.settled();
  t.same(scripted.applied, ['delete-dest']);
  t.equal(scripted.dumps, 1, 'a verdict needs no dump');
  reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  await reconciler.settled();
  await time.advance(30_000);
  t.same(scripted.applied, ['delete-dest']);
  t.equal(scripted.dumps, 4, 'a dump every resync');
});

t.test('a verdict that comes during an apply is applied next, the latest state wins', async (t) => {
  const { scripted, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  let open = (): void => undefined;
  scripted.gate = new Promise((resolve) => {
    open = resolve;
  });
  reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  reconciler.touch(desired('down', 'down'), [WEB_TEXT]);
  reconciler.touch(desired('down', 'up'), [WEB_TEXT]);
  open();
  await reconciler.settled();
  t.same([...(scripted.observed.get(WEB_TEXT)?.dests.keys() ?? [])], ['192.0.2.12:80']);
});

t.test('a verdict that comes during a dump does not wait for it, and is no drift', async (t) => {
  const { scripted, told, time, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  told.length = 0;
  scripted.meanwhile = () => reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  await time.advance(10_000);
  t.same(scripted.applied, ['delete-dest'], 'once');
  t.same(told, ['delete-dest verdict ok', 'synced']);
  t.equal(scripted.reads, 1, 'what it changed is read anew');
  t.same([...(scripted.observed.get(WEB_TEXT)?.dests.keys() ?? [])], ['192.0.2.11:80']);
  scripted.meanwhile = () => undefined;
  await time.advance(10_000);
  t.same(told, ['delete-dest verdict ok', 'synced', 'synced']);
});

t.test(
  'where the table is not known, or something is to leave it, a verdict waits for the dump',
  async (t) => {
    const { scripted, time, reconciler } = setup(table([WEB, [A, B]]));
    reconciler.configure(wishes(desired('up', 'up')));
    await reconciler.settled();
    let during: string[] = [];
    const look = async () => {
      during = [...scripted.applied];
    };
    scripted.failApply = true;
    reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
    await reconciler.settled();
    scripted.failApply = false;
    scripted.meanwhile = () => {
      reconciler.touch(desired('down', 'down'), [WEB_TEXT]);
      void look();
    };
    await time.advance(100);
    t.same(during, [], 'nothing before the dump was through');
    t.same(scripted.applied, ['delete-dest', 'delete-dest']);
    t.equal(scripted.reads, 0);
  },
);

t.test('a configuration that comes during a dump has its own look before it removes', async (t) => {
  const { scripted, time, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  scripted.meanwhile = () => {
    scripted.meanwhile = () => undefined;
    scripted.observed = table([WEB, [A, B, FOREIGN]]);
    reconciler.configure(wishes(new Map()));
  };
  await time.advance(10_000);
  t.same(
    [...(scripted.observed.get(WEB_TEXT)?.dests.keys() ?? [])],
    ['192.0.2.99:80'],
    'what is foreign is safe',
  );
});

t.test('drift is repaired at the next dump and told', async (t) => {
  const { scripted, told, time, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  scripted.observed = table([service(key('192.0.2.200')), [FOREIGN]]);
  told.length = 0;
  await time.advance(10_000);
  t.same(told, [
    'drift service repair',
    'add-service drift ok',
    'add-dest drift ok',
    'add-dest drift ok',
    'synced',
  ]);
  t.ok(scripted.observed.has('tcp 192.0.2.200:80'), 'what others added stays');
  told.length = 0;
  scripted.observed = applyToObserved(scripted.observed, [
    { kind: 'delete-dest', service: WEB.key, dest: B.key },
  ]);
  await time.advance(10_000);
  t.same(told, ['drift removed repair', 'add-dest drift ok', 'synced']);
});

t.test('a verdict after drift carries its own cause', async (t) => {
  const { scripted, told, time, reconciler } = setup(table([WEB, [A, B]]));
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  scripted.observed = table([WEB, [A]]);
  await time.advance(10_000);
  told.length = 0;
  reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  await reconciler.settled();
  t.same(told, ['delete-dest verdict ok', 'synced']);
});

t.test(
  'a refusal in the middle: the rest is applied, then a dump, then another try, ever more slowly',
  async (t) => {
    const { scripted, told, time, reconciler } = setup();
    scripted.refuse = (operation) =>
      operation.kind === 'add-dest' && operation.dest === A ? 'ENOMEM' : undefined;
    reconciler.configure(wishes(desired('up', 'up')));
    await reconciler.settled();
    t.same(scripted.applied, ['add-service', 'add-dest ENOMEM', 'add-dest']);
    t.notOk(told.includes('synced'));
    await time.advance(100);
    await time.advance(199);
    t.equal(scripted.dumps, 2);
    await time.advance(1);
    t.equal(scripted.dumps, 3);
    t.notOk(
      told.some((line) => line.startsWith('drift')),
      'our own failure is not drift',
    );
    scripted.refuse = () => undefined;
    await time.advance(400);
    t.equal(told.at(-1), 'synced');
    t.equal(scripted.observed.get(WEB_TEXT)?.dests.size, 2);
  },
);

t.test('a verdict does not wait for the next try of what was refused', async (t) => {
  const { scripted, reconciler } = setup(table([WEB, [A, B]]));
  scripted.refuse = (operation) => (operation.kind === 'edit-service' ? 'ENOENT' : undefined);
  const odd = service(key(), { scheduler: 'nosuch' });
  const states = (held: 'up' | 'down') =>
    new Map<string, ServerHealth>([['web/192.0.2.11:80', health(held)]]);
  const wanted = (held: 'up' | 'down') =>
    computeDesired(config(serviceConfig('web', odd, [A, B])), states(held));
  reconciler.configure(wishes(wanted('up')));
  await reconciler.settled();
  reconciler.touch(wanted('down'), [WEB_TEXT]);
  await turn();
  t.ok(scripted.applied.includes('delete-dest'));
});

t.test('a table that cannot be read is not written, and is tried again', async (t) => {
  const { scripted, told, time, reconciler } = setup(table([WEB, [A]]));
  scripted.failDump = true;
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  reconciler.touch(desired('up', 'down'), [WEB_TEXT]);
  await reconciler.settled();
  t.same(scripted.applied, []);
  t.match(told, ['cannot read the table: no answer']);
  scripted.failDump = false;
  await time.advance(5000);
  t.equal(told.at(-1), 'synced');
});

t.test('a socket that dies in the middle of an apply: dump and again', async (t) => {
  const { scripted, told, time, reconciler } = setup();
  scripted.failApply = true;
  reconciler.configure(wishes(desired('up', 'up')));
  await reconciler.settled();
  t.match(told, ['cannot change the table: socket gone']);
  scripted.failApply = false;
  await time.advance(100);
  t.equal(told.at(-1), 'synced');
});

t.test('what leaves the configuration is looked at afresh before it is removed', async (t) => {
  const { scripted, reconciler } = setup(table([WEB, [A, B]]));
  const before = desired('up', 'up');
  reconciler.configure(wishes(before));
  await reconciler.settled();
  scripted.observed = table([WEB, [A, B, FOREIGN]]);
  reconciler.configure(wishes(new Map()));
  await reconciler.settled();
  t.same(scripted.applied, ['delete-dest', 'delete-dest']);
  t.same(
    [...(scripted.observed.get(WEB_TEXT)?.dests.keys() ?? [])],
    ['192.0.2.99:80'],
    'the foreign one is safe',
  );
});

t.test('close finishes the batch in progress and touches nothing after', async (t) => {
  const { scripted, time, reconciler } = setup();
  let open = (): void => undefined;
  scripted.gate = new Promise((resolve) => {
    open = resolve;
  });
  reconciler.configure(wishes(desired('up', 'up')));
  const closed = reconciler.close();
  open();
  await closed;
  const applied = scripted.applied.length;
  reconciler.touch(desired('down', 'down'), [WEB_TEXT]);
  await time.advance(60_000);
  t.equal(scripted.applied.length, applied);
  t.equal(time.waiting, 0);
});
