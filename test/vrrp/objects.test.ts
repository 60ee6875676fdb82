/** What a master has besides addresses on its own interface: addresses on another one, routes and rules. */
import t from 'tap';
import { mac } from '../../src/core/mac.js';
import { route, rule } from '../contract/routes.js';
import { config } from './build.js';
import { Director, packetOf, router } from './director.js';
import { Network } from './network.js';

const BRIEF = { announce: { ...config().announce, repeat: 1, delay: config().announce.refresh } };
const ONE = router(BRIEF);
const [HERE] = ONE.addresses;
const THERE = HERE && { ...HERE, device: 'eth1' };
const DEFAULT = route('192.0.2.0/24', { device: 'eth1' });
const RULE = rule(100, { from: undefined });

/** The interface that the last announcement went out of: sll_ifindex of struct sockaddr_ll. */
function lastExit({ frames }: Director): number {
  const to = frames?.sent.at(-1)?.to ?? new Uint8Array(20);
  return new DataView(to.buffer, to.byteOffset).getInt32(4, true);
}

function indexOf({ network }: Director, device: string): number {
  return network.fake.indexOf(device);
}

t.test('a virtual IP on another interface is set and announced there', async (t) => {
  const network = new Network(['eth0', 'eth1']);
  const director = new Director(network);
  await director.start({ ...ONE, addresses: THERE === undefined ? [] : [THERE] });
  t.match(await director.pass(4000), [/advert/, /add 10.0.0.100/, /master-silent/, /arp 10.0.0.100/]);
  t.same(network.fake.shown('eth1'), ['10.0.0.100/24', '10.0.1.2/24']);
  t.equal(lastExit(director), indexOf(director, 'eth1'));
  network.steal('eth1', '10.0.0.100/24');
  director.log.length = 0;
  t.same(await director.settle(), ['4000 add 10.0.0.100', '4000 arp 10.0.0.100']);
  t.equal(lastExit(director), indexOf(director, 'eth1'), 'when it is back too');
});

t.test(
  'a virtual IP that the configuration moves goes to the other interface, and is announced',
  async (t) => {
    const network = new Network(['eth0', 'eth1']);
    const director = new Director(network);
    await director.start(ONE);
    await director.pass(4000);
    t.equal(lastExit(director), indexOf(director, 'eth0'));
    await director.engine.configure([{ ...ONE, addresses: THERE === undefined ? [] : [THERE] }]);
    await director.settle();
    t.same(network.fake.shown('eth0'), ['10.0.0.2/24']);
    t.same(network.fake.shown('eth1'), ['10.0.0.100/24', '10.0.1.2/24']);
    t.equal(lastExit(director), indexOf(director, 'eth1'));
  },
);

t.test('routes and rules are there while it is master, and told when somebody takes them', async (t) => {
  const network = new Network(['eth0', 'eth1']);
  const { place } = network.fake;
  const director = new Director(network);
  await director.start({ ...ONE, routes: [DEFAULT], rules: [RULE] });
  t.same([place.shownRoutes(), place.shownRules()], [[], []], 'a backup has none');
  await director.pass(4000);
  const routes = ['192.0.2.0/24 dev eth1 table 254 metric 0 proto 112'];
  const rules = ['100 from all to all table 100 proto 112'];
  t.same([place.shownRoutes(), place.shownRules()], [routes, rules]);
  network.fake.somebody.route('del', '192.0.2.0/24');
  await director.settle();
  t.same(place.shownRoutes(), routes);
  t.match(director.said(), [
    /^put-back: route 192.0.2.0\/24 dev eth1: taken away by somebody else, put back$/,
  ]);
  await director.engine.stop();
  t.same([place.shownRoutes(), place.shownRules()], [[], []], 'and at the end');
});

t.test('a virtual MAC: its link is up while master, announcements and adverts go out of it', async (t) => {
  const network = new Network();
  const { place } = network.fake;
  const director = new Director(network);
  const link = { name: 'vrrp.20', parent: 'eth0', mac: mac('00:00:5e:00:01:14'), ipv6: false };
  await director.start({
    ...ONE,
    virtualLink: link,
    addresses: HERE === undefined ? [] : [{ ...HERE, device: link.name }],
  });
  t.match(place.shownLink(link.name), /^down/);
  await director.pass(4000);
  t.match(place.shownLink(link.name), /^up 00:00:5e:00:01:14/);
  t.same(place.shown(link.name), ['10.0.0.100/24']);
  t.equal(lastExit(director), indexOf(director, link.name));
  t.equal(director.sockets.length, 2, 'one on the interface, one on the link');
  const [below, above] = director.sockets;
  t.equal(below?.sent.length, 1, 'the first advert waits for nothing');
  director.log.length = 0;
  await director.pass(1000);
  t.match(director.log, [/advert 20 100/]);
  t.equal(above?.sent.length, 1, 'the others go out of the link');

  const higher = packetOf(ONE.instance, 200);
  t.same(await director.hear(higher, 0), [], 'what both hear is taken from the link alone');
  t.match(await director.hear(higher, 1), [
    /advert 20 100/,
    /remove 10.0.0.100/,
    /master>backup higher-priority/,
  ]);
  t.match(place.shownLink(link.name), /^down/);
  t.equal(above?.closed, true);
  await director.engine.stop();
  t.equal(place.shownLink(link.name), undefined);
});

t.test('a virtual MAC that cannot be had is a fault, for as long as it is so', async (t) => {
  const network = new Network(['eth0', 'vrrp.20']);
  const director = new Director(network);
  const link = { name: 'vrrp.20', parent: 'eth0', mac: mac('00:00:5e:00:01:14'), ipv6: false };
  await director.start({ ...ONE, virtualLink: link });
  await director.pass(4000);
  t.equal(director.status()?.role, 'fault');
  t.match(director.status()?.faults, [{ kind: 'addresses', name: 'vrrp.20: another link has this name' }]);
  network.unplug('vrrp.20');
  await director.pass(6000);
  t.equal(director.status()?.role, 'master');
});
