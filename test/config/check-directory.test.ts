/** Directories: what the keys of their checks come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { faultsOf, serverOf } from './given.js';

const target = { address: '192.0.2.2', port: 389 };

function probeOf(check: string): ProbeSpec {
  return serverOf(`address: 192.0.2.1:389\ncheck: ${check}\nservers: [192.0.2.2]`).checks[0].probe;
}

t.test('ldap', async (t) => {
  const bare = { type: 'ldap', target, login: undefined, search: undefined, tls: undefined };
  t.same(probeOf('{ type: ldap }'), bare);
  t.match(probeOf("{ type: ldap, base: 'dc=a' }"), {
    search: { base: 'dc=a', scope: 'base', filter: '(objectClass=*)', entriesMin: 1 },
  });
  const keys = "user: 'cn=a', password: x, base: 'dc=a', scope: sub, filter: '(uid=b)', minimum-entries: 3";
  t.match(probeOf(`{ type: ldap, ${keys}, tls: starttls }`), {
    login: { user: 'cn=a', password: 'x' },
    search: { base: 'dc=a', scope: 'sub', filter: '(uid=b)', entriesMin: 3 },
    tls: { start: 'starttls' },
  });
});

t.test('what is wrong with them', async (t) => {
  const rows = [
    ['filter: uid=a, base: dc=a', /filter: "uid=a" is not a filter in parentheses/],
    ['scope: sub', /scope: there is no `base` to search at/],
    ['user: cn=a', /user: the user cn=a has no `password`/],
  ] as const;
  for (const [keys, words] of rows) {
    const check = `{ type: ldap, ${keys} }`;
    const faults = faultsOf(
      `services: { web: { address: '192.0.2.1:389', check: ${check}, servers: [192.0.2.2] } }`,
    );
    t.equal(faults.length, 1, keys);
    t.match(faults[0], words);
  }
});
