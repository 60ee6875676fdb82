/** `drift: { sync: ... }`: what somebody else made of the sync daemons, and what is done about it. */
import t from 'tap';
import { LvsError } from '../../src/core/errors.js';
import { syncDaemon } from './build.js';
import { BACKUP, MASTER, RESYNC, setup } from './sync-rig.js';

t.test('what is let stand is told once, and again where it is changed once more', async (t) => {
  for (const policy of ['report', 'accept'] as const) {
    const { kernel, told, states, time, keeper, keep } = setup();
    keeper.govern(policy);
    await keep(BACKUP);
    await kernel.table.stopSyncDaemon('backup');
    await time.advance(30_000);
    t.same(told.splice(0), ['changed: start backup', `${policy}: start backup`]);
    t.match(states.at(-1), { inSync: policy === 'accept', repaired: 0, left: [{ role: 'backup', policy }] });
    await kernel.table.startSyncDaemon(syncDaemon('backup', { syncId: 7 }));
    await time.advance(30_000);
    t.same(told.splice(0), [`${policy}: stop backup, start backup`]);
    t.match(states.at(-1)?.left, [
      { difference: /^backup on eth1, id 7, .* should not run; backup on eth1/ },
    ]);
    await kernel.table.startSyncDaemon(syncDaemon('master', { syncId: 7 }));
    await time.advance(30_000);
    t.same(told.splice(0), [`${policy}: stop master`], 'what was told before is not told again');
    await kernel.table.stopSyncDaemon('master');
    await kernel.table.stopSyncDaemon('backup');
    await kernel.table.startSyncDaemon(BACKUP);
    await time.advance(30_000);
    t.same(told, [], 'what somebody puts right himself is no drift');
    t.match(states.at(-1), { inSync: true, left: [] });
    t.same(kernel.commands, ['start backup']);
  }
});

t.test('a reload ends what was reported, another role ends what was accepted', async (t) => {
  for (const [before, after, does] of [
    ['report', 'report', ['start backup']],
    ['accept', 'report', ['start backup']],
    ['accept', 'accept', []],
  ] as const) {
    const { kernel, told, time, keeper, keep } = setup();
    keeper.govern(before);
    await keep(BACKUP);
    await kernel.table.stopSyncDaemon('backup');
    await time.advance(10_000);
    told.length = 0;
    kernel.commands.length = 0;
    keeper.govern(after);
    await keep(BACKUP);
    await time.advance(30_000);
    t.same([kernel.commands, told], [does, does.map((step) => `changed: ${step}`)]);
    kernel.commands.length = 0;
    await keep(MASTER);
    await keep(BACKUP);
    t.same(await kernel.roles(), ['backup'], 'the role decides');
  }
});

t.test('while nobody knows the role what was accepted is kept in mind', async (t) => {
  const { kernel, time, keeper, keep } = setup();
  keeper.govern('accept');
  await keep(BACKUP);
  await kernel.table.stopSyncDaemon('backup');
  await time.advance(10_000);
  keeper.aim({ kind: 'watch' }, RESYNC);
  await keeper.settled();
  await time.advance(10_000);
  await keep(BACKUP);
  t.same(await kernel.roles(), []);
});

t.test('a daemon that lost its interface is started again, whatever is let stand', async (t) => {
  const { kernel, told, states, time, keeper, keep } = setup();
  keeper.govern('accept');
  await keep(BACKUP);
  await kernel.table.startSyncDaemon(syncDaemon('master', { interface: 'eth9' }));
  kernel.indexes.set('eth1', 7);
  await time.advance(10_000);
  t.same(told.slice(1), ['drift: stop backup, start backup', 'accept: stop master']);
  t.same(await kernel.roles(), ['master', 'backup']);
  t.match(states.at(-1), { inSync: true, repaired: 1, left: [{ role: 'master' }] });
  await time.advance(30_000);
  t.equal(told.length, 3);
});

t.test('a refusal of the repair is told, and is not taken for a change by somebody', async (t) => {
  const { kernel, told, time, keeper, keep } = setup();
  keeper.govern('report');
  kernel.refuse = () => new LvsError('IPVS', 'ENOMEM');
  await keep(BACKUP);
  await time.advance(10_000);
  t.same(told, ['failed: ENOMEM']);
  kernel.refuse = () => undefined;
  await time.advance(10_000);
  t.same(await kernel.roles(), ['backup']);
});
