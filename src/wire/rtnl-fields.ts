/**
 * Attributes of rtnetlink as tables: a field says which attribute holds which property, and how. Attributes are
 * written in the order of the table; those without a field are skipped when read.
 */
import { ByteReader, type ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { AttributeReader, putBytes, putText, putU8, putU32le } from './attributes.js';

/** How a value lies in the payload of an attribute. */
export interface Format<Value> {
  /** @throws TRUNCATED, MALFORMED */
  read(reader: AttributeReader): Value;
  /** @throws MALFORMED */
  write(writer: ByteWriter, type: number, value: Value): void;
}

export const U8: Format<number> = { read: (reader) => reader.u8(), write: putU8 };
/** Host order. */
export const U32: Format<number> = { read: (reader) => reader.u32le(), write: putU32le };
/** Text that ends with a NUL. */
export const TEXT: Format<string> = { read: (reader) => reader.text(), write: putText };
/** Attributes inside, or whatever else, as they are: a copy, for the receive buffer is used again. */
export const RAW: Format<Uint8Array> = { read: (reader) => reader.bytes().slice(), write: putBytes };

/** 4 or 16 bytes in network order. */
export const IP: Format<Ip> = {
  read: (reader) => ipFromBytes(reader.bytes()),
  write: (writer, type, value) => putBytes(writer, type, ipBytes(value)),
};

/** MAX_ADDR_LEN of linux/netdevice.h. */
const HARDWARE_ADDRESS_BYTES_MAX = 32;
const HARDWARE_ADDRESS_PATTERN = /^([0-9a-f]{2}(:[0-9a-f]{2})*)?$/i;

/** The address of a link layer, as `00:00:5e:00:01:33`. Tunnels and Infiniband have other lengths than 6. */
export const HARDWARE_ADDRESS: Format<string> = {
  read(reader) {
    if (reader.size > HARDWARE_ADDRESS_BYTES_MAX) {
      throw new LvsError('MALFORMED', `a link-layer address of ${reader.size} bytes`);
    }
    return Array.from(reader.bytes(), (byte) => byte.toString(16).padStart(2, '0')).join(':');
  },
  write(writer, type, value) {
    if (!HARDWARE_ADDRESS_PATTERN.test(value) || value.length > HARDWARE_ADDRESS_BYTES_MAX * 3 - 1) {
      throw new LvsError('MALFORMED', `not a link-layer address: ${value}`);
    }
    const bytes = value === '' ? [] : value.split(':').map((pair) => Number.parseInt(pair, 16));
    putBytes(writer, type, Uint8Array.from(bytes));
  },
};

/** Properties that a reader fills in one by one. */
type Draft<Values> = { -readonly [Key in keyof Values]?: Values[Key] };

/** The attribute of one property. */
export interface Field<Values> {
  readonly type: number;
  read(reader: AttributeReader, into: Draft<Values>): void;
  /** Writes nothing where the property is missing. */
  write(writer: ByteWriter, from: Values): void;
}

/** `fieldsOf<Link>()` gives the function that makes fields of links: it checks that property and format agree. */
export function fieldsOf<Values>() {
  return <Key extends keyof Values>(
    type: number,
    key: Key,
    format: Format<Exclude<Values[Key], undefined>>,
  ): Field<Values> => ({
    type,
    read(reader, into) {
      into[key] = format.read(reader);
    },
    write(writer, from) {
      const value = from[key];
      if (value !== undefined) format.write(writer, type, value as Exclude<Values[Key], undefined>);
    },
  });
}

/** Adds to `header` what the attributes from `offset` on say. @throws TRUNCATED, MALFORMED */
export function readFields<Values>(
  fields: readonly Field<Values>[],
  payload: Uint8Array,
  offset: number,
  header: Values,
): Values {
  const draft: Draft<Values> & Values = { ...header };
  const reader = AttributeReader.over(payload, offset);
  while (reader.next()) {
    const { type } = reader;
    fields.find((known) => known.type === type)?.read(reader, draft);
  }
  return draft;
}

/** @throws MALFORMED for a value that does not fit its attribute. */
export function writeFields<Values>(
  fields: readonly Field<Values>[],
  writer: ByteWriter,
  values: Values,
): void {
  for (const known of fields) known.write(writer, values);
}

/** The payload of the first attribute of this type, as a view; undefined where there is none. */
export function findAttribute(bytes: Uint8Array, type: number): Uint8Array | undefined {
  const reader = AttributeReader.over(bytes);
  while (reader.next()) if (reader.type === type) return reader.bytes();
  return undefined;
}

/** The u32 values of an attribute that is a packed array of them, in host order. @throws TRUNCATED */
export function readPackedU32(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes);
  const values: number[] = [];
  while (reader.left > 0) values.push(reader.u32le());
  return values;
}
