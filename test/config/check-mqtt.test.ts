/** What the keys of mqtt checks come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { faultsOf, serverOf } from './given.js';

const target = { address: '192.0.2.2', port: 1883 };

function probeOf(check: string): ProbeSpec {
  return serverOf(`address: 192.0.2.1:1883\ncheck: ${check}\nservers: [192.0.2.2]`).checks[0].probe;
}

t.test('mqtt', async (t) => {
  const bare = { type: 'mqtt', target, level: 4, clientId: undefined, login: undefined };
  t.same(probeOf('{ type: mqtt }'), { ...bare, ping: false, tls: undefined });
  t.match(probeOf('{ type: mqtt, mqtt-version: v3.1.1 }'), { level: 4 });
  const keys = 'mqtt-version: v5, client-id: me, user: a, password: b, ping: true, tls: implicit';
  t.match(probeOf(`{ type: mqtt, ${keys} }`), {
    level: 5,
    clientId: 'me',
    login: { user: 'a', password: 'b' },
    ping: true,
    tls: { start: 'implicit' },
  });
});

t.test('what is wrong with them', async (t) => {
  const rows = [
    ['mqtt-version: 5', /mqtt-version: .* v3\.1\.1, v5/],
    ['user: a', /user: the user a has no `password`/],
    ['tls: starttls', /tls: MQTT has no STARTTLS/],
    ['verify: false', /verify: it means nothing without `tls`/],
  ] as const;
  for (const [keys, words] of rows) {
    const check = `{ type: mqtt, ${keys} }`;
    const faults = faultsOf(
      `services: { web: { address: '192.0.2.1:1883', check: ${check}, servers: [192.0.2.2] } }`,
    );
    t.equal(faults.length, 1, keys);
    t.match(faults[0], words);
  }
});
