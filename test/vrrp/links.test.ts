/** Links that flap, as the engine sees them: what counts is what lasts. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { config, ms } from './build.js';
import { Director, packetOf, router } from './director.js';
import { Network } from './network.js';

const BRIEF = { announce: { ...config().announce, repeat: 1, delay: ms(0) } };
const SLOW = { debounce: { down: ms(500), up: ms(2000) } };

async function masterOf(of: ReturnType<typeof router>, network = new Network()): Promise<Director> {
  const director = new Director(network);
  await director.start(of);
  await director.pass(4000);
  director.log.length = 0;
  return director;
}

t.test('a link that is back in time was never away', async (t) => {
  const director = await masterOf(router(BRIEF, SLOW));
  director.network.link('eth0', false);
  t.same(await director.pass(400), []);
  director.network.link('eth0', true);
  t.same(await director.pass(2000), ['4609 advert 20 100', '5609 advert 20 100'], 'adverts go on meanwhile');
});

t.test('a link that stays away is a fault, as long after it as is configured', async (t) => {
  const director = await masterOf(router(BRIEF, SLOW));
  director.network.link('eth0', false);
  await director.settle();
  t.same(await director.pass(499), []);
  t.same(await director.pass(1), [
    '4500 advert 20 0',
    '4500 remove 10.0.0.100',
    '4500 outside master>fault fault',
  ]);
  director.network.link('eth0', true);
  await director.settle();
  t.same(await director.pass(1999), []);
  t.same(await director.pass(1), ['6500 outside fault>backup fault-cleared']);
});

t.test('what is seen first counts at once, and so does a missing interface', async (t) => {
  const network = new Network();
  network.link('eth0', false);
  const director = new Director(network);
  await director.start(router(BRIEF, SLOW));
  t.same(director.log, ['0 outside initialize>fault fault']);
  network.link('eth0', true);
  await director.settle();
  t.match(await director.pass(2000), [/fault>backup/]);
  director.log.length = 0;
  network.unplug('eth0');
  t.match(await director.settle(), [/backup>fault/]);
});

t.test('a tracked link moves the priority when its change has lasted', async (t) => {
  const network = new Network(['eth0', 'eth1']);
  const track = { kind: 'interface', name: 'eth1', weight: -30, reverse: false } as const;
  const director = await masterOf(router(BRIEF, { ...SLOW, tracks: [track] }), network);
  network.link('eth1', false);
  await director.settle();
  t.same(await director.pass(400), []);
  t.equal((await director.pass(1000)).length, 1, 'adverts, and nothing else');
  await director.pass(1000);
  t.equal(director.status()?.priority.effective, 70);
  network.link('eth1', true);
  await director.settle();
  await director.pass(1900);
  t.equal(director.status()?.priority.effective, 70);
  await director.pass(1200);
  t.equal(director.status()?.priority.effective, 100);
});

t.test('each instance has its own patience', async (t) => {
  const director = new Director();
  const other = router({ ...BRIEF, name: 'other', vrid: 21, addresses: [ip('10.0.0.101')] });
  await director.start(router(BRIEF, SLOW), other);
  for (const { instance } of [router(), other]) await director.hear(packetOf(instance, 200));
  director.log.length = 0;
  director.network.link('eth0', false);
  t.same(await director.settle(), ['0 other backup>fault fault']);
  t.same(await director.pass(600), ['500 outside backup>fault fault']);
});

t.test('whoever leaves leaves nothing behind that would wake the thread', async (t) => {
  const director = await masterOf(router(BRIEF, SLOW));
  director.network.link('eth0', false);
  await director.settle();
  await director.engine.configure([]);
  const before = director.alarms;
  await director.pass(900);
  t.ok(director.alarms - before <= 2, `the alarm was set ${director.alarms - before} times`);
});
