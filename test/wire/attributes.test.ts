import t from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import {
  AttributeReader,
  NLA,
  putBytes,
  putFlag,
  putI32le,
  putNest,
  putText,
  putU8,
  putU16be,
  putU16le,
  putU32be,
  putU32le,
  putU64le,
} from '../../src/wire/attributes.js';
import { beginMessage } from '../../src/wire/netlink.js';
import { fromHex } from './vectors.js';

t.test('attributes of every type come back as they were written', async (t) => {
  const writer = new ByteWriter();
  putU8(writer, 1, 0xfe);
  putU16le(writer, 2, 0xfedc);
  putU16be(writer, 3, 0xfedc);
  putU32le(writer, 4, 0xfedcba98);
  putU32be(writer, 5, 0xfedcba98);
  putU64le(writer, 6, 0xfedcba9876543210n);
  putI32le(writer, 11, -2);
  putText(writer, 7, 'br-é');
  putFlag(writer, 8);
  putBytes(writer, 9 | NLA.F_NET_BYTEORDER, Uint8Array.of(1, 2, 3, 4, 5));
  putNest(writer, 10 | NLA.F_NESTED, (inner) => putNest(inner, 1, (deep) => putU8(deep, 2, 3)));
  const bytes = writer.finish();
  t.equal(bytes.length % 4, 0);
  const reader = AttributeReader.over(bytes);
  const reads: (() => unknown)[] = [
    () => reader.u8(),
    () => reader.u16le(),
    () => reader.u16be(),
    () => reader.u32le(),
    () => reader.u32be(),
    () => reader.u64le(),
    () => reader.i32le(),
    () => reader.text(),
    () => reader.size,
    () => [reader.flags, ...reader.bytes()],
  ];
  const values = reads.map((read) => reader.next() && read());
  t.strictSame(values, [
    ...[0xfe, 0xfedc, 0xfedc, 0xfedcba98, 0xfedcba98, 0xfedcba9876543210n, -2, 'br-é', 0],
    [NLA.F_NET_BYTEORDER, 1, 2, 3, 4, 5],
  ]);
  t.equal(reader.next(), true);
  t.strictSame([reader.type, reader.flags], [10, NLA.F_NESTED]);
  const outer = reader.nested();
  t.equal(outer.next(), true);
  const inner = outer.nested();
  t.equal(inner.next(), true);
  t.strictSame([inner.type, inner.u8()], [2, 3]);
  t.notOk(inner.next() || outer.next() || reader.next(), 'nothing follows');
});

t.test('an attribute of the wrong size is refused, never widened or cut', async (t) => {
  const bytes = fromHex('0600010001020000' + '0800020001020304');
  const reader = AttributeReader.over(bytes);
  reader.next();
  t.throws(() => reader.u32le(), { code: 'TRUNCATED', facts: { need: 4, have: 2, offset: 4 } });
  t.throws(() => reader.u8(), { code: 'MALFORMED' });
  t.throws(() => reader.u64le(), { code: 'TRUNCATED' });
  reader.next();
  t.equal(reader.u32be(), 0x01020304);
});

t.test('broken attributes are refused', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['three bytes', '040001', 'TRUNCATED'],
    ['a length below the header', '03000100', 'MALFORMED'],
    ['a length of 0 would loop for ever', '00000000', 'MALFORMED'],
    ['longer than what is left', '0900010001020304', 'TRUNCATED'],
  ];
  for (const [name, hex, code] of cases) {
    t.throws(() => AttributeReader.over(fromHex(hex)).next(), { code }, name);
  }
  t.throws(() => AttributeReader.over(new Uint8Array(3), 4), { code: 'TRUNCATED' });
  t.notOk(AttributeReader.over(new Uint8Array(4), 4).next());
});

t.test('a nest cannot reach beyond itself', async (t) => {
  // The nest holds 4 bytes: an inner header that claims 8 would read its neighbour.
  const reader = AttributeReader.over(fromHex('08000100' + '08000200' + '0800030001020304'));
  reader.next();
  t.throws(() => reader.nested().next(), { code: 'TRUNCATED' });
});

t.test('what does not fit an attribute is not written', async (t) => {
  const writer = new ByteWriter();
  t.throws(() => putText(writer, 1, 'a\0b'), { code: 'MALFORMED' });
  t.throws(() => putText(writer, 1, 'Ω'), { code: 'MALFORMED' });
  t.throws(() => putU16le(writer, 1, 65536), { code: 'MALFORMED' });
  t.throws(() => putBytes(writer, 1, new Uint8Array(65532)), { code: 'MALFORMED' });
  t.throws(() => beginMessage(writer, { type: 65536, flags: 0, sequence: 0, portId: 0 }), {
    code: 'MALFORMED',
  });
});
