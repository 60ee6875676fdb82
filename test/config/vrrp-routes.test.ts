import t from 'tap';
import type { RouterConfig } from '../../src/vrrp/status.js';
import { configOf, faultsOf } from './given.js';

const SIX = '"2001:db8::10/64"';

const text = (keys: string, address: string) =>
  `services: {}\nvrrp: { outside: { interface: eth0, id: 51, addresses: [${address}], ${keys} } }`;

function routerOf(keys: string, address = '192.168.2.254/24'): RouterConfig {
  const [router] = configOf(text(keys, address)).vrrp;
  if (router === undefined) throw new Error('there is no virtual router');
  return router;
}

const faults = (keys: string, address = '192.168.2.254/24') =>
  faultsOf(text(keys, address)).map((fault) => fault.replace(/^a\.yaml:\d+:\d+: vrrp\.outside\.?/, ''));

t.test('a route has the defaults of `ip route`', async (t) => {
  t.same(routerOf('routes: [{ to: 0.0.0.0/0, via: 192.168.2.1 }]').routes, [
    {
      kind: 'route',
      destination: { address: '0.0.0.0', length: 0 },
      gateway: '192.168.2.1',
      device: undefined,
      source: undefined,
      table: 254,
      metric: 0,
      type: 1,
    },
  ]);
  t.same(
    routerOf(
      'routes: [{ to: "2001:db8:1::/48", device: eth1, source: "2001:db8::10", table: 1000, metric: 5 }]',
    ).routes,
    [
      {
        kind: 'route',
        destination: { address: '2001:db8:1::', length: 48 },
        gateway: undefined,
        device: 'eth1',
        source: '2001:db8::10',
        table: 1000,
        metric: 5,
        type: 1,
      },
    ],
  );
});

t.test('`default` is of the family of the gateway, of the source, or of the virtual router', async (t) => {
  const rows = [
    ['via: 192.168.2.1', '192.168.2.254/24', '0.0.0.0'],
    ['via: "2001:db8::1"', '192.168.2.254/24', '::'],
    ['device: eth1, source: "2001:db8::1"', '192.168.2.254/24', '::'],
    ['device: eth1', '192.168.2.254/24', '0.0.0.0'],
    ['device: eth1', SIX, '::'],
  ] as const;
  for (const [keys, address, expected] of rows)
    t.same(
      routerOf(`routes: [{ to: default, ${keys} }]`, address).routes[0]?.destination,
      { address: expected, length: 0 },
      keys,
    );
});

t.test('a metric of 0 is what the kernel makes of it', async (t) => {
  const metric = (to: string, more: string) =>
    routerOf(`routes: [{ to: ${to}, device: eth0${more} }]`).routes[0]?.metric;
  t.same([metric('10.0.0.0/8', ''), metric('10.0.0.0/8', ', metric: 0')], [0, 0]);
  t.same(
    [metric('"::/0"', ''), metric('"::/0"', ', metric: 0'), metric('"::/0"', ', metric: 1')],
    [1024, 1024, 1],
  );
});

t.test('routes that lead nowhere have neither gateway nor interface', async (t) => {
  for (const [type, number] of [
    ['blackhole', 6],
    ['unreachable', 7],
    ['prohibit', 8],
  ] as const)
    t.match(routerOf(`routes: [{ to: 10.0.0.0/8, type: ${type} }]`).routes, [{ type: number }]);
});

t.test('what is wrong with a route is said at its place', async (t) => {
  const rows = [
    [
      'to: 10.0.0.1/8, via: 192.168.2.1',
      'routes[0].to: 10.0.0.1/8 has bits behind its prefix; the network is 10.0.0.0/8',
    ],
    [
      'to: 10.0.0.1, via: 192.168.2.1',
      'routes[0].to: "10.0.0.1" is not an address with its prefix length; write for example 10.0.0.1/24',
    ],
    ['to: 10.0.0.0/33, via: 192.168.2.1', 'routes[0].to: /33 is more than /32'],
    ['to: 10.0.0.0/8, via: gateway', 'routes[0].via: "gateway" is not an address'],
    [
      'to: 10.0.0.0/8, via: "2001:db8::1"',
      'routes[0]: 2001:db8::1 is not of the family of the destination, 10.0.0.0',
    ],
    [
      'to: 10.0.0.0/8, via: 192.168.2.1, source: "2001:db8::1"',
      'routes[0]: 2001:db8::1 is not of the family of the destination, 10.0.0.0',
    ],
    ['to: 10.0.0.0/8', 'routes[0]: leads nowhere; say `via` or `device`, or another `type`'],
    [
      'to: 10.0.0.0/8, via: 192.168.2.1, type: prohibit',
      'routes[0]: a route that is not `unicast` has neither `via` nor `device`',
    ],
    ['to: "::/0", via: "fe80::1"', 'routes[0]: fe80::1 is link-local; say the `device` that it is on'],
    ['via: 192.168.2.1', 'routes[0].to: missing; it must be there'],
  ] as const;
  for (const [keys, expected] of rows) t.same(faults(`routes: [{ ${keys} }]`), [expected], keys);
});

