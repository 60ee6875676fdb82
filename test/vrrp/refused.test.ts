/** An engine whose virtual IPs the kernel refuses. */
import t, { type Test } from 'tap';
import { ip } from '../../src/core/ip.js';
import { config } from './build.js';
import { Director, packetOf, router } from './director.js';
import { Network } from './network.js';

const BRIEF = { announce: { ...config().announce, repeat: 1, delay: config().announce.refresh } };
const ONE = router(BRIEF);

const DENIED = 'the kernel says EPERM: run as root, or with CAP_NET_ADMIN';
const REFUSED = `refused: 10.0.0.100/24 on eth0 cannot be set: ${DENIED}; it is tried again every second`;

/** A director alone that the kernel lets add nothing, at the end of its first time as master. */
async function denied(t: Test): Promise<Director> {
  const network = new Network();
  network.fake.failures.push(...new Array<'EPERM'>(100).fill('EPERM'));
  const director = new Director(network);
  await director.start(ONE);
  t.same(await director.pass(3610), [
    '3609 advert 20 100',
    '3609 add 10.0.0.100',
    '3609 advert 20 0',
    '3609 outside backup>master master-silent',
    '3609 outside master>fault fault',
  ]);
  t.same(director.said(), [REFUSED]);
  return director;
}

t.test('a master whose virtual IPs are all refused resigns, and tries again while it is alone', async (t) => {
  const director = await denied(t);
  t.same(await director.pass(9000), [], 'nothing is sent');
  t.match(director.status(), { role: 'fault', faults: [{ kind: 'addresses', name: DENIED }] });
  t.match(await director.pass(2000), [/fault>backup fault-cleared/]);
  t.match(await director.pass(4000), [/ 100$/, /add/, / 0$/, /backup>master/, /master>fault/]);
  t.same(await director.pass(18_000), [], 'the pause is twice as long');
  director.network.fake.failures.length = 0;
  t.match(await director.pass(2000), [/fault>backup/]);
  t.match(await director.pass(4000), [/ 100$/, /add/, /backup>master/, /arp 10.0.0.100/]);
  t.ok(director.network.has('10.0.0.100'));
});

t.test('it does not try again while another master is heard', async (t) => {
  const director = await denied(t);
  const lower = packetOf(ONE.instance, 50);
  for (let second = 0; second < 60; second += 1) {
    t.same(await director.hear(lower), []);
    t.same(await director.pass(1000), []);
  }
  t.match(await director.pass(5000), [/fault>backup/], 'it is gone');
});

t.test('one of two virtual IPs is refused: it is told, and the other one is served', async (t) => {
  const network = new Network();
  network.fake.failures.push('EPERM');
  const director = new Director(network);
  await director.start(router({ ...BRIEF, addresses: [ip('10.0.0.100'), ip('10.0.0.101')] }));
  await director.pass(4000);
  t.match(director.status(), { role: 'master', faults: [] });
  t.same(director.said(), [REFUSED]);
  t.match(await director.pass(1000), [/advert/, /add 10.0.0.100/, /arp 10.0.0.100/], 'it is tried again');
});

t.test('new settings are another try', async (t) => {
  const director = await denied(t);
  director.network.fake.failures.length = 0;
  await director.engine.configure([router({ ...BRIEF, priority: 110 })]);
  await director.settle();
  t.match(await director.pass(4000), [/advert 20 110/, /add/, /backup>master/, /arp/]);
});
