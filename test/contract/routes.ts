/** What becomes of virtual routes and rules: they come after their addresses, go before them, and are nobody else's. */
import type { VirtualRoute, VirtualRule } from '../../src/addresses/model.js';
import { ip } from '../../src/core/ip.js';
import { type Body, vip } from './network.js';

const A = vip('192.0.2.10/24');
const SIX = vip('2001:db8::10/64');

export function route(text: string, changes: Partial<VirtualRoute> = {}): VirtualRoute {
  const [address, length] = text.split('/');
  const isIpv6 = text.includes(':');
  return {
    kind: 'route',
    destination: { address: ip(address ?? ''), length: Number(length) },
    gateway: undefined,
    device: undefined,
    source: undefined,
    table: 254,
    metric: isIpv6 ? 1024 : 0,
    type: 1,
    ...changes,
  };
}

export function rule(priority: number, changes: Partial<VirtualRule> = {}): VirtualRule {
  return {
    kind: 'rule',
    family: 'ipv4',
    priority,
    from: { address: ip('192.0.2.10'), length: 32 },
    to: undefined,
    inputDevice: undefined,
    outputDevice: undefined,
    mark: undefined,
    table: 100,
    ...changes,
  };
}

/** Of every kind; gateways are in the subnets of the virtual IPs, sources are virtual IPs. */
const ROUTES: readonly VirtualRoute[] = [
  route('0.0.0.0/0', { gateway: ip('192.0.2.1') }),
  route('198.51.100.0/24', { gateway: ip('192.0.2.1'), device: 'v0', source: A.address, metric: 7 }),
  route('203.0.113.0/24', { device: 'v0', table: 1000 }),
  route('203.0.113.128/25', { type: 6 }),
  route('::/0', { gateway: ip('2001:db8::1'), device: 'v0', source: SIX.address }),
  route('2001:db8:1::/48', { device: 'v0', table: 100, metric: 5 }),
  route('2001:db8:2::/48', { type: 7 }),
  route('2001:db8:3::/48', { gateway: ip('2001:db8::1') }),
];

const DEFAULT = '0.0.0.0/0 via 192.0.2.1 dev v0 table 254 metric 0 proto 112';
const SECOND = '198.51.100.0/24 via 192.0.2.1 dev v0 src 192.0.2.10 table 254 metric 7 proto 112';
const SHOWN_ROUTES = [
  DEFAULT,
  SECOND,
  '203.0.113.0/24 dev v0 table 1000 metric 0 proto 112',
  '2001:db8:1::/48 dev v0 table 100 metric 5 proto 112',
  '2001:db8:3::/48 via 2001:db8::1 dev v0 table 254 metric 1024 proto 112',
  '::/0 via 2001:db8::1 dev v0 src 2001:db8::10 table 254 metric 1024 proto 112',
  'blackhole 203.0.113.128/25 table 254 metric 0 proto 112',
  'unreachable 2001:db8:2::/48 dev lo table 254 metric 1024 proto 112',
].sort();

const RULES: readonly VirtualRule[] = [
  rule(100),
  rule(101, { from: undefined, to: { address: ip('198.51.100.0'), length: 24 }, table: 1000 }),
  rule(102, { from: undefined, mark: { value: 16, mask: 255 }, inputDevice: 'v0' }),
  rule(103, { family: 'ipv6', from: { address: SIX.address, length: 128 }, outputDevice: 'lo' }),
];

const SHOWN_RULES = [
  '100 from 192.0.2.10/32 to all table 100 proto 112',
  '101 from all to 198.51.100.0/24 table 1000 proto 112',
  '102 from all to all fwmark 16/255 iif v0 table 100 proto 112',
  '103 from 2001:db8::10/128 to all oif lo table 100 proto 112',
];

const ALL = [...RULES, ...ROUTES, A, SIX];

