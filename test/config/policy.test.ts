import t from 'tap';
import { serviceOf } from './given.js';

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
