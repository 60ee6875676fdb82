/** What becomes of the link of a virtual MAC: it is there with its instance, and up with its role. */
import type { VirtualAddress, VirtualLink } from '../../src/addresses/model.js';
import { mac } from '../../src/core/mac.js';
import { type Body, vip } from './network.js';

const LINK: VirtualLink = { name: 'vrrp.51', parent: 'v0', mac: mac('00:00:5e:00:01:33'), ipv6: true };
const on = (text: string, changes: Partial<VirtualAddress> = {}) =>
  vip(text, { device: LINK.name, ...changes });
const A = on('192.0.2.10/32');
const SIX = on('2001:db8::10/64');
const SHOWN = ['192.0.2.10/32', '2001:db8::10/64'];
const UP = 'up 00:00:5e:00:01:33 mtu 1500 private on v0 lvsentry';
const DOWN = 'down 00:00:5e:00:01:33 mtu 1500 private on v0 lvsentry';

export const virtualLinks: Readonly<Record<string, Body>> = {
  'it is made at the start, up while master, and gone with the instance': async (t, { start, place }) => {
    const its = start();
    await its.configureOn(LINK, A, SIX);
    t.equal(place.shownLink(LINK.name), DOWN, 'a backup speaks with nobody’s MAC');
    await its.master();
    t.equal(place.shownLink(LINK.name), UP);
    t.strictSame(place.shown(LINK.name), SHOWN);
    await its.backup();
    t.equal(place.shownLink(LINK.name), DOWN);
    t.strictSame(place.shown(LINK.name), []);
    await its.master();
    t.strictSame(place.shown(LINK.name), SHOWN, 'again');
    its.client.changes.length = 0;
    await its.keeper.look();
    t.strictSame(its.client.changes, []);
    await its.configure();
    t.equal(place.shownLink(LINK.name), undefined);
    t.strictSame(its.told, []);
  },

  'its settings, and its parent’s, which are as before when it is gone': async (t, { start, place }) => {
    const { sysctls } = place;
    const its = start();
    const parent = 'ipv4/conf/v0/arp_ignore';
    t.equal(sysctls.read(parent), '0');
    await its.configureOn(LINK, A, SIX);
    const read = (name: string) => sysctls.read(name.replace('NAME', LINK.name));
    t.strictSame(
      ['arp_ignore', 'accept_local', 'promote_secondaries'].map((name) => read(`ipv4/conf/NAME/${name}`)),
      ['1', '1', '1'],
    );
    const strict = sysctls.read('ipv4/conf/all/rp_filter') !== '0';
    t.equal(read('ipv4/conf/NAME/rp_filter'), strict ? '2' : '0');
    t.strictSame(
      ['disable_ipv6', 'addr_gen_mode', 'accept_ra', 'autoconf'].map((name) =>
        read(`ipv6/conf/NAME/${name}`),
      ),
      ['0', '1', '0', '0'],
    );
    t.equal(sysctls.read(parent), '1');
    await its.configure();
    t.equal(sysctls.read(parent), '0');
  },

  'without addresses of IPv6 it has no IPv6': async (t, { start, place }) => {
    const its = start();
    await its.configureOn({ ...LINK, ipv6: false }, A);
    t.equal(place.sysctls.read(`ipv6/conf/${LINK.name}/disable_ipv6`), '1');
    await its.master();
    t.strictSame(place.shown(LINK.name), ['192.0.2.10/32']);
    await its.configure();
  },

  'what a crashed predecessor left is adopted': async (t, { start, place }) => {
    const first = start();
    await first.configureOn(LINK, A, SIX);
    await first.master();
    const index = first.keeper.view.link(LINK.name)?.index;
    first.keeper.close();
    const second = start();
    second.keeper.configure(
      [A, SIX].map((object) => ({ instance: 'a', object, native: false })),
      [{ instance: 'a', link: LINK }],
    );
    await second.master();
    t.equal(second.keeper.view.link(LINK.name)?.index, index, 'it is the same link');
    t.strictSame(second.client.changes, []);
    t.equal(place.shownLink(LINK.name), UP);
    second.keeper.close();
    const third = start();
    await third.configureOn(LINK, A, SIX);
    t.equal(place.shownLink(LINK.name), DOWN, 'a backup takes it down');
    third.keeper.close();
    const fourth = start();
    await fourth.configure();
    t.equal(place.shownLink(LINK.name), undefined, 'whoever does not know it removes it');
  },

  'of another MAC or parent it is made anew': async (t, { start, place }) => {
    const its = start();
    await its.configureOn(LINK, A);
    await its.master();
    await its.configureOn({ ...LINK, mac: mac('00:00:5e:00:01:34') }, A);
    t.equal(place.shownLink(LINK.name), UP.replace('01:33', '01:34'));
    t.strictSame(place.shown(LINK.name), ['192.0.2.10/32']);
    await its.configure();
  },

  'when somebody deletes it, it is back with all that was on it, and told': async (
    t,
    { start, place, somebody, until },
  ) => {
    const its = start();
    await its.configureOn(LINK, A, SIX);
    await its.master();
    somebody.deleteLink(LINK.name);
    await until('it is back', () => place.shown(LINK.name).length === 2);
    t.equal(place.shownLink(LINK.name), UP);
    const all = () => its.told.join();
    await until('it was told', () => [A, SIX].every(({ address }) => all().includes(`${address}/`)));
    t.ok(
      its.told.every((line) => line.startsWith('a: put-back ')),
      'and nothing else',
    );
    await its.configure();
  },

  'when somebody sets it down, it is up again': async (_t, { start, place, somebody, until }) => {
    const its = start();
    await its.configureOn(LINK, A, SIX);
    await its.master();
    somebody.changeLink(LINK.name, { up: false });
    await until('it is up', () => place.shownLink(LINK.name) === UP);
    await until('all are there', () => place.shown(LINK.name).length === 2);
    await its.configure();
  },

  'it goes with its parent and comes with it': async (t, { start, place, somebody, until }) => {
    const its = start();
    await its.configureOn(LINK, A, SIX);
    await its.master();
    somebody.deleteLink('v0');
    await its.keeper.look();
    t.equal(place.shownLink(LINK.name), undefined);
    somebody.addLink('v0');
    await until('it is back', () => place.shown(LINK.name).length === 2);
    t.equal(place.shownLink(LINK.name), UP);
    somebody.changeLink('v0', { up: false });
    await until('it has no carrier', () => its.keeper.view.link(LINK.name)?.usable === false);
    somebody.changeLink('v0', { up: true });
    await until('it is usable', () => its.keeper.view.link(LINK.name)?.usable === true);
    await until('all are there', () => place.shown(LINK.name).length === 2);
    await its.configure();
  },

  'its MTU follows its parent’s, up as well': async (_t, { start, place, somebody, until }) => {
    const its = start();
    await its.configureOn(LINK, A, SIX);
    await its.master();
    somebody.changeLink('v0', { mtu: 1200 });
    await until('it has the MTU', () => place.shownLink(LINK.name)?.includes('mtu 1200') === true);
    await until('it was told', () => its.told.some((line) => line.includes('IPv6 needs 1280')));
    somebody.changeLink('v0', { mtu: 1500 });
    await until('it has the MTU', () => place.shownLink(LINK.name) === UP);
    await until('all are there', () => place.shown(LINK.name).length === 2);
    await its.configure();
  },

  'another link of this name is left alone, and that is said': async (
    t,
    { start, place, somebody, until },
  ) => {
    somebody.addLink(LINK.name);
    const before = place.shownLink(LINK.name);
    const its = start();
    await its.configureOn(LINK, A);
    await its.master();
    t.equal(place.shownLink(LINK.name), before);
    t.equal(its.told[0], 'a: virtual MAC link vrrp.51: another link has this name');
    t.equal(its.keeper.linkTrouble(LINK.name), 'another link has this name');
    somebody.deleteLink(LINK.name);
    await until('it is there', () => place.shownLink(LINK.name) === UP);
    await until('it is no trouble any more', () => its.keeper.linkTrouble(LINK.name) === undefined);
    await its.configure();
  },

  'two with one MAC on one parent are not up together: that is said': async (t, { start, place, until }) => {
    const { keeper, told } = start();
    const twin = { ...LINK, name: 'vrrp.x' };
    keeper.configure(
      [],
      [
        { instance: 'a', link: LINK },
        { instance: 'b', link: twin },
      ],
    );
    await keeper.want('a', 'present');
    await keeper.want('b', 'present');
    await until('it was told', () => told.length > 0);
    t.ok(told[0]?.startsWith('b: virtual MAC link vrrp.x: the kernel says EADDRINUSE'), told[0] ?? '');
    t.ok(keeper.linkTrouble('vrrp.x')?.startsWith('the kernel says EADDRINUSE'));
    t.equal(place.shownLink(LINK.name), UP);
    keeper.configure([]);
    await keeper.look();
    t.strictSame([place.shownLink('vrrp.x'), place.shownLink(LINK.name)], [undefined, undefined]);
  },
};