const roles: Readonly<Record<string, Body>> = {
  'routes and rules come with the role and go with it': async (t, { start, place, shown }) => {
    const its = start();
    await its.configure(...ALL);
    t.strictSame([place.shownRoutes(), place.shownRules()], [[], []], 'before');
    await its.master();
    t.strictSame(place.shownRoutes(), SHOWN_ROUTES);
    t.strictSame(place.shownRules(), SHOWN_RULES);
    const kinds = its.client.changes.map((change) => /^add (route|rule)?/.exec(change)?.[1] ?? 'address');
    t.strictSame(
      kinds,
      [A, SIX, ...ROUTES, ...RULES].map(({ kind }) => kind),
      'addresses, routes, rules',
    );
    its.client.changes.length = 0;
    await its.keeper.look();
    t.strictSame(its.client.changes, [], 'what the kernel filled in is no reason to change anything');
    await its.backup();
    t.strictSame([place.shownRoutes(), place.shownRules(), shown()], [[], [], []]);
    const order = its.client.changes.map((change) => /^remove (route|rule)?/.exec(change)?.[1] ?? 'address');
    t.strictSame(
      order,
      [...RULES, ...ROUTES, A, SIX].map(({ kind }) => kind),
      'rules, routes, addresses',
    );
    t.strictSame(its.told, []);
  },

  'a master adopts what a crashed predecessor left': async (t, { start, place }) => {
    const first = start();
    await first.configure(...ALL);
    await first.master();
    first.keeper.close();
    const second = start();
    second.keeper.configure(ALL.map((object) => ({ instance: 'a', object, native: false })));
    await second.master();
    t.strictSame(second.client.changes, []);
    t.strictSame([place.shownRoutes(), place.shownRules()], [SHOWN_ROUTES, SHOWN_RULES]);
    await second.backup();
  },

  'a backup removes what a crashed predecessor left, even with nothing like it configured': async (
    t,
    { start, place, shown },
  ) => {
    const first = start();
    await first.configure(...ALL);
    await first.master();
    first.keeper.close();
    const second = start();
    await second.configure(A);
    t.strictSame([place.shownRoutes(), place.shownRules(), shown()], [[], [], []]);
  },

  'what changes in the configuration is set anew, the rest is not touched': async (t, { start, place }) => {
    const its = start();
    await its.configure(...ALL);
    await its.master();
    its.client.changes.length = 0;
    const [first, ...rest] = ROUTES;
    await its.configure(...RULES.slice(1), ...rest, route('0.0.0.0/0', { gateway: ip('192.0.2.2') }), A, SIX);
    t.ok(first !== undefined);
    t.strictSame(its.client.changes, [
      'remove rule 100 from 192.0.2.10/32 lookup 100 ok',
      'remove route default via 192.0.2.1 dev v0 ok',
      'add route default via 192.0.2.2 ok',
    ]);
    t.strictSame(place.shownRules(), SHOWN_RULES.slice(1));
    await its.backup();
  },
};

