import t from 'tap';
import { LvsError } from '../../src/core/errors.js';
import { SyncKeeper } from '../../src/ipvs/sync-keeper.js';
import { turn } from '../fakes/time.js';
import { syncDaemon } from './build.js';
import { BACKUP, MASTER, RESYNC, setup } from './sync-rig.js';

t.test('what is missing is started, and said once', async (t) => {
  const { kernel, told, states, keep } = setup();
  await keep(BACKUP);
  t.same(kernel.commands, ['start backup']);
  t.same(told, ['changed: start backup']);
  t.match(states.at(-1), {
    wanted: [BACKUP],
    seen: [{ role: 'backup', maxLength: 1472 }],
    inSync: true,
    lastError: undefined,
    repaired: 0,
  });
});

t.test('what is right is adopted without a command, and asking again does nothing', async (t) => {
  const { kernel, told, states, keep } = setup();
  await kernel.table.startSyncDaemon(MASTER);
  await keep(MASTER);
  await keep(MASTER);
  t.same([kernel.commands, told, kernel.looks], [[], [], 1]);
  t.match(states, [{ inSync: true }]);
});

t.test('a role follows another; the daemon of the old role is gone', async (t) => {
  const { kernel, told, keep } = setup();
  await keep(BACKUP);
  await keep(MASTER);
  await keep(BACKUP);
  t.same(told.slice(1), ['changed: start master, stop backup', 'changed: start backup, stop master']);
  t.same(await kernel.roles(), ['backup']);
});

t.test('while only watched nothing is touched, whatever runs', async (t) => {
  const { kernel, states, time, keeper } = setup();
  await kernel.table.startSyncDaemon(MASTER);
  await kernel.table.startSyncDaemon(syncDaemon('backup', { interface: 'eth9' }));
  keeper.aim({ kind: 'watch' }, RESYNC);
  await keeper.settled();
  await time.advance(30_000);
  t.same(kernel.commands, []);
  t.equal(kernel.looks, 4);
  t.match(states, [{ wanted: undefined, seen: [{ role: 'master' }, { role: 'backup' }], inSync: false }]);
});

t.test('what is none of our business is not even looked at', async (t) => {
  const { kernel, states, time, keeper } = setup();
  keeper.aim({ kind: 'ignore' }, RESYNC);
  await time.advance(60_000);
  t.same([kernel.looks, states, time.waiting], [0, [], 0]);
});

t.test('what somebody else changed is found at the next resync, told and repaired', async (t) => {
  const { kernel, told, states, time, keep } = setup();
  await keep(BACKUP);
  await kernel.table.stopSyncDaemon('backup');
  await kernel.table.startSyncDaemon(MASTER);
  await time.advance(9999);
  t.equal(told.length, 1, 'not before');
  await time.advance(1);
  t.same(told.slice(1), ['drift: start backup, stop master']);
  t.same(await kernel.roles(), ['backup']);
  t.match(states.at(-1), { inSync: true, repaired: 1 });
  await time.advance(10_000);
  t.equal(told.length, 2, 'once repaired it is right');
});

t.test(
  'a start that is refused is told once, tried again ever more slowly, and succeeds in the end',
  async (t) => {
    const { kernel, told, states, time, keep } = setup();
    kernel.refuse = () => new LvsError('IPVS', 'ENETUNREACH');
    await keep(BACKUP);
    await time.advance(100);
    await time.advance(199);
    t.equal(kernel.commands.length, 2);
    await time.advance(1);
    t.equal(kernel.commands.length, 3);
    t.same(told, ['failed: ENETUNREACH']);
    t.match(states.at(-1), { inSync: false, lastError: 'ENETUNREACH', seen: [] });
    kernel.refuse = () => undefined;
    await time.advance(5000);
    t.same(told.slice(1), ['changed: start backup']);
    t.match(states.at(-1), { inSync: true, lastError: undefined });
  },
);

t.test('tries are never further apart than five seconds', async (t) => {
  const { kernel, time, keep } = setup();
  kernel.refuse = () => new LvsError('IPVS', 'ENETUNREACH');
  await keep(BACKUP);
  await time.advance(60_000);
  const before = kernel.commands.length;
  await time.advance(50_000);
  t.equal(kernel.commands.length, before + 10);
});

