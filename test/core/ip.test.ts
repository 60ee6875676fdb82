import t from 'tap';
import { compareIp, ip, ipBytes, ipFamily, ipFromBytes, isLinkLocal, parseIp } from '../../src/core/ip.js';

const CANONICAL: readonly (readonly [string, string | undefined])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['256.0.0.1', undefined],
  ['01.2.3.4', undefined],
  ['1.2.3', undefined],
  ['1.2.3.4.5', undefined],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['12345::', undefined],
  ['fe80::1%eth0', undefined],
  [':::', undefined],
  [':1', undefined],
  ['', undefined],
  ['localhost', undefined],
];

t.test('an address is made canonical or refused', async (t) => {
  for (const [text, expected] of CANONICAL) t.equal(parseIp(text), expected, text);
});

t.test('bytes and text are each other’s inverse', async (t) => {
  for (const [, text] of CANONICAL) {
    if (text === undefined) continue;
    t.equal(ipFromBytes(ipBytes(ip(text))), text);
    t.equal(ipBytes(ip(text)).length, ipFamily(ip(text)) === 'ipv4' ? 4 : 16);
  }
  t.throws(() => ipFromBytes(new Uint8Array(5)), { code: 'MALFORMED' });
  t.throws(() => ip('nonsense'), { code: 'MALFORMED' });
});

t.test('addresses are ordered as unsigned numbers in network order, not as text', async (t) => {
  const ascending = ['9.0.0.1', '10.0.0.1', '10.0.0.2', '200.0.0.1', '::1', 'fe80::9', 'fe80::10', 'ff02::1'];
  for (const [at, lower] of ascending.entries())
    for (const [other, higher] of ascending.entries())
      t.equal(Math.sign(compareIp(ip(lower), ip(higher))), Math.sign(at - other), `${lower} ${higher}`);
});

t.test('link-local is fe80::/10 (RFC 4291 2.5.6)', async (t) => {
  for (const text of ['fe80::1', 'febf::1']) t.ok(isLinkLocal(ip(text)), text);
  for (const text of ['fec0::1', 'fe8::1', '2001:db8::fe80', '169.254.0.1'])
    t.notOk(isLinkLocal(ip(text)), text);
});
