import t from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import { AttributeReader, putBytes } from '../../src/wire/attributes.js';
import { beginMessage, endMessage, readError, splitDatagram } from '../../src/wire/netlink.js';
import { RTM, type RtnlValue, readRtnl, writeRtnl } from '../../src/wire/rtnetlink.js';
import { ADDRESS_FIELDS } from '../../src/wire/rtnl-address.js';
import type { Field } from '../../src/wire/rtnl-fields.js';
import {
  ADDR_GEN_MODE,
  addrGenMode,
  IFF,
  IPV4_DEVCONF,
  inetSettings,
  LINK_FIELDS,
  type Link,
  MACVLAN_MODE,
  macvlanInfo,
  readAddrGenMode,
  readInetSettings,
  readLinkInfo,
} from '../../src/wire/rtnl-link.js';
import { fromHex, loadVectors, type Tree, toHex, type VectorMessage } from './vectors.js';

type Kind = RtnlValue['kind'];

/** The vectors' names of headers and attributes, and ours. */
const NAMES: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  link: {
    ...{ family: 'family', type: 'type', index: 'index', flags: 'flags', change: 'change' },
    ...{
      ADDRESS: 'hardwareAddress',
      LINK: 'parent',
      IFNAME: 'name',
      BROADCAST: 'hardwareBroadcast',
      MTU: 'mtu',
    },
    ...{ OPERSTATE: 'operState', LINKMODE: 'linkMode', CARRIER: 'carrier', GROUP: 'group' },
  },
  address: {
    ...{ family: 'family', prefixlen: 'prefixLength', flags: 'flags', scope: 'scope', index: 'index' },
    ...{ LOCAL: 'local', ADDRESS: 'address', BROADCAST: 'broadcast', LABEL: 'label', CACHEINFO: 'lifetimes' },
    ...{ FLAGS: 'allFlags', PROTO: 'protocol' },
  },
  route: {
    ...{
      family: 'family',
      dst_len: 'destinationLength',
      src_len: 'sourceLength',
      tos: 'tos',
      table: 'table',
    },
    ...{ protocol: 'protocol', scope: 'scope', type: 'type', flags: 'flags', DST: 'destination' },
    ...{ GATEWAY: 'gateway', PRIORITY: 'priority', PREFSRC: 'preferredSource', OIF: 'outputIndex' },
    ...{ TABLE: 'tableId', MULTIPATH: 'nextHops' },
  },
  rule: {
    ...{
      family: 'family',
      dst_len: 'destinationLength',
      src_len: 'sourceLength',
      tos: 'tos',
      table: 'table',
    },
    ...{ action: 'action', flags: 'flags', DST: 'destination', SRC: 'source', IIFNAME: 'inputName' },
    ...{ FWMARK: 'mark', FWMASK: 'markMask', TABLE: 'tableId', PRIORITY: 'priority', PROTOCOL: 'protocol' },
  },
  neighbour: {
    ...{ family: 'family', ifindex: 'index', state: 'state', flags: 'flags', type: 'type' },
    ...{ DST: 'destination', LLADDR: 'hardwareAddress' },
  },
};

const KINDS: readonly Kind[] = ['link', 'address', 'route', 'neighbour', 'rule'];

function kindOf(type: number): Kind {
  return KINDS[(type - RTM.NEWLINK) >> 2] ?? 'link';
}

function child(tree: readonly Tree[], name: string): Tree | undefined {
  return tree.find((attribute) => attribute.name === name);
}

interface Lifetimes {
  prefered: number;
  valid: number;
  cstamp: number;
  tstamp: number;
}

interface Hop {
  flags: number;
  hops: number;
  ifindex: number;
  attrs: readonly Tree[];
}

/** Values that the vectors spell otherwise. */
const SPELLING: Readonly<Record<string, (value: never) => unknown>> = {
  CACHEINFO: ({ prefered, valid, cstamp, tstamp }: Lifetimes) => {
    return { preferredSeconds: prefered, validSeconds: valid, created: cstamp, updated: tstamp };
  },
  MULTIPATH: (hops: readonly Hop[]) =>
    hops.map(({ flags, hops, ifindex, attrs }) => {
      return { flags, hops, index: ifindex, gateway: child(attrs, 'GATEWAY')?.value };
    }),
};

/** The nests of a link request, built by the functions that a caller has. */
function linkNests(attrs: readonly Tree[]): Partial<Link> {
  const data = child(child(attrs, 'LINKINFO')?.attrs ?? [], 'DATA')?.attrs ?? [];
  const families = child(attrs, 'AF_SPEC')?.attrs ?? [];
  const settings = child(child(families, 'AF_INET')?.attrs ?? [], 'INET_CONF')?.attrs;
  const genMode = child(child(families, 'AF_INET6')?.attrs ?? [], 'INET6_ADDR_GEN_MODE');
  const mode = child(data, 'MODE')?.value;
  return {
    ...(mode === undefined ? {} : { info: macvlanInfo(mode as number) }),
    ...(settings === undefined
      ? {}
      : { familySpec: inetSettings(settings.map(({ type, value }) => [type, value as number] as const)) }),
    ...(genMode === undefined ? {} : { familySpec: addrGenMode(genMode.value as number) }),
  };
}

/** Our value of a vector, made from its description alone. */
function described(kind: Kind, { hdr, attrs }: VectorMessage): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const entries = [...Object.entries(hdr ?? {}), ...(attrs ?? []).map((a) => [a.name, a.value] as const)];
  for (const [name, value] of entries) {
    const key = NAMES[kind][name];
    if (key !== undefined) values[key] = SPELLING[name]?.(value as never) ?? value;
  }
  return values;
}

