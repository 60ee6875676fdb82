/** Checks that go through their service: where their packets go, and by which way. */
import t from 'tap';
import type { Check } from '../../src/checks/model.js';
import { configOf, faultsOf, serverOf, serviceOf } from './given.js';

function aimText({ probe: { target }, through }: Check): string {
  if (through === undefined) return `${target.address}:${target.port}`;
  const { key, settings } = through.dest;
  const from = target.origin?.source === undefined ? '' : ` from ${target.origin.source}`;
  return `${target.address}:${target.port}${from} ${settings.forward.method} ${key.address}:${key.port} ${through.family}`;
}

const ROWS: readonly (readonly [service: string, server: string, expected: string])[] = [
  ['address: 192.0.2.1:80', '192.0.2.9', '192.0.2.1:80 direct 192.0.2.9:0 ipv4'],
  ['address: 192.0.2.1:80\nforward: tunnel', '192.0.2.9', '192.0.2.1:80 tunnel 192.0.2.9:0 ipv4'],
  // Masquerading goes to the server's own port, and a port that the check says is the server's.
  [
    'address: 192.0.2.1:80\nforward: masquerade',
    '192.0.2.9:8080',
    '192.0.2.1:80 masquerade 192.0.2.9:8080 ipv4',
  ],
  [
    'address: 192.0.2.1:80\nforward: masquerade',
    '{ address: 192.0.2.9:8080, check: { port: 81 } }',
    '192.0.2.1:81 masquerade 192.0.2.9:0 ipv4',
  ],
  [
    'address: 192.0.2.1:80',
    '{ address: 192.0.2.9, check: { source: 192.0.2.5 } }',
    '192.0.2.1:80 from 192.0.2.5 direct 192.0.2.9:0 ipv4',
  ],
  [
    'addresses: [{ fwmark: 7 }, "192.0.2.1:80", "192.0.2.2:81"]',
    '192.0.2.9',
    '192.0.2.1:80 direct 192.0.2.9:0 ipv4',
  ],
  [
    'addresses: ["192.0.2.1:80", "[2001:db8::1]:81"]\nforward: tunnel',
    '"2001:db8::9"',
    '[2001:db8::1]:81 tunnel 2001:db8::9:0 ipv6',
  ],
  ['address: 192.0.2.1:80', '{ address: 192.0.2.9, check: { through: server } }', '192.0.2.9:80'],
];

t.test('what is probed, and the server behind it', async (t) => {
  for (const [service, server, expected] of ROWS) {
    const lines = `${service}\ncheck: { type: tcp, through: service }\nservers: [${server}]`;
    const [first] = serviceOf(lines).servers;
    const text = first === undefined ? 'no server' : aimText(first.checks[0]);
    t.equal(text.replace('2001:db8::1:81', '[2001:db8::1]:81'), expected, `${service} ${server}`);
  }
});

t.test('before somebody has prepared its way nothing can be sent', async (t) => {
  const [check] = serverOf(
    'address: 192.0.2.1:80\ncheck: { type: http, through: service }\nservers: [192.0.2.9]',
  ).checks;
  t.match(check.probe.target.origin?.blocked, /^the way to the server .* is not prepared yet$/);
  t.equal(check.probe.target.origin?.mark, undefined);
});

const WEB = 'services:\n  web:\n    address: 192.0.2.1:80\n';

t.test('marks of services are refused only where they are needed', async (t) => {
  const marked = '  other: { fwmark: 1280704512, servers: ["192.0.2.9:80"] }\n';
  const plain = '    servers: [192.0.2.9]\n';
  const through = `    check: { type: tcp, through: service }\n${plain}`;
  t.same(faultsOf(`${WEB}${plain}${marked}`), []);
  t.match(faultsOf(`${WEB}${through}${marked}`), [/other\.fwmark: 1280704512 is among the marks/]);
  t.same(faultsOf(`path-marks: 5\n${WEB}${through}${marked}`), []);
  t.equal(configOf(`path-marks: 5\n${WEB}${through}`).pathMarks, 5);
  t.equal(configOf(`${WEB}${through}`).pathMarks, 0x4c560000);
});

t.test('a source of another family, and a canary, are refused', async (t) => {
  t.match(
    faultsOf(
      `${WEB}    check: { type: tcp, through: service, source: "2001:db8::5" }\n    servers: [192.0.2.9]\n`,
    ),
    [/2001:db8::5 is ipv6, and 192\.0\.2\.1, which is probed, is ipv4/],
  );
  t.match(
    faultsOf(
      `mass-failure: { canaries: [{ address: 192.0.2.8:22, check: { through: service } }] }\n${WEB}    servers: [192.0.2.9]\n`,
    ),
    [/a canary belongs to no service/],
  );
});
