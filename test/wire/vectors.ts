/** The captured packets of test/vectors/vectors.json, and a generic codec between their trees and bytes. */
import { readFileSync } from 'node:fs';
import { ByteWriter } from '../../src/core/bytes.js';
import { ip, ipBytes, ipFromBytes } from '../../src/core/ip.js';
import * as attributes from '../../src/wire/attributes.js';
import { GENL_HDRLEN, readGenlHeader, writeGenlHeader } from '../../src/wire/genetlink.js';

export interface Tree {
  readonly type: number;
  readonly name: string;
  readonly nested?: true;
  readonly value?: unknown;
  readonly attrs?: readonly Tree[];
}

export interface VectorMessage {
  readonly nlmsg: { len: number; type: number; flags: number; seq: number; pid: number };
  readonly genl?: { cmd: number; version: number; reserved: number };
  /** The fixed header of a rtnetlink message. */
  readonly hdr?: Readonly<Record<string, number>>;
  readonly attrs?: readonly Tree[];
  readonly error?: { errno: number };
  readonly orig?: {
    hdr: { len: number; type: number; flags: number; seq: number; pid: number };
    payloadHex: string;
  };
  readonly done?: { errno: number; extraHex: string };
}

export interface Vector {
  readonly name: string;
  readonly kind: string;
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly messages: readonly VectorMessage[];
}

const FILE = new URL('../../../test/vectors/vectors.json', import.meta.url);

