import fc from 'fast-check';
import t from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import { LvsError } from '../../src/core/errors.js';
import { type Ip, ipFromBytes } from '../../src/core/ip.js';
import { beginMessage, endMessage, type Message, splitDatagram } from '../../src/wire/netlink.js';
import { RTM, type RtnlValue, readRtnl, writeRtnl } from '../../src/wire/rtnetlink.js';
import {
  addrGenMode,
  inetSettings,
  macvlanInfo,
  readAddrGenMode,
  readInetSettings,
  readLinkInfo,
} from '../../src/wire/rtnl-link.js';
import { loadVectors } from './vectors.js';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const raw = fc.uint8Array({ maxLength: 64 });
const anyIp: fc.Arbitrary<Ip> = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(ipFromBytes);
const hardware = fc
  .uint8Array({ maxLength: 32 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));
/** Names of the kernel are bytes without NUL. */
const text = fc
  .array(fc.integer({ min: 1, max: 0xff }), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes));

/** A record whose header is always there and whose attributes come and go. */
function values<Header extends object, Attributes extends object>(
  header: { [Key in keyof Header]: fc.Arbitrary<Header[Key]> },
  attributes: { [Key in keyof Attributes]: fc.Arbitrary<Attributes[Key]> },
) {
  return fc
    .tuple(fc.record(header), fc.record(attributes, { requiredKeys: [] }))
    .map(([fixed, optional]) => ({ ...fixed, ...optional }));
}

const link = values(
  { family: u8, type: u16, index: i32, flags: u32, change: u32 },
  {
    ...{ hardwareAddress: hardware, hardwareBroadcast: hardware, parent: u32, name: text, mtu: u32 },
    ...{ master: u32, operState: u8, linkMode: u8, carrier: u8, group: u32, namespacePid: u32 },
    ...{ extensions: u32, info: raw, familySpec: raw },
  },
);
const lifetimes = fc.record({ preferredSeconds: u32, validSeconds: u32, created: u32, updated: u32 });
const address = values(
  { family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 },
  {
    ...{ local: anyIp, broadcast: anyIp, label: text, address: anyIp, lifetimes },
    ...{ allFlags: u32, routePriority: u32, protocol: u8 },
  },
);
const nextHop = values({ flags: u8, hops: u8, index: i32 }, { gateway: anyIp });
const route = values(
  {
    ...{ family: u8, destinationLength: u8, sourceLength: u8, tos: u8, table: u8, protocol: u8 },
    ...{ scope: u8, type: u8, flags: u32 },
  },
  {
    ...{ destination: anyIp, source: anyIp, tableId: u32, gateway: anyIp, priority: u32 },
    ...{ preferredSource: anyIp, nextHops: fc.array(nextHop, { maxLength: 6 }) },
    ...{ inputIndex: u32, outputIndex: u32, preference: u8 },
  },
);
const ports = fc.record({ first: u16, last: u16 });
const rule = values(
  { family: u8, destinationLength: u8, sourceLength: u8, tos: u8, table: u8, action: u8, flags: u32 },
  {
    ...{ destination: anyIp, source: anyIp, inputName: text, outputName: text, mark: u32, markMask: u32 },
    ...{ tableId: u32, priority: u32, suppressGroup: u32, suppressPrefixLength: u32, protocol: u8 },
    ...{ ipProtocol: u8, sourcePorts: ports, destinationPorts: ports },
  },
);
const neighbour = values(
  { family: u8, index: i32, state: u16, flags: u8, type: u8 },
  { destination: anyIp, hardwareAddress: hardware },
);

const anyValue: fc.Arbitrary<RtnlValue> = fc.oneof(
  link.map((value): RtnlValue => ({ kind: 'link', link: value })),
  address.map((value): RtnlValue => ({ kind: 'address', address: value })),
  route.map((value): RtnlValue => ({ kind: 'route', route: value })),
  rule.map((value): RtnlValue => ({ kind: 'rule', rule: value })),
  neighbour.map((value): RtnlValue => ({ kind: 'neighbour', neighbour: value })),
);

const NEW_TYPE = {
  link: RTM.NEWLINK,
  address: RTM.NEWADDR,
  route: RTM.NEWROUTE,
  rule: RTM.NEWRULE,
  neighbour: RTM.NEWNEIGH,
} as const;

