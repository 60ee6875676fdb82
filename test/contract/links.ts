/** Links that go and come, addresses that others have, notices that are lost: what becomes of virtual IPs then. */
import { type Body, vip } from './network.js';

const A = vip('192.0.2.10/24');
const B = vip('192.0.2.11/24');
const SIX = vip('2001:db8::10/64');

export const links: Readonly<Record<string, Body>> = {
  'a link that is deleted and comes back has them again': async (t, { start, somebody, becomes, shown }) => {
    const its = start();
    const { keeper } = its;
    await its.configure(A, SIX);
    await its.master();
    const before = keeper.view.link('v0')?.index;
    somebody.deleteLink('v0');
    await keeper.look();
    t.equal(keeper.view.link('v0'), undefined);
    somebody.addLink('v0');
    await becomes('the addresses are back', '192.0.2.10/24', '2001:db8::10/64');
    t.ok(keeper.view.link('v0')?.index !== before, 'the link has another index');
    await its.backup();
    t.strictSame(shown(), []);
  },

  'a master whose link is missing has them once it comes': async (t, { start, somebody, becomes }) => {
    somebody.deleteLink('v0');
    const its = start();
    await its.configure(A, SIX);
    await its.master();
    t.strictSame(its.client.changes, []);
    somebody.addLink('v0');
    await becomes('they are there', '192.0.2.10/24', '2001:db8::10/64');
  },

  'a link that goes down loses those of IPv6; they are back when it is up': async (
    t,
    { start, somebody, becomes, until },
  ) => {
    const its = start();
    const { told, keeper } = its;
    await its.configure(A, SIX);
    await its.master();
    somebody.changeLink('v0', { up: false });
    await becomes('those of IPv4 stay', '192.0.2.10/24');
    await keeper.look();
    t.equal(keeper.view.link('v0')?.usable, false);
    t.strictSame(told, [], 'nothing is put back into a dead link');
    somebody.changeLink('v0', { up: true });
    await becomes('all', '192.0.2.10/24', '2001:db8::10/64');
    await until('it was told', () => told.length === 1);
    t.strictSame(told, ['a: put-back 2001:db8::10/64 on v0']);
  },

  'an MTU that IPv6 cannot live with is said; with a better one they are back': async (
    t,
    { start, somebody, becomes, until },
  ) => {
    const its = start();
    const { told } = its;
    await its.configure(A, SIX);
    await its.master();
    somebody.changeLink('v0', { mtu: 1200 });
    await until('it was told', () => told.length === 1);
    t.strictSame(told, [
      'a: 2001:db8::10/64 on v0: the kernel says EINVAL: the MTU of v0 is 1200, and IPv6 needs 1280',
    ]);
    await becomes('IPv4 stays', '192.0.2.10/24');
    somebody.changeLink('v0', { mtu: 1500 });
    await becomes('all', '192.0.2.10/24', '2001:db8::10/64');
    await until('it was told', () => told.length === 2);
    t.equal(told[1], 'a: late 2001:db8::10/64 on v0');
  },

  'a link without IPv6 is said once; when it has it, they are there': async (
    t,
    { start, somebody, becomes, until },
  ) => {
    somebody.changeLink('v0', { ipv6: false });
    const its = start();
    const { told, keeper } = its;
    await its.configure(A, SIX);
    await its.master();
    await keeper.look();
    const [why] = told;
    t.strictSame(told, [
      'a: 2001:db8::10/64 on v0: the kernel says EACCES: IPv6 is switched off there (net.ipv6.conf.v0.disable_ipv6)',
    ]);
    somebody.changeLink('v0', { ipv6: true });
    await becomes('all', '192.0.2.10/24', '2001:db8::10/64');
    await until('it was told', () => told.length === 2);
    t.strictSame(told, [why, 'a: late 2001:db8::10/64 on v0']);
  },
};

export const detection: Readonly<Record<string, Body>> = {
  'an address of IPv6 that another host has is a conflict; when that is over it is in use': async (
    t,
    { start, somebody, becomes, until },
  ) => {
    somebody.add('v0-far', '2001:db8::10/64', 'nodad');
    const its = start();
    const { told } = its;
    await its.configure({ ...SIX, noDad: false });
    await its.master();
    await until('it was told', () => told.length > 0);
    t.strictSame(told, ['a: 2001:db8::10/64 on v0: another host has it']);
    somebody.remove('v0-far', '2001:db8::10/64');
    await until('it is in use', () => told.length > 1);
    t.strictSame(told.slice(1), ['a: late 2001:db8::10/64 on v0']);
    await becomes('it is there', '2001:db8::10/64');
  },

  'one that nobody else has is told of when it may be used': async (t, { start, until, shown }) => {
    const its = start();
    const { told } = its;
    await its.configure({ ...SIX, noDad: false });
    await its.master();
    await until('it is in use', () => told.length > 0);
    t.strictSame(told, ['a: late 2001:db8::10/64 on v0']);
    t.strictSame(shown(), ['2001:db8::10/64']);
  },
};

export const losses: Readonly<Record<string, Body>> = {
  'notices that are lost do not matter': async (t, { start, somebody, place, becomes }) => {
    const its = start(place.openSmall);
    const { keeper } = its;
    await its.configure(A, B, SIX);
    await its.master();
    somebody.flood('v0', 300);
    somebody.remove('v0', '192.0.2.10/24');
    somebody.remove('v0', '2001:db8::10/64');
    somebody.flood('v0', 300);
    await becomes('all are back', '192.0.2.10/24', '192.0.2.11/24', '2001:db8::10/64');
    somebody.flood('v0', 300);
    somebody.deleteLink('v0');
    somebody.addLink('v0');
    await becomes('on the new link too', '192.0.2.10/24', '192.0.2.11/24', '2001:db8::10/64');
    const seen = keeper.view.addressesOf(keeper.view.link('v0')?.index ?? 0);
    t.equal(seen.filter(({ address }) => address.startsWith('10.')).length, 0, 'nothing stale is believed');
  },
};
