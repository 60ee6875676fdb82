/** Addresses, endpoints and listeners as text. */
import fc from 'fast-check';
import t from 'tap';
import { type Endpoint, parseEndpoint, parseListen, unusable } from '../../src/config/endpoint.js';
import { endpointText, ip, ipFromBytes } from '../../src/core/ip.js';

const at = (address: string, port?: number): Endpoint => ({ address: ip(address), port });

/** [text, endpoint or what is wrong] */
const ENDPOINTS: readonly (readonly [string, Endpoint | string])[] = [
  ['192.0.2.1', at('192.0.2.1')],
  ['192.0.2.1:0', at('192.0.2.1', 0)],
  ['192.0.2.1:65535', at('192.0.2.1', 65_535)],
  ['192.0.2.1:080', at('192.0.2.1', 80)],
  ['2001:DB8::1', at('2001:db8::1')],
  ['[2001:db8::1]', at('2001:db8::1')],
  ['[2001:db8::1]:80', at('2001:db8::1', 80)],
  ['::ffff:192.0.2.1', at('::ffff:c000:201')],
  ['192.0.2.1:65536', '65536 is not a port (0 to 65535)'],
  ['192.0.2.1:', '"" is not a port (0 to 65535)'],
  ['192.0.2.1:-1', '"-1" is not a port (0 to 65535)'],
  ['192.0.2.1:http', '"http" is not a port (0 to 65535)'],
  ['192.0.2.1:1e3', '"1e3" is not a port (0 to 65535)'],
  ['192.0.2.1:80:80', '"80:80" is not a port (0 to 65535)'],
  ['[2001:db8::1]80', '"[2001:db8::1]80" is not an address'],
  ['[2001:db8::1', '"[2001:db8::1" is not an address'],
  ['2001:db8::1:80:90:100:110:120', '"2001:db8::1:80:90:100:110:120" is not an address'],
  ['192.0.2', '"192.0.2" is not an address'],
  ['', '"" is not an address'],
  [' 192.0.2.1', '" 192.0.2.1" is not an address'],
  ['192.0.2.1/32', '"192.0.2.1/32" is not an address; leave the prefix length out'],
  ['localhost', '"localhost" holds a name; names are not looked up, write the address'],
  ['www.example.org:80', '"www.example.org:80" holds a name; names are not looked up, write the address'],
];

t.test('an endpoint is an address, with or without a port', async (t) => {
  for (const [text, expected] of ENDPOINTS) {
    const parsed = parseEndpoint(text);
    t.same(parsed.ok ? parsed.value : parsed.problem, expected, JSON.stringify(text));
  }
});

t.test('what is written as an endpoint is read as the same endpoint', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 65_535 }), (raw, port) => {
      const address = ipFromBytes(raw);
      t.same(parseEndpoint(endpointText(address, port)), { ok: true, value: { address, port } });
      t.same(parseEndpoint(address), { ok: true, value: { address, port: undefined } });
    }),
    { numRuns: 50 },
  );
});

const USABLE = [
  '192.0.2.1',
  '10.0.0.0',
  '127.0.0.1',
  '223.255.255.255',
  '240.0.0.1',
  '2001:db8::1',
  '::1',
  'fd00::1',
  'fec0::1',
];
const UNUSABLE = [
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  '::',
  'ff02::1',
  'fe80::1',
  'febf::1',
];

t.test('a VIP or a server has a unicast address that names its own way', async (t) => {
  for (const text of USABLE) t.equal(unusable(ip(text)), undefined, text);
  for (const text of UNUSABLE) t.type(unusable(ip(text)), 'string', text);
});

/** [text, listener or the beginning of what is wrong] */
const LISTENERS: readonly (readonly [string, object | string])[] = [
  ['127.0.0.1:8405', { kind: 'tcp', host: '127.0.0.1', port: 8405 }],
  ['127.1.2.3:1', { kind: 'tcp', host: '127.1.2.3', port: 1 }],
  ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
  ['unix:/run/lvsentry.sock', { kind: 'unix', path: '/run/lvsentry.sock' }],
  [`unix:/${'x'.repeat(106)}`, { kind: 'unix', path: `/${'x'.repeat(106)}` }],
  [`unix:/${'x'.repeat(107)}`, 'the path is longer than 107 characters'],
  ['unix:', '"unix:" needs an absolute path'],
  ['192.168.2.1:8405', '192.168.2.1 is not on loopback; the API has no authentication yet'],
  ['[::]:8405', ':: is not on loopback; the API has no authentication yet'],
  ['[::ffff:127.0.0.1]:8405', '::ffff:7f00:1 is not on loopback'],
  ['localhost:8405', '"localhost:8405" holds a name'],
  ['8405', '"8405" is not an address'],
  ['127.0.0.1', '"127.0.0.1" has no port'],
];

t.test('the API listens on loopback or a unix socket, and on nothing else', async (t) => {
  for (const [text, expected] of LISTENERS) {
    const parsed = parseListen(text);
    if (typeof expected === 'string') t.ok(!parsed.ok && parsed.problem.startsWith(expected), text);
    else t.same(parsed, { ok: true, value: expected }, text);
  }
});
