/** Mailboxes, caches, handshakes, names, time and calls: what their keys come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { outside, serverOf } from './given.js';

const DEPS = outside({ PASSWORD: 's3cret' });
const target = { address: '192.0.2.2', port: 25 };

function probeOf(check: string): ProbeSpec {
  return serverOf(`address: 192.0.2.1:25\ncheck: ${check}\nservers: [192.0.2.2]`, DEPS).checks[0].probe;
}

t.test('without words', async (t) => {
  for (const type of ['pop3', 'imap', 'nntp'] as const)
    t.same(probeOf(`{ type: ${type} }`), { type, target, login: undefined, tls: undefined });
  t.same(probeOf('{ type: memcached }'), { type: 'memcached', target });
  t.match(probeOf('{ type: tls }'), { type: 'tls', target, tls: { verify: true, alpn: [] } });
  t.same(probeOf('{ type: dns }'), {
    type: 'dns',
    target,
    transport: 'udp',
    name: '.',
    record: 6,
    rcode: 0,
    answer: undefined,
  });
  t.same(probeOf('{ type: ntp }'), { type: 'ntp', target, maxStratum: 15 });
  t.same(probeOf('{ type: sip }'), { type: 'sip', target, transport: 'udp', status: [[200, 299]] });
});

t.test('with all of them', async (t) => {
  const login = { user: 'probe', password: 's3cret' };
  const keys = `user: probe, password: "\${env:PASSWORD}", tls: starttls`;
  t.match(probeOf(`{ type: imap, ${keys} }`), { login, tls: { start: 'starttls' } });
  t.match(
    probeOf('{ type: dns, record: MX, query: a.example, rcode: NXDOMAIN, transport: tcp, answer: 10 b }'),
    {
      record: 15,
      name: 'a.example',
      rcode: 3,
      transport: 'tcp',
      answer: '10 b',
    },
  );
  t.match(probeOf('{ type: dns, record: TYPE65280 }'), { record: 65_280 });
  t.match(probeOf("{ type: dns, record: AAAA, answer: '2001:DB8:0::1' }"), { answer: '2001:db8::1' });
  t.match(probeOf('{ type: ntp, maximum-stratum: 3 }'), { maxStratum: 3 });
  t.match(probeOf('{ type: sip, transport: tcp, status: [200, 404] }'), {
    transport: 'tcp',
    status: [
      [200, 200],
      [404, 404],
    ],
  });
});