/** All vectors of the kinds that begin with one of `prefixes`. */
export function loadVectors(...prefixes: readonly string[]): Vector[] {
  const raw = JSON.parse(readFileSync(FILE, 'utf8')) as {
    name: string;
    kind: string;
    source: string;
    hex: string;
    decoded: { messages?: VectorMessage[] };
  }[];
  return raw
    .filter(({ kind }) => prefixes.some((prefix) => kind.startsWith(prefix)))
    .map(({ name, kind, source, hex, decoded }) => {
      return { name, kind, source, bytes: fromHex(hex), messages: decoded.messages ?? [] };
    });
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

interface Format {
  read(reader: attributes.AttributeReader): unknown;
  write(writer: ByteWriter, type: number, value: never): void;
}

const U8: Format = { read: (r) => r.u8(), write: attributes.putU8 };
const U16: Format = { read: (r) => r.u16le(), write: attributes.putU16le };
const PORT: Format = { read: (r) => r.u16be(), write: attributes.putU16be };
const U32: Format = { read: (r) => r.u32le(), write: attributes.putU32le };
const TEXT: Format = { read: (r) => r.text(), write: attributes.putText };
const COUNTER: Format = {
  read: (r) => (r.size === 4 ? r.u32le() : String(r.u64le())),
  write: (w, type, value: string | number) =>
    typeof value === 'number'
      ? attributes.putU32le(w, type, value)
      : attributes.putU64le(w, type, BigInt(value)),
};
const PAD: Format = {
  read: (r) => ({ hex: toHex(r.bytes()) }),
  write: (w, type, value: { hex: string }) => attributes.putBytes(w, type, fromHex(value.hex)),
};
const ADDRESS: Format = {
  // Good enough for these vectors: no IPv6 address among them ends in twelve zero bytes.
  read: (r) =>
    ipFromBytes(
      r.bytes().subarray(
        0,
        r
          .bytes()
          .subarray(4)
          .some((byte) => byte !== 0)
          ? 16
          : 4,
      ),
    ),
  write: (w, type, value: string) => {
    const bytes = new Uint8Array(16);
    bytes.set(ipBytes(ip(value)));
    attributes.putBytes(w, type, bytes);
  },
};
const GROUP: Format = {
  read: (r) => ipFromBytes(r.bytes()),
  write: (w, type, value: string) => attributes.putBytes(w, type, ipBytes(ip(value))),
};
const FLAGS: Format = {
  read: (r) => {
    const view = new DataView(r.bytes().slice().buffer);
    return { flags: view.getUint32(0, true), mask: view.getUint32(4, true) };
  },
  write: (w, type, value: { flags: number; mask: number }) => {
    const inner = new ByteWriter();
    inner.u32le(value.flags);
    inner.u32le(value.mask);
    attributes.putBytes(w, type, inner.finish());
  },
};
const NETMASK: Format = {
  // A prefix length of IPv6 is small in host order; a mask of IPv4 is not, or it is 0.
  read: (r) => (r.u32le() >= 1 && r.u32le() <= 128 ? r.u32le() : ipFromBytes(r.bytes())),
  write: (w, type, value: string | number) =>
    typeof value === 'number'
      ? attributes.putU32le(w, type, value)
      : attributes.putBytes(w, type, ipBytes(ip(value))),
};

const STATS = Object.fromEntries(
  ['CONNS', 'INPKTS', 'OUTPKTS', 'INBYTES', 'OUTBYTES', 'CPS', 'INPPS', 'OUTPPS', 'INBPS', 'OUTBPS'].map(
    (name) => [name, COUNTER],
  ),
);

/** By name: the vectors' names are unique but for VERSION and FLAGS, which the path tells apart. */
const FORMATS: Readonly<Record<string, Format>> = {
  ...STATS,
  ...{ PAD, AF: U16, PROTOCOL: U16, ADDR: ADDRESS, PORT, FWMARK: U32, SCHED_NAME: TEXT, PE_NAME: TEXT },
  ...{ 'SERVICE/FLAGS': FLAGS, TIMEOUT: U32, NETMASK, FWD_METHOD: U32, WEIGHT: U32, U_THRESH: U32 },
  ...{ L_THRESH: U32, ACTIVE_CONNS: U32, INACT_CONNS: U32, PERSIST_CONNS: U32, ADDR_FAMILY: U16 },
  ...{ TUN_TYPE: U8, TUN_PORT: PORT, TUN_FLAGS: U16, STATE: U32, MCAST_IFN: TEXT, SYNC_ID: U32 },
  ...{ SYNC_MAXLEN: U16, MCAST_GROUP: GROUP, MCAST_GROUP6: GROUP, MCAST_PORT: U16, MCAST_TTL: U8 },
  ...{ TIMEOUT_TCP: U32, TIMEOUT_TCP_FIN: U32, TIMEOUT_UDP: U32, VERSION: U32, CONN_TAB_SIZE: U32 },
  ...{ FAMILY_NAME: TEXT, FAMILY_ID: U16, HDRSIZE: U32, MAXATTR: U32, ID: U32, FLAGS: U32 },
};

function formatOf(parent: string, name: string): Format {
  const format = FORMATS[`${parent}/${name}`] ?? FORMATS[name];
  if (format === undefined) throw new Error(`no format for ${parent}/${name}`);
  return format;
}

function writeTree(writer: ByteWriter, parent: string, tree: readonly Tree[]): void {
  for (const { type, name, nested, value, attrs } of tree) {
    const wireType = nested === true ? type | attributes.NLA.F_NESTED : type;
    if (attrs === undefined) formatOf(parent, name).write(writer, wireType, value as never);
    else attributes.putNest(writer, wireType, (inner) => writeTree(inner, name, attrs));
  }
}

/** Reads along `shape` for the names only; what is where comes from the bytes. */
function readTree(reader: attributes.AttributeReader, parent: string, shape: readonly Tree[]): Tree[] {
  const found: Tree[] = [];
  while (reader.next()) {
    const expected = shape[found.length];
    if (expected === undefined) throw new Error(`attribute ${reader.type} beyond the vector's last`);
    const { type, flags } = reader;
    const name = expected.name;
    const nested = flags === attributes.NLA.F_NESTED ? { nested: true as const } : {};
    if (expected.attrs === undefined)
      found.push({ type, name, value: formatOf(parent, name).read(reader), ...nested });
    else found.push({ type, name, ...nested, attrs: readTree(reader.nested(), name, expected.attrs) });
  }
  return found;
}

/** Payload of a generic netlink message from its tree. */
export function encodeGenl(message: VectorMessage): Uint8Array {
  const writer = new ByteWriter();
  if (message.genl === undefined) throw new Error('not a generic netlink message');
  writeGenlHeader(writer, { command: message.genl.cmd, version: message.genl.version });
  writeTree(writer, '', message.attrs ?? []);
  return writer.finish();
}

/** The tree of a payload. */
export function decodeGenl(payload: Uint8Array, shape: readonly Tree[]): { cmd: number; attrs: Tree[] } {
  const { command } = readGenlHeader(payload);
  const reader = attributes.AttributeReader.over(payload, GENL_HDRLEN);
  return { cmd: command, attrs: readTree(reader, '', shape) };
}