t.test('two routes are not the same one, nor are two rules, in whatever virtual router', async (t) => {
  t.same(faults('routes: [{ to: 10.0.0.0/8, device: eth0 }, { to: 10.0.0.0/8, device: eth1 }]'), [
    ': route 10.0.0.0/8 dev eth1 is there already, in outside',
  ]);
  t.same(
    faults('routes: [{ to: 10.0.0.0/8, device: eth0 }, { to: 10.0.0.0/8, device: eth1, metric: 1 }]'),
    [],
  );
  const two = (key: string) => `services: {}
vrrp:
  a: { interface: eth0, id: 51, addresses: [192.168.2.254/24], ${key} }
  b: { interface: eth0, id: 52, addresses: [192.168.2.253/24], ${key} }`;
  t.match(faultsOf(two('rules: [{ priority: 5, table: 7 }]')), [
    /rule 5 from all lookup 7 is there already, in a$/,
  ]);
  t.match(faultsOf(two('routes: [{ to: 10.0.0.0/8, device: eth0 }]')), [/is there already, in a$/]);
});

t.test('a rule has the selectors that it states', async (t) => {
  t.same(routerOf('rules: [{ priority: 100, table: 7 }]').rules, [
    {
      kind: 'rule',
      family: 'ipv4',
      priority: 100,
      from: undefined,
      to: undefined,
      inputDevice: undefined,
      outputDevice: undefined,
      mark: undefined,
      table: 7,
    },
  ]);
  const [rule] = routerOf(
    'rules: [{ priority: 1, table: 1000, from: 192.168.2.254/32, to: 10.0.0.0/8, mark: 0x10/0xff, in: eth0, out: eth1 }]',
  ).rules;
  t.match(rule, {
    from: { address: '192.168.2.254', length: 32 },
    to: { address: '10.0.0.0', length: 8 },
    mark: { value: 16, mask: 255 },
    inputDevice: 'eth0',
    outputDevice: 'eth1',
    table: 1000,
  });
});

t.test('the family of a rule is that of its addresses, else that of the virtual router', async (t) => {
  const family = (keys: string, address?: string) =>
    routerOf(`rules: [{ priority: 1, table: 7${keys} }]`, address).rules[0]?.family;
  t.equal(family(', from: "2001:db8::/32"'), 'ipv6');
  t.equal(family(', to: "2001:db8::/32"'), 'ipv6');
  t.equal(family(', to: 10.0.0.0/8', SIX), 'ipv4');
  t.equal(family('', SIX), 'ipv6');
  const all = routerOf('rules: [{ priority: 1, table: 7, from: "::/0" }]').rules[0];
  t.match(all, { family: 'ipv6', from: undefined }, 'all of a family is no selector');
});

t.test('marks are numbers, decimal or not, with a mask or without', async (t) => {
  const mark = (value: string) =>
    routerOf(`rules: [{ priority: 1, table: 7, mark: ${value} }]`).rules[0]?.mark;
  const whole = 0xffffffff;
  t.same(mark('16'), { value: 16, mask: whole });
  t.same(mark('"16"'), { value: 16, mask: whole });
  t.same(mark('0x10'), { value: 16, mask: whole });
  t.same(mark('0xffffffff/0xffffffff'), { value: whole, mask: whole });
  t.same(mark('16/0x1f'), { value: 16, mask: 31 });
});

t.test('what is wrong with a rule is said at its place', async (t) => {
  const rows = [
    ['from: 10.0.0.1/8', 'rules[0].from: 10.0.0.1/8 has bits behind its prefix; the network is 10.0.0.0/8'],
    ['from: 10.0.0.0/8, to: "::/0"', 'rules[0]: `from` and `to` are of two families'],
    [
      'mark: 4294967296',
      'rules[0].mark: 4294967296 is not a firewall mark, alone or with its mask, such as 0x10/0xff',
    ],
    ['mark: "9999999999"', 'rules[0].mark: more than 0xffffffff'],
    ['mark: 0x10/0x0f', 'rules[0].mark: the mask covers a part of the mark'],
  ] as const;
  for (const [keys, expected] of rows)
    t.same(faults(`rules: [{ priority: 1, table: 7, ${keys} }]`), [expected], keys);
  t.same(faults('rules: [{ table: 7 }]'), ['rules[0].priority: missing; it must be there']);
  t.same(faults('rules: [{ priority: 1 }]'), ['rules[0].table: missing; it must be there']);
  t.same(faults('rules: [{ priority: 32766, table: 7 }]'), [
    'rules[0].priority: 32766 is not a whole number from 1 to 32765',
  ]);
});
