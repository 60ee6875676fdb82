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
    one.fallback.map((tier) => tier.map(({ name, check }) => [name, check?.id, check?.rule.fall])),
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
