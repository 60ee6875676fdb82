import t from 'tap';
import { ip, ipBytes, ipFamily, ipFromBytes, parseIp } from '../../src/core/ip.js';

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
