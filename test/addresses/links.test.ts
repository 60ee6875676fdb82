/** One link of this machine's kernel. Reading needs no privilege. */
import t from 'tap';
import { LinkClient } from '../../src/addresses/links.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openNetlink } from '../../src/sys/netlink.js';

t.test('a link has its index, one that is not there has none', async (t) => {
  const links = new LinkClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  t.equal(await links.indexOf('lo'), 1);
  t.equal(await links.indexOf('nonesuch0'), undefined);
  t.equal(await links.indexOf('lo'), 1, 'an answer of that kind leaves the connection well');
  links.close();
  await t.rejects(links.indexOf('lo'), { code: 'NETLINK' });
});
