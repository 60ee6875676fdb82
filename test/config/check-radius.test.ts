/** What the keys of radius checks come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { faultsOf, outside, serverOf } from './given.js';

const target = { address: '192.0.2.2', port: 1812 };
const deps = outside({}, { '/s': 'xyzzy5461\n' });

function probeOf(keys: string): ProbeSpec {
  const lines = `address: 192.0.2.1:1812\nprotocol: udp\ncheck: { type: radius, ${keys} }\nservers: [192.0.2.2]`;
  return serverOf(lines, deps).checks[0].probe;
}

t.test('a login, or Status-Server', async (t) => {
  t.same(probeOf(`user: probe, password: letmein, secret: '\${file:/s}'`), {
    type: 'radius',
    target,
    secret: 'xyzzy5461',
    login: { user: 'probe', password: 'letmein' },
    rejectPasses: false,
  });
  t.match(probeOf('user: probe, password: x, secret: s, reject-passes: true'), { rejectPasses: true });
  t.match(probeOf('status-server: true, secret: s'), { login: undefined, rejectPasses: false });
  t.match(probeOf(`user: ${'ü'.repeat(126)}, password: ${'p'.repeat(128)}, secret: s`), { secret: 's' });
});

t.test('what is wrong with them', async (t) => {
  const rows = [
    ['user: a, password: b', /check: a radius check needs the `secret` that the server shares with us/],
    ['secret: s', /check: a radius check needs a `user` who logs in, or `status-server: true`/],
    ['user: a, secret: s', /user: the user a has no `password`/],
    ['password: a, secret: s', /password: there is no `user`/],
    ['status-server: true, user: a, password: b, secret: s', /user: with `status-server` nobody logs in/],
    [
      'status-server: true, reject-passes: true, secret: s',
      /reject-passes: with `status-server` nobody logs in/,
    ],
    [`user: ${'ü'.repeat(127)}, password: b, secret: s`, /user: RADIUS carries at most 253 bytes of it/],
    [`user: a, password: ${'p'.repeat(129)}, secret: s`, /password: RADIUS carries at most 128 bytes of it/],
    [`user: a, password: b, secret: '\${file:/none}'`, /secret: the secret's file \/none does not exist/],
  ] as const;
  for (const [keys, words] of rows) {
    const faults = faultsOf(
      `services: { web: { address: '192.0.2.1:1812', protocol: udp, check: { type: radius, ${keys} }, servers: [192.0.2.2] } }`,
      deps,
    );
    t.equal(faults.length, 1, keys);
    t.match(faults[0], words);
  }
});