t.test('another error is news', async (t) => {
  const { kernel, told, time, keep } = setup();
  kernel.refuse = () => new LvsError('IPVS', 'ENODEV');
  await keep(BACKUP);
  kernel.refuse = () => new LvsError('IPVS', 'ENETUNREACH');
  await time.advance(5000);
  t.same(told, ['failed: ENODEV', 'failed: ENETUNREACH']);
});

t.test('a new role does not wait for the next try of the old one', async (t) => {
  const { kernel, keep } = setup();
  kernel.refuse = (command) => (command === 'start backup' ? new LvsError('IPVS', 'ENOMEM') : undefined);
  await keep(BACKUP);
  await keep(MASTER);
  t.same(await kernel.roles(), ['master']);
});

t.test('a daemon that cannot be started does not keep the wrong one running', async (t) => {
  const { kernel, keep } = setup();
  await keep(MASTER);
  kernel.refuse = (command) => (command === 'start backup' ? new LvsError('IPVS', 'ENOMEM') : undefined);
  await keep(BACKUP);
  t.same(await kernel.roles(), []);
});

t.test('an error of a command that was done all the same is none', async (t) => {
  const { kernel, told, keep } = setup();
  await keep(MASTER);
  // The kernel's answer where a daemon is stopped before it ran for the first time.
  kernel.complain = (command) => (command === 'stop master' ? new LvsError('IPVS', 'EINTR') : undefined);
  await keep(BACKUP);
  t.same(told.slice(1), ['changed: start backup, stop master']);
});

t.test('commands that succeed and change nothing are an error, not a loop', async (t) => {
  const { kernel, told, keep } = setup();
  kernel.startSyncDaemon = async () => void kernel.commands.push('start');
  await keep(BACKUP);
  t.equal(kernel.commands.length, 1);
  t.match(told, [/^failed: they change by themselves: backup on eth1, id 51, .* did not run$/]);
});

t.test('a kernel that cannot be read is not written', async (t) => {
  const { kernel, told, states, time, keep } = setup();
  kernel.failLook = new LvsError('IPVS', 'no answer');
  await keep(BACKUP);
  t.same([kernel.commands, told], [[], ['failed: no answer']]);
  t.match(states, [{ seen: undefined, inSync: false, lastError: 'no answer' }]);
  kernel.failLook = undefined;
  await time.advance(100);
  t.same(await kernel.roles(), ['backup']);
});

t.test('our own failure is not somebody else’s change', async (t) => {
  const { kernel, told, time, keep } = setup();
  await keep(BACKUP);
  kernel.failLook = new LvsError('IPVS', 'no answer');
  await time.advance(10_000);
  await kernel.table.stopSyncDaemon('backup');
  kernel.failLook = undefined;
  await time.advance(5000);
  t.notOk(told.some((line) => line.startsWith('drift')));
  t.same(await kernel.roles(), ['backup']);
});

t.test('a role that changes while the kernel is asked wins, and the old one leaves nothing', async (t) => {
  const { kernel, states, keeper } = setup();
  let open = (): void => undefined;
  kernel.gate = new Promise((resolve) => {
    open = resolve;
  });
  keeper.aim({ kind: 'keep', daemons: [BACKUP] }, RESYNC);
  keeper.aim({ kind: 'keep', daemons: [MASTER] }, RESYNC);
  open();
  await keeper.settled();
  t.same(await kernel.roles(), ['master']);
  t.match(states.at(-1), { wanted: [MASTER], seen: [{ role: 'master' }], inSync: true });
});

t.test('what left the configuration is stopped where it was ours, and then left alone', async (t) => {
  const { kernel, states, time, keeper, keep } = setup();
  await keep(MASTER);
  await kernel.table.startSyncDaemon(syncDaemon('backup', { interface: 'eth9' }));
  keeper.aim({ kind: 'ignore' }, RESYNC);
  await keeper.settled();
  t.same(await kernel.roles(), ['backup'], 'somebody else’s goes on');
  t.equal(states.at(-1), undefined);
  await kernel.table.startSyncDaemon(MASTER);
  await time.advance(60_000);
  t.same(await kernel.roles(), ['master', 'backup']);
  t.equal(time.waiting, 0);
});

