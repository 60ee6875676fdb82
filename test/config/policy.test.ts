import t from 'tap';
import { configOf, serviceOf } from './given.js';

t.test('a service says how much it needs, who stands in, and how servers come back', async (t) => {
  const one = serviceOf(`
address: 192.168.2.254:80
quorum: { weight: 2 }
admit: { curve: exponential, ramp: 90s }
fallback:
  - [192.168.2.21, { name: spare, address: 192.168.2.22, check: { fall: 2 } }]
  - 127.0.0.1
servers: [192.168.2.2, 192.168.2.3]
`);
  t.same(one.quorum, { weight: 2, hysteresis: 0 });
  t.same(one.admit, { canary: 1, ramp: 90_000, curve: 'exponential' });
  t.same(
    one.fallback.map((tier) => tier.map(({ name, checks: [check] }) => [name, check?.id, check?.rule.fall])),
    [
      [
        ['192.168.2.21:80', undefined, undefined],
        ['spare', 'web/spare', 2],
      ],
      [['127.0.0.1:80', undefined, undefined]],
    ],
  );
  const alone = serviceOf('address: 192.168.2.254:80\nfallback: 192.168.2.21\nservers: [192.168.2.2]');
  t.same(
    alone.fallback.map((tier) => tier.map(({ name }) => name)),
    [['192.168.2.21:80']],
  );
  t.same([alone.quorum, alone.admit], [{ weight: 1, hysteresis: 0 }, undefined]);
});

t.test('a service has rails of its own, else those of `defaults` as far as it goes', async (t) => {
  const { services } = configOf(`
defaults: { minimum-healthy: 3, maximum-removals: 4 }
services:
  small: { address: 192.168.2.254:80, servers: [192.168.2.2, { address: 192.168.2.3, weight: 0 }] }
  free: { address: 192.168.2.254:81, minimum-healthy: 0, maximum-removals: none, servers: [192.168.2.2] }
  half: { address: 192.168.2.254:82, minimum-healthy: 50%, maximum-removals: 1, servers: [192.168.2.2] }
`);
  t.same(
    services.map(({ rails }) => rails),
    [
      { minimum: { kind: 'count', count: 1 }, maximumRemovals: 4 },
      { minimum: undefined, maximumRemovals: undefined },
      { minimum: { kind: 'share', percent: 50 }, maximumRemovals: 1 },
    ],
  );
  t.same(serviceOf('address: 192.168.2.254:80\nservers: [192.168.2.2]').rails, {
    minimum: undefined,
    maximumRemovals: undefined,
  });
});

t.test('most servers failing at once: what counts, what is done, and who is asked', async (t) => {
  const { massFailure } = configOf(`
defaults: { check: { type: http, interval: 9s } }
services: {}
mass-failure:
  share: 75%
  minimum: 3
  within: 2s
  do: open
  for: 30s
  canaries:
    - 192.168.2.1:22
    - { name: peer, address: '2001:db8::2', check: { port: 80, type: http, interval: 500ms, timeout: 300ms } }
`);
  const { canaries, ...rule } = massFailure ?? { canaries: [] };
  t.same(rule, { percent: 75, minimum: 3, within: 2000, action: 'open', limit: 30_000 });
  t.match(canaries, [
    {
      name: '192.168.2.1:22',
      check: {
        id: '/canary/192.168.2.1:22',
        tellsPasses: true,
        rule: { interval: 2000 },
        probe: { type: 'tcp' },
      },
    },
    {
      name: 'peer',
      check: { id: '/canary/peer', rule: { interval: 500 }, probe: { type: 'http', target: { port: 80 } } },
    },
  ]);
  t.same(configOf('services: {}\nmass-failure: {}').massFailure, {
    percent: 60,
    minimum: 4,
    within: 1000,
    action: 'hold',
    limit: undefined,
    canaries: [],
  });
  t.equal(configOf('services: {}').massFailure, undefined);
});
