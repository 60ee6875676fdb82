/** Databases: what the keys of their checks come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { faultsOf, outside, serverOf } from './given.js';

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

t.test('mysql and postgres', async (t) => {
  for (const type of ['mysql', 'postgres'] as const) {
    const basics = { type, target, user: 'probe', password: undefined, database: undefined, role: 'any' };
    const least = { ...basics, statement: undefined, maxLag: undefined, tls: undefined };
    t.same(probeOf(`{ type: ${type}, user: probe }`), least);
    const keys = `password: "\${env:PASSWORD}", database: 7, sql: SELECT 1, sql-value: '1', tls: starttls`;
    t.match(probeOf(`{ type: ${type}, user: probe, ${keys}, role: replica, maximum-lag: 1m }`), {
      password: 's3cret',
      database: '7',
      statement: { sql: 'SELECT 1', value: '1' },
      tls: { start: 'starttls' },
      role: 'replica',
      maxLag: 60_000,
    });
  }
});

t.test('a kind whose package is not installed is refused, by the name of the package', async (t) => {
  const rows = [
    ['mysql', 'mysql2'],
    ['postgres', 'pg'],
    ['ldap', 'ldapts'],
  ] as const;
  for (const [type, name] of rows) {
    const text = (check: string): string =>
      `services: { web: { address: '192.0.2.1:1', check: ${check}, servers: [192.0.2.2] } }`;
    const without = { ...DEPS, hasPackage: (other: string) => other !== name };
    const [fault, ...more] = faultsOf(text(`{ type: ${type}, user: probe, password: x }`), without);
    t.match(
      fault,
      `services.web.check.type: it needs the package ${name}, which is not installed: npm install ${name}`,
    );
    t.same(more, []);
    t.same(faultsOf(text('{ type: redis }'), { ...DEPS, hasPackage: () => false }), [], 'others need none');
  }
});
