import fc from 'fast-check';
import t from 'tap';
import { addressesOf, BLOCK_MAX, parseAddressBlock } from '../../src/config/address-block.js';
import { compareIp, ip, ipBytes, ipFromBytes } from '../../src/core/ip.js';

function addresses(text: string): string {
  const parsed = parseAddressBlock(text);
  if (!parsed.ok) return parsed.problem;
  const { port } = parsed.value;
  return `${addressesOf(parsed.value).join(' ')} :${port ?? ''}`;
}

/** [text, its addresses and its port, or what is wrong] */
const ROWS: readonly (readonly [string, string])[] = [
  ['192.0.2.1:80', '192.0.2.1 :80'],
  ['192.0.2.1', '192.0.2.1 :'],
  ['[2001:DB8::1]:80', '2001:db8::1 :80'],
  ['2001:db8::1', '2001:db8::1 :'],
  ['192.0.2.9-11:80', '192.0.2.9 192.0.2.10 192.0.2.11 :80'],
  ['192.0.2.9-9:80', '192.0.2.9 :80'],
  ['192.0.2.254-192.0.3.1:0', '192.0.2.254 192.0.2.255 192.0.3.0 192.0.3.1 :0'],
  ['255.255.255.254-255:80', '255.255.255.254 255.255.255.255 :80'],
  ['255.255.255.254/31:80', '255.255.255.254 255.255.255.255 :80'],
  ['0.0.0.0-1:80', '0.0.0.0 0.0.0.1 :80'],
  ['192.0.2.64/30:443', '192.0.2.64 192.0.2.65 192.0.2.66 192.0.2.67 :443'],
  ['192.0.2.7/32:443', '192.0.2.7 :443'],
  ['192.0.2.4-5', '192.0.2.4 192.0.2.5 :'],
  ['[2001:db8::fffe-2001:db8::1:1]:80', '2001:db8::fffe 2001:db8::ffff 2001:db8::1:0 2001:db8::1:1 :80'],
  ['[2001:db8::9-B]:80', '2001:db8::9 2001:db8::a 2001:db8::b :80'],
  ['[2001:db8::a0/126]:53', '2001:db8::a0 2001:db8::a1 2001:db8::a2 2001:db8::a3 :53'],
  [
    '[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127]:1',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff :1',
  ],
  ['2001:db8::1-2', '2001:db8::1 2001:db8::2 :'],
  ['192.0.2.9-8:80', 'the range 192.0.2.9-8 runs backwards'],
  ['192.0.2.9-256:80', '"256" is not the end of a range that begins with 192.0.2.9'],
  ['192.0.2.9-0009:80', '"0009" is not the end of a range that begins with 192.0.2.9'],
  ['192.0.2.9-:80', '"" is not the end of a range that begins with 192.0.2.9'],
  ['192.0.2.9-11-12:80', '"11-12" is not the end of a range that begins with 192.0.2.9'],
  ['192.0.2.9-2001:db8::1', '"2001:db8::1" is not the end of a range that begins with 192.0.2.9'],
  ['[2001:db8::1-192.0.2.1]:80', '"192.0.2.1" is not the end of a range that begins with 2001:db8::1'],
  ['[2001:db8::1-10000]:80', '"10000" is not the end of a range that begins with 2001:db8::1'],
  ['192.0.2-9:80', '"192.0.2" is not an address'],
  ['192.0.2.65/28:80', '192.0.2.65/28 has bits behind its prefix; the network is 192.0.2.64/28'],
  ['192.0.2.64/33:80', '/33 is more than /32'],
  ['192.0.2.64/:80', '"192.0.2.64/" is not an address with its prefix length'],
  ['10.0.0.0/19:80', '10.0.0.0/19 has 8192 addresses; a service has at most 4096'],
  ['10.0.0.0-10.0.16.0:80', '10.0.0.0-10.0.16.0 has 4097 addresses; a service has at most 4096'],
  ['[::/0]:80', `::/0 has ${2n ** 128n} addresses; a service has at most 4096`],
  ['192.0.2.9-11:65536', '65536 is not a port (0 to 65535)'],
  ['192.0.2.64/28:http', '"http" is not a port (0 to 65535)'],
  [
    'my-vip.example.org:80',
    '"my-vip.example.org:80" holds a name; names are not looked up, write the address',
  ],
  ['', '"" is not an address'],
];

for (const [text, expected] of ROWS)
  t.test(`the block "${text}"`, async (t) => t.equal(addresses(text), expected));

t.test('the largest blocks are as large as a service may be', async (t) => {
  for (const text of ['10.0.0.0/20:80', '10.0.0.0-10.0.15.255:80', '[2001:db8::/116]:80']) {
    const parsed = parseAddressBlock(text);
    t.equal(parsed.ok && addressesOf(parsed.value).length, BLOCK_MAX, text);
  }
});

const bytes = (length: 4 | 16) => fc.uint8Array({ minLength: length, maxLength: length });
const address = fc.oneof(bytes(4), bytes(16)).map((raw) => ipFromBytes(raw));

function plus(from: string, by: number): string {
  const raw = ipBytes(ip(from));
  let value = 0n;
  for (const byte of raw) value = value * 256n + BigInt(byte);
  value += BigInt(by);
  const result = new Uint8Array(raw.length);
  for (let at = raw.length - 1; at >= 0; at -= 1) {
    result[at] = Number(value % 256n);
    value /= 256n;
  }
  return value > 0n ? from : ipFromBytes(result);
}

const inText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

t.test('law: a range is every address from its first to its last, once and in order', async () => {
  fc.assert(
    fc.property(address, fc.nat(300), fc.nat(65_535), (first, more, port) => {
      const last = plus(first, more);
      const parsed = parseAddressBlock(inText(`${first}-${last}`, port));
      if (!parsed.ok) return false;
      const all = addressesOf(parsed.value);
      const rising = all.every((one, index) => index === 0 || compareIp(all[index - 1] ?? one, one) < 0);
      const complete = all.length === (last === first ? 1 : more + 1);
      return rising && complete && all[0] === first && all.at(-1) === last && parsed.value.port === port;
    }),
  );
});

t.test('law: a network has each of its addresses, and no other', async () => {
  fc.assert(
    fc.property(address, fc.nat(8), (any, free) => {
      const raw = ipBytes(any);
      const mask = 0xff << free;
      raw[raw.length - 1] = (raw.at(-1) ?? 0) & mask;
      const network = ipFromBytes(raw);
      const parsed = parseAddressBlock(inText(`${network}/${raw.length * 8 - free}`, 80));
      if (!parsed.ok) return false;
      const all = addressesOf(parsed.value);
      const inside = all.every((one) => {
        const its = ipBytes(one);
        return ((its.at(-1) ?? 0) & mask) === raw.at(-1) && its.subarray(0, -1).every((b, i) => b === raw[i]);
      });
      return inside && new Set(all).size === 2 ** free && all.length === 2 ** free;
    }),
  );
});

t.test('law: no text makes it throw', async () => {
  const piece = fc.constantFrom(
    '192.0.2.1',
    '2001:db8::1',
    '-',
    '/',
    ':',
    '[',
    ']',
    '80',
    '24',
    '300',
    'x',
    '',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.string(), (pieces, noise) => {
      for (const text of [pieces.join(''), noise]) {
        const parsed = parseAddressBlock(text);
        if (parsed.ok && addressesOf(parsed.value).length !== parsed.value.count) return false;
      }
      return true;
    }),
  );
});