function rtnlOf(kind: Kind, values: object): RtnlValue {
  return { kind, [kind]: values } as unknown as RtnlValue;
}

function rewrite(message: VectorMessage, value: RtnlValue): Uint8Array {
  const { type, flags, seq, pid } = message.nlmsg;
  const writer = new ByteWriter();
  const start = beginMessage(writer, { type, flags, sequence: seq, portId: pid });
  writer.raw(writeRtnl(value));
  endMessage(writer, start);
  return writer.finish();
}

function* vectorsOf(kind: string): Generator<[string, Uint8Array, VectorMessage]> {
  for (const { name, bytes, messages } of loadVectors(kind)) {
    for (const message of messages) yield [name, bytes, message];
  }
}

t.test('captured requests are read and written byte for byte', async (t) => {
  let count = 0;
  for (const [name, bytes, message] of vectorsOf('rtnl-request')) {
    const kind = kindOf(message.nlmsg.type);
    const nests = kind === 'link' ? linkNests(message.attrs ?? []) : {};
    const expected = rtnlOf(kind, { ...described(kind, message), ...nests });
    const [read, ...more] = splitDatagram(bytes);
    t.equal(more.length, 0, name);
    const verb = (['new', 'delete'] as const)[message.nlmsg.type & 3];
    t.strictSame(readRtnl(read?.type ?? 0, read?.payload ?? bytes), { verb, ...expected }, name);
    t.equal(toHex(rewrite(message, expected)), toHex(bytes), name);
    count += 1;
  }
  t.equal(count, 25);
});

t.test('captured errors hold the request that was refused', async (t) => {
  let count = 0;
  for (const [name, bytes, message] of vectorsOf('rtnl-error')) {
    const [answer] = splitDatagram(bytes);
    if (answer === undefined || message.orig === undefined) throw new Error(name);
    const error = readError(answer);
    t.equal(error.errno, message.error?.errno, name);
    const { seq, pid, ...header } = message.orig.hdr;
    const { length, sequence, portId, ...request } = error.request;
    t.strictSame({ ...request, len: length, seq: sequence, pid: portId }, { ...header, seq, pid }, name);
    const refused = readRtnl(error.request.type, error.echo);
    if (refused === undefined) throw new Error(name);
    t.equal(toHex(writeRtnl(refused)), message.orig.payloadHex, name);
    count += 1;
  }
  t.equal(count, 5);
});

/** Writes a notification anew: what we know from our value, the rest as it came. */
function reorder<Values>(
  payload: Uint8Array,
  offset: number,
  fields: readonly Field<Values>[],
  values: Values,
) {
  const writer = new ByteWriter();
  writer.raw(payload.subarray(0, offset));
  const reader = AttributeReader.over(payload, offset);
  let known = 0;
  while (reader.next()) {
    const field = fields.find(({ type }) => type === reader.type);
    if (field === undefined) putBytes(writer, reader.type | reader.flags, reader.bytes());
    else field.write(writer, values);
    known += field === undefined ? 0 : 1;
  }
  return { bytes: writer.finish(), known };
}

t.test(
  'captured notifications are read, and every attribute that is known is written as it came',
  async (t) => {
    let count = 0;
    for (const [name, bytes, message] of vectorsOf('rtnl-notify')) {
      const [read] = splitDatagram(bytes);
      const value = read === undefined ? undefined : readRtnl(read.type, read.payload);
      if (read === undefined || value === undefined) throw new Error(name);
      const kind = kindOf(read.type);
      if (value.kind === 'link') {
        const { info, familySpec, ...plain } = value.link;
        t.strictSame(plain, described(kind, message), name);
        const again = reorder(read.payload, 16, LINK_FIELDS, value.link);
        t.equal(toHex(again.bytes), toHex(read.payload), name);
        t.equal(again.known, 11, name);
        t.ok(info !== undefined && familySpec !== undefined, name);
      } else if (value.kind === 'address') {
        t.strictSame(value.address, described(kind, message), name);
        const again = reorder(read.payload, 8, ADDRESS_FIELDS, value.address);
        t.equal(toHex(again.bytes), toHex(read.payload), name);
      }
      count += 1;
    }
    t.equal(count, 4);
  },
);

function linkOf(name: string): Link {
  const [vector] = loadVectors('rtnl-').filter((candidate) => candidate.name === name);
  const [message] = vector === undefined ? [] : splitDatagram(vector.bytes);
  const value = message === undefined ? undefined : readRtnl(message.type, message.payload);
  if (value?.kind !== 'link') throw new Error(name);
  return value.link;
}

t.test('a lost carrier and a macvlan that goes away read as such', async (t) => {
  const lost = linkOf('rtnl-notify-newlink-carrier-lost');
  t.equal(lost.flags & (IFF.UP | IFF.RUNNING | IFF.LOWER_UP), IFF.UP);
  t.strictSame(readLinkInfo(lost.info ?? fromHex('')), { kind: 'veth', macvlanMode: undefined });
  const settings = readInetSettings(lost.familySpec ?? fromHex(''));
  t.equal(settings.length, 33, 'a packed array');
  t.equal(settings[IPV4_DEVCONF.ARP_IGNORE - 1], 0);
  t.equal(readAddrGenMode(lost.familySpec ?? fromHex('')), ADDR_GEN_MODE.EUI64);
  const gone = linkOf('rtnl-notify-dellink-macvlan');
  t.strictSame(readLinkInfo(gone.info ?? fromHex('')), { kind: 'macvlan', macvlanMode: MACVLAN_MODE.BRIDGE });
  t.strictSame(readInetSettings(gone.familySpec ?? fromHex('')), [], 'its settings have gone before it');
  t.equal(readAddrGenMode(gone.familySpec ?? fromHex('')), undefined);
});