t.test('a release that fails is tried again', async (t) => {
  const { kernel, states, time, keeper, keep } = setup();
  await keep(MASTER);
  kernel.refuse = () => new LvsError('IPVS', 'ENOMEM');
  keeper.aim({ kind: 'ignore' }, RESYNC);
  await keeper.settled();
  keeper.aim({ kind: 'ignore' }, RESYNC);
  t.match(states.at(-1), { wanted: [], lastError: 'ENOMEM' });
  kernel.refuse = () => undefined;
  await time.advance(200);
  t.same([await kernel.roles(), states.at(-1)], [[], undefined]);
});

t.test(
  'a daemon whose interface was made anew is started again: it would neither tell nor hear',
  async (t) => {
    const { kernel, told, states, time, keep } = setup();
    await keep(BACKUP);
    kernel.indexes.set('eth1', 7);
    await time.advance(10_000);
    t.same(kernel.commands.slice(1), ['stop backup', 'start backup']);
    t.same(told.slice(1), ['drift: stop backup, start backup']);
    t.match(states.at(-1), { inSync: true, repaired: 1 });
    await time.advance(20_000);
    t.equal(kernel.commands.length, 3, 'once');
  },
);

t.test('a daemon whose interface is gone is wrong, and started when there is one again', async (t) => {
  const { kernel, told, states, time, keep } = setup();
  await keep(MASTER);
  kernel.indexes.delete('eth1');
  kernel.refuse = (command) => (command === 'start master' ? new LvsError('IPVS', 'ENODEV') : undefined);
  await time.advance(10_000);
  t.same(told.slice(1), ['drift: stop master, start master', 'failed: ENODEV']);
  t.match(states.at(-1), { inSync: false, seen: [], lastError: 'ENODEV' });
  kernel.indexes.set('eth1', 8);
  kernel.refuse = () => undefined;
  await time.advance(5000);
  t.match(states.at(-1), { inSync: true, seen: [{ role: 'master' }], lastError: undefined });
});

t.test('a daemon that was found without its interface is not adopted', async (t) => {
  const { kernel, told, keep } = setup();
  await kernel.table.startSyncDaemon(BACKUP);
  kernel.indexes.delete('eth1');
  kernel.refuse = (command) => (command === 'start backup' ? new LvsError('IPVS', 'ENODEV') : undefined);
  await keep(BACKUP);
  t.same(told, ['failed: ENODEV']);
});

t.test('a role that changes may change the interface too', async (t) => {
  const { kernel, told, time, keep } = setup();
  await keep(BACKUP);
  await keep(syncDaemon('backup', { interface: 'eth9' }));
  await keep(BACKUP);
  await time.advance(20_000);
  t.notOk(told.some((line) => line.startsWith('drift')));
  t.equal(kernel.commands.length, 5);
});

t.test('an interface that cannot be looked up is an error like another', async (t) => {
  const { kernel, told, keeper, time } = setup();
  const broken = new SyncKeeper({
    table: kernel,
    timers: time,
    indexOf: () => Promise.reject(new LvsError('NETLINK', 'no answer')),
    events: {
      onState: () => undefined,
      onChanged: () => told.push('changed'),
      onDrift: () => told.push('drift'),
      onFailure: (message) => told.push(`failed: ${message}`),
    },
  });
  await kernel.table.startSyncDaemon(BACKUP);
  broken.aim({ kind: 'keep', daemons: [BACKUP] }, RESYNC);
  await broken.settled();
  await keeper.settled();
  t.same([told, kernel.commands], [['failed: no answer'], []]);
});

t.test('close finishes what is in progress, leaves the daemons, and touches nothing after', async (t) => {
  const { kernel, time, keeper } = setup();
  let open = (): void => undefined;
  kernel.gate = new Promise((resolve) => {
    open = resolve;
  });
  keeper.aim({ kind: 'keep', daemons: [BACKUP] }, RESYNC);
  const closed = keeper.close();
  open();
  await closed;
  t.same(await kernel.roles(), ['backup']);
  keeper.aim({ kind: 'keep', daemons: [MASTER] }, RESYNC);
  await time.advance(60_000);
  await turn();
  t.same(await kernel.roles(), ['backup']);
  t.equal(time.waiting, 0);
});
