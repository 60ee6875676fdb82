import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../src/core/bytes.js';

type Kind = 'u8' | 'u16be' | 'u16le' | 'u32be' | 'u32le' | 'i32le' | 'u64le';

const RANGES: Readonly<Record<Kind, readonly [bigint, bigint]>> = {
  u8: [0n, 0xffn],
  u16be: [0n, 0xffffn],
  u16le: [0n, 0xffffn],
  u32be: [0n, 0xffffffffn],
  u32le: [0n, 0xffffffffn],
  i32le: [-0x80000000n, 0x7fffffffn],
  u64le: [0n, 0xffffffffffffffffn],
};

const KINDS = Object.keys(RANGES) as Kind[];

function write(writer: ByteWriter, kind: Kind, value: bigint): void {
  if (kind === 'u64le') writer.u64le(value);
  else writer[kind](Number(value));
}

const itemArbitrary = fc
  .constantFrom(...KINDS)
  .chain((kind) => fc.bigInt(...RANGES[kind]).map((value) => ({ kind, value })));

t.test('law: numbers come back as they were written, wherever the buffer had to grow', async () => {
  fc.assert(
    fc.property(fc.nat(16), fc.array(itemArbitrary), (capacity, items) => {
      const writer = new ByteWriter(capacity);
      for (const { kind, value } of items) write(writer, kind, value);
      const reader = new ByteReader(writer.finish());
      return items.every(({ kind, value }) => BigInt(reader[kind]()) === value) && reader.left === 0;
    }),
  );
});

t.test('a number outside its type is refused and leaves no trace', async (t) => {
  for (const kind of KINDS) {
    const [least, most] = RANGES[kind];
    const writer = new ByteWriter();
    t.throws(() => write(writer, kind, least - 1n), { code: 'MALFORMED' }, `${kind} below`);
    t.throws(() => write(writer, kind, most + 1n), { code: 'MALFORMED' }, `${kind} above`);
    if (kind !== 'u64le') t.throws(() => writer[kind](0.5), { code: 'MALFORMED' }, `${kind} fraction`);
    if (kind !== 'u64le') t.throws(() => writer[kind](Number.NaN), { code: 'MALFORMED' }, `${kind} NaN`);
    t.equal(writer.length, 0);
  }
});

t.test('a read past the end says what it needed, what there was and where', async (t) => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3));
  reader.u8();
  t.throws(() => reader.u32be(), { code: 'TRUNCATED', facts: { need: 4, have: 2, offset: 1 } });
  t.equal(reader.offset, 1, 'a failed read does not move');
  t.throws(() => reader.skip(-1), { code: 'TRUNCATED' });
  t.throws(() => reader.take(3), { code: 'TRUNCATED' });
  t.strictSame([...reader.take(2)], [2, 3]);
});

t.test('bytes, zeros and alignment come after what is there, across a growth', async (t) => {
  const writer = new ByteWriter(2);
  writer.u8(1);
  writer.raw(Uint8Array.of(2, 3));
  writer.align(4);
  writer.align(4);
  writer.u8(4);
  writer.zeros(2);
  t.strictSame([...writer.finish()], [1, 2, 3, 0, 4, 0, 0]);
});

t.test('a patch changes what was written and nothing beyond', async (t) => {
  const writer = new ByteWriter();
  writer.zeros(4);
  writer.patchU16le(1, 0x0201);
  t.strictSame([...writer.finish()], [0, 1, 2, 0]);
  writer.patchU32le(0, 0xffffffff);
  t.strictSame([...writer.finish()], [255, 255, 255, 255]);
  writer.patchU16be(2, 0x0102);
  t.strictSame([...writer.finish()], [255, 255, 1, 2]);
  t.throws(() => writer.patchU16be(3, 0), { code: 'INTERNAL' });
  t.throws(() => writer.patchU16le(3, 0), { code: 'INTERNAL' });
  t.throws(() => writer.patchU32le(1, 0), { code: 'INTERNAL' });
  t.throws(() => writer.patchU16le(0, 65536), { code: 'MALFORMED' });
  t.throws(() => writer.patchU32le(0, -1), { code: 'MALFORMED' });
});

t.test('what is cut off is written again', async (t) => {
  const writer = new ByteWriter(2);
  writer.u32be(0x01020304);
  writer.truncate(1);
  t.strictSame([...writer.finish()], [1]);
  writer.zeros(2);
  t.strictSame([...writer.finish()], [1, 0, 0], 'no old byte shows through');
  writer.truncate(0);
  t.equal(writer.length, 0);
  t.throws(() => writer.truncate(1), { code: 'INTERNAL' });
  t.throws(() => writer.truncate(-1), { code: 'INTERNAL' });
});
