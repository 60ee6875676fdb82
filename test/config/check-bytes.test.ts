/** send-expect, udp and smtp checks, and what TLS comes to: defaults, inheritance, secrets. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { faultsOf, outside, serverOf, serviceText } from './given.js';

const FILES = {
  '/ca.pem': '-----BEGIN CERTIFICATE-----\nA',
  '/c.pem': '-----BEGIN CERTIFICATE-----\nB',
  '/c.key': '-----BEGIN EC PRIVATE KEY-----\nC',
  '/locked.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nD',
};
const DEPS = outside({ PASSWORD: 's3cret' }, FILES);

function probeOf(check: string, server = '192.0.2.2'): ProbeSpec {
  return serverOf(`address: 192.0.2.1:25\ncheck: ${check}\nservers: [${server}]`, DEPS).checks[0].probe;
}

function faults(check: string): readonly string[] {
  const text = serviceText(`address: 192.0.2.1:25\ncheck: ${check}\nservers: [192.0.2.2]`);
  return faultsOf(text, DEPS).map((fault) => fault.replace(/^.*?: services\.web\.check/, ''));
}

const TARGET = { address: '192.0.2.2', port: 25 };
const SETTINGS = {
  serverName: undefined,
  verify: true,
  authorities: undefined,
  client: undefined,
  expiresWithin: undefined,
  alpn: [],
};

t.test('without words', async (t) => {
  t.same(probeOf('{ type: smtp }'), { type: 'smtp', target: TARGET, hello: 'director', tls: undefined });
  t.same(probeOf('{ type: udp }'), {
    type: 'udp',
    target: TARGET,
    payload: { form: 'text', value: 'lvsentry' },
    replyRequired: true,
    replyPattern: undefined,
  });
});

t.test('a host name that EHLO cannot carry is not said', async (t) => {
  const odd = { ...DEPS, hostName: 'my director' };
  const { probe } = serverOf('address: 192.0.2.1:25\ncheck: { type: smtp }\nservers: [192.0.2.2]', odd)
    .checks[0];
  t.match(probe, { hello: 'localhost' });
});

t.test('the steps of a dialogue, with a secret', async (t) => {
  const steps = `[{ send: "PASS \${env:PASSWORD}\\r\\n" }, { expect: ok }, { send-hex: '0d0A' }, { expect-hex: '0X' }, { expect-regex: '^a+$' }]`;
  t.same(probeOf(`{ type: send-expect, steps: ${steps} }`), {
    type: 'send-expect',
    target: TARGET,
    steps: [
      { kind: 'send', text: 'PASS s3cret\r\n' },
      { kind: 'expect', text: 'ok' },
      { kind: 'send-hex', hex: '0d0A' },
      { kind: 'expect-hex', pattern: '0X' },
      { kind: 'expect-regex', regex: '^a+$' },
    ],
    tls: undefined,
  });
});

t.test('everything of TLS', async (t) => {
  const keys =
    'server-name: a.example.org, authorities: /ca.pem, certificate: /c.pem, key: /c.key, expires-within: 14d';
  const settings = {
    ...SETTINGS,
    serverName: 'a.example.org',
    authorities: FILES['/ca.pem'],
    client: { certificate: FILES['/c.pem'], key: FILES['/c.key'] },
    expiresWithin: 14 * 86_400_000,
  };
  t.match(probeOf(`{ type: smtp, tls: starttls, ${keys} }`), { tls: { start: 'starttls', ...settings } });
  t.match(probeOf(`{ type: ftp, tls: implicit, ${keys} }`), { tls: { start: 'implicit', ...settings } });
  t.match(probeOf(`{ type: https, ${keys} }`), { tls: { ...settings, alpn: ['http/1.1'] } });
  const steps = 'steps: [{ expect: x }]';
  t.match(probeOf(`{ type: send-expect, tls: implicit, alpn: [a, b], ${steps} }`), {
    tls: { ...SETTINGS, alpn: ['a', 'b'] },
  });
  t.match(probeOf('{ type: smtp, tls: implicit, verify: false }'), { tls: { ...SETTINGS, verify: false } });
});

t.test('a server changes the form of the payload', async (t) => {
  const server = "{ address: 192.0.2.2, check: { payload-hex: '0a' } }";
  t.match(probeOf('{ type: udp, payload: a }', server), { payload: { form: 'hex', value: '0a' } });
});

t.test('what does not go together', async (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['{ type: smtp, verify: false }', '.verify: it means nothing without `tls`'],
    ['{ type: ftp, tls: none, expires-within: 14d }', '.expires-within: it means nothing without `tls`'],
    ['{ type: smtp, tls: implicit, certificate: /c.pem }', '.certificate: its `key` is missing'],
    ['{ type: smtp, tls: implicit, key: /c.key }', '.key: there is no `certificate` that it is the key of'],
    [
      '{ type: smtp, tls: implicit, certificate: /c.pem, key: /locked.key }',
      '.key: /locked.key holds no private key without a passphrase in PEM form',
    ],
    [
      '{ type: smtp, tls: implicit, certificate: /c.key, key: /c.key }',
      '.certificate: /c.key holds no certificate in PEM form',
    ],
    [
      '{ type: send-expect, steps: [{ expect-regex: "a(?=b)" }] }',
      '.steps[0].expect-regex: the regex uses "(?", of which only "(?:" is known (at character 2)',
    ],
    [
      `{ type: send-expect, steps: [{ send: "\${env:NONE}" }] }`,
      '.steps[0].send: the environment variable NONE is not set',
    ],
  ];
  for (const [check, fault] of rows) t.same(faults(check), [fault], check);
});

t.test('what is sent never stands in a fault', async (t) => {
  const text = faults('{ type: send-expect, steps: [{ send: 7 }, { send: s3cret, expect: b }] }').join();
  t.not(text, '');
  t.notMatch(text, /s3cret/);
});

t.test('every regex that does not compile is told, each where it stands', async (t) => {
  const check = "{ type: http, matches: '(a', expect-headers: { X-A: '(b', X-B: fine, X-C: 'c)' } }";
  t.same(
    faults(check).map((fault) => /^\.([^:]+): the regex/.exec(fault)?.[1]),
    ['matches', 'expect-headers.X-A', 'expect-headers.X-C'],
  );
});