/** Views are compared by what they show. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part] : part)));
}

t.test('what was written is read as it was', async (t) => {
  fc.assert(
    fc.property(
      anyValue,
      fc.constantFrom('new' as const, 'delete' as const, 'get' as const),
      (value, verb) => {
        const type = NEW_TYPE[value.kind] + ['new', 'delete', 'get'].indexOf(verb);
        const read = readRtnl(type, writeRtnl(value));
        t.strictSame(plain(read), plain({ verb, ...value }));
      },
    ),
    { numRuns: 500 },
  );
});

t.test('what was read is written as it was', async () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const payload = writeRtnl(value);
      const read = readRtnl(NEW_TYPE[value.kind], payload);
      return read !== undefined && Buffer.compare(writeRtnl(read), payload) === 0;
    }),
    { numRuns: 500 },
  );
});

/** Runs a reader over bytes that may be anything. */
function readsOrRefuses(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (thrown) {
    return thrown instanceof LvsError && (thrown.code === 'TRUNCATED' || thrown.code === 'MALFORMED');
  }
}

const anyType = fc.constantFrom(...Object.values(RTM));

t.test('any bytes are read, or refused with a typed error', async () => {
  fc.assert(
    fc.property(anyType, fc.uint8Array({ maxLength: 200 }), (type, bytes) =>
      readsOrRefuses(() => readRtnl(type, bytes)),
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) =>
      [readLinkInfo, readInetSettings, readAddrGenMode].every((read) => readsOrRefuses(() => read(bytes))),
    ),
    { numRuns: 2000 },
  );
});

t.test('captured bytes with some of them changed are read, or refused with a typed error', async () => {
  const captured = loadVectors('rtnl-').flatMap(({ bytes }) => splitDatagram(bytes));
  const changes = fc.array(fc.tuple(fc.nat(1500), u8), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...captured), changes, fc.nat(1500), (message, edits, cut) => {
      const bytes = message.payload.slice(0, cut > message.payload.length ? undefined : cut);
      for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte;
      return readsOrRefuses(() => readRtnl(message.type === 2 ? RTM.NEWADDR : message.type, bytes));
    }),
    { numRuns: 3000 },
  );
});

function datagram(list: readonly RtnlValue[]): { bytes: Uint8Array; ends: number[] } {
  const writer = new ByteWriter();
  const ends: number[] = [];
  for (const [index, value] of list.entries()) {
    const header = { type: NEW_TYPE[value.kind], flags: 2, sequence: index, portId: 7 };
    const start = beginMessage(writer, header);
    writer.raw(writeRtnl(value));
    endMessage(writer, start);
    ends.push(writer.length);
  }
  return { bytes: writer.finish(), ends };
}

function read(messages: readonly Message[]): unknown[] {
  return messages.map(({ type, sequence, payload }) => plain([sequence, readRtnl(type, payload)]));
}

t.test('messages read the same however the kernel spreads them over datagrams', async (t) => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 8 }), fc.array(fc.boolean()), (list, breaks) => {
      const { bytes, ends } = datagram(list);
      const parts: Message[] = [];
      let start = 0;
      for (const [index, end] of ends.entries()) {
        if (breaks[index] !== true && index + 1 < ends.length) continue;
        parts.push(...splitDatagram(bytes.subarray(start, end)));
        start = end;
      }
      t.strictSame(read(parts), read(splitDatagram(bytes)));
      t.equal(parts.length, list.length);
    }),
    { numRuns: 100 },
  );
});

t.test('a datagram that is cut is refused, unless the cut lies between messages', async () => {
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 1, maxLength: 4 }), fc.nat(), (list, seed) => {
      const { bytes, ends } = datagram(list);
      const cut = seed % bytes.length;
      try {
        // Only the padding of the last message may be missing.
        return splitDatagram(bytes.subarray(0, cut)).length === ends.filter((end) => end - 3 <= cut).length;
      } catch (thrown) {
        return thrown instanceof LvsError && thrown.code === 'TRUNCATED' && !ends.includes(cut);
      }
    }),
    { numRuns: 500 },
  );
});

t.test('nests of requests are read as they were written', async () => {
  fc.assert(fc.property(u32, (mode) => readLinkInfo(macvlanInfo(mode)).macvlanMode === mode));
  fc.assert(fc.property(u8, (mode) => readAddrGenMode(addrGenMode(mode)) === mode));
  fc.assert(
    // The kernel's own form is a packed array; a request of one setting looks like {length 8, type, value} packed.
    fc.property(fc.integer({ min: 1, max: 40 }), u32, (number, value) => {
      const [first, second] = readInetSettings(inetSettings([[number, value]]));
      return first === 8 + number * 65536 && second === value;
    }),
  );
});
