/** Ways of packets, as this machine's kernel has them. Reading needs no privilege. */
import t from 'tap';
import { WayClient } from '../../src/addresses/ways.js';
import { ip } from '../../src/core/ip.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openNetlink } from '../../src/sys/netlink.js';

t.test('where packets leave, and what they come from', async (t) => {
  const ways = new WayClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  t.same(await ways.to(ip('127.0.0.9')), { source: '127.0.0.1', device: 'lo' });
  t.same(await ways.to(ip('127.0.0.9'), ip('127.0.0.5')), { source: '127.0.0.5', device: 'lo' });
  t.equal(
    await ways.to(ip('240.0.0.1'), ip('203.0.113.1')),
    undefined,
    'from what is not ours there is none',
  );
  t.equal(
    (await ways.to(ip('127.0.0.9')))?.device,
    'lo',
    'an answer of that kind leaves the connection well',
  );
  ways.close();
  await t.rejects(ways.to(ip('127.0.0.1')), { code: 'NETLINK' });
});
