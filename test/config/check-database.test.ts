/** Databases: what the keys of their checks come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { outside, serverOf } from './given.js';

const DEPS = outside({ PASSWORD: 's3cret' });
const target = { address: '192.0.2.2', port: 6379 };

function probeOf(check: string): ProbeSpec {
  return serverOf(`address: 192.0.2.1:6379\ncheck: ${check}\nservers: [192.0.2.2]`, DEPS).checks[0].probe;
}

t.test('redis', async (t) => {
  const basics = { type: 'redis', target, login: undefined, database: 0, role: 'any' };
  t.same(probeOf('{ type: redis }'), { ...basics, maxLag: undefined, tls: undefined });
  const password = `password: "\${env:PASSWORD}"`;
  t.match(probeOf(`{ type: redis, ${password} }`), { login: { user: undefined, password: 's3cret' } });
  t.match(
    probeOf(`{ type: redis, user: probe, ${password}, database: 7, role: replica, maximum-lag: 30s }`),
    {
      login: { user: 'probe', password: 's3cret' },
      database: 7,
      role: 'replica',
      maxLag: 30_000,
    },
  );
  t.match(probeOf('{ type: redis, tls: implicit, verify: false }'), {
    tls: { start: 'implicit', verify: false },
  });
});