const meddling: Readonly<Record<string, Body>> = {
  'a route that somebody deletes is back, and told': async (
    t,
    { start, somebody, routesBecome, until, place },
  ) => {
    const its = start();
    const [via] = ROUTES;
    await its.configure(A, ...(via === undefined ? [] : [via]), rule(100));
    await its.master();
    somebody.route('del', '0.0.0.0/0');
    await until('it was told', () => its.told.length === 1);
    await routesBecome('it is back', DEFAULT);
    t.strictSame(its.told, ['a: put-back route default via 192.0.2.1']);
    somebody.removeRule('ipv4', 100);
    await until('the rule was told', () => its.told.length === 2);
    t.strictSame(place.shownRules(), SHOWN_RULES.slice(0, 1));
    t.equal(its.told[1], 'a: put-back rule 100 from 192.0.2.10/32 lookup 100');
    await its.backup();
  },

  'routes of others are left alone, where they are in the way too: that is said': async (
    t,
    { start, somebody, routesBecome, until, place },
  ) => {
    somebody.add('v0', '192.0.2.2/24');
    somebody.route('add', '0.0.0.0/0', 'via', '192.0.2.9');
    somebody.route('add', '198.51.100.0/24', 'via', '192.0.2.9', 'metric', '9');
    const foreign = [
      '0.0.0.0/0 via 192.0.2.9 dev v0 table 254 metric 0 proto 3',
      '198.51.100.0/24 via 192.0.2.9 dev v0 table 254 metric 9 proto 3',
    ];
    const its = start();
    await its.configure(...ROUTES.slice(0, 2), A);
    t.strictSame(place.shownRoutes(), foreign, 'a backup removes no default route of others');
    await its.master();
    t.strictSame(place.shownRoutes(), [...foreign, SECOND].sort());
    t.strictSame(its.told, [
      'a: route default via 192.0.2.1: the kernel says EEXIST: somebody else has set a route like it, which is left alone',
    ]);
    somebody.route('del', '0.0.0.0/0');
    await routesBecome('when it is out of the way', DEFAULT, SECOND, foreign[1] ?? '');
    await until('it was told', () => its.told.length === 2);
    t.equal(its.told[1], 'a: late route default via 192.0.2.1');
    await its.backup();
    t.strictSame(place.shownRoutes(), foreign.slice(1));
  },

  'a route that somebody replaces is his': async (t, { start, somebody, until, place }) => {
    const its = start();
    await its.configure(...ROUTES.slice(0, 1), A);
    await its.master();
    somebody.route('replace', '0.0.0.0/0', 'via', '192.0.2.9');
    await until('it was told', () => its.told.length > 0);
    t.strictSame(its.told, [
      'a: route default via 192.0.2.1: the kernel says EEXIST: somebody else has set a route like it, which is left alone',
    ]);
    await its.backup();
    t.strictSame(place.shownRoutes().length, 0, 'it went with the address that it needed');
  },

  'what goes without a word with an address or a link is back': async (
    t,
    { start, somebody, routesBecome, shown },
  ) => {
    const its = start();
    await its.configure(...ALL);
    await its.master();
    somebody.remove('v0', '192.0.2.10/24');
    await routesBecome('after the address', ...SHOWN_ROUTES);
    somebody.remove('v0', '2001:db8::10/64');
    await routesBecome('after the other', ...SHOWN_ROUTES);
    somebody.changeLink('v0', { up: false });
    await routesBecome('what needs no link stays', ...SHOWN_ROUTES.filter((line) => !line.includes('v0')));
    somebody.changeLink('v0', { up: true });
    await routesBecome('up again', ...SHOWN_ROUTES);
    somebody.deleteLink('v0');
    somebody.addLink('v0');
    await routesBecome('after the link', ...SHOWN_ROUTES);
    t.strictSame(shown(), ['192.0.2.10/24', '2001:db8::10/64']);
    await its.backup();
  },

  'a gateway that nothing leads to is said, and tried until something does': async (
    t,
    { start, somebody, routesBecome, until },
  ) => {
    const its = start();
    await its.configure(A, route('198.51.100.0/24', { gateway: ip('203.0.113.1') }));
    await its.master();
    t.equal(its.told.length, 1);
    t.ok(its.told[0]?.startsWith('a: route 198.51.100.0/24 via 203.0.113.1: the kernel says ENETUNREACH'));
    somebody.add('v0', '203.0.113.2/24');
    await routesBecome('there', '198.51.100.0/24 via 203.0.113.1 dev v0 table 254 metric 0 proto 112');
    await until('it was told', () => its.told.length === 2);
    await its.backup();
  },

  'notices that are lost do not matter': async (_t, { start, somebody, place, routesBecome }) => {
    const its = start(place.openSmall);
    await its.configure(...ROUTES.slice(0, 1), A);
    await its.master();
    for (let times = 0; times < 150; times += 1) somebody.route('add', `10.0.${times}.0/24`, 'dev', 'v0');
    somebody.route('del', '0.0.0.0/0');
    for (let times = 0; times < 150; times += 1) somebody.route('del', `10.0.${times}.0/24`, 'dev', 'v0');
    await routesBecome('back', DEFAULT);
    await its.backup();
  },
};

export const routes: Readonly<Record<string, Body>> = { ...roles, ...meddling };
