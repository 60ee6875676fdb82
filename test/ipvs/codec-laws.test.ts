import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import { LvsError } from '../../src/core/errors.js';
import { type Ip, ip, ipFamily, ipFromBytes } from '../../src/core/ip.js';
import {
  infoRequest,
  operationRequest,
  readDestAnswer,
  readInfoAnswer,
  readServiceAnswer,
  readSyncDaemonAnswer,
  readTimeoutsAnswer,
  setTimeoutsRequest,
  startSyncDaemonRequest,
} from '../../src/ipvs/codec.js';
import { readServiceKey } from '../../src/ipvs/codec-service.js';
import { serviceFamily } from '../../src/ipvs/keys.js';
import type {
  Dest,
  DestSettings,
  Operation,
  Service,
  ServiceKey,
  ServiceSettings,
  SyncDaemon,
} from '../../src/ipvs/model.js';
import { AttributeReader, putBytes, putNest, putU16le, putU32le } from '../../src/wire/attributes.js';
import { writeGenlHeader } from '../../src/wire/genetlink.js';
import { splitDatagram } from '../../src/wire/netlink.js';
import { loadVectors } from '../wire/vectors.js';
import { daemon, EQUAL, meaning, nest, PLAIN, tcp } from './meaning.js';

/** fast-check's own records have no prototype, which a comparison would see. */
function record<Value>(members: { [Name in keyof Value]: fc.Arbitrary<Value[Name]> }): fc.Arbitrary<Value> {
  return fc.record<Value>(members, { noNullPrototype: true });
}

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
const port = fc.nat(0xffff);
const count = fc.nat(0xffffffff);

const keyArbitrary: fc.Arbitrary<ServiceKey> = fc.oneof(
  record({
    kind: fc.constant('address' as const),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
    address: fc.oneof(ipv4, ipv6),
    port,
  }),
  record({
    kind: fc.constant('fwmark' as const),
    family: fc.constantFrom('ipv4' as const, 'ipv6' as const),
    mark: fc.integer({ min: 1, max: 0xffffffff }),
  }),
);

const serviceArbitrary: fc.Arbitrary<Service> = keyArbitrary.chain((key) =>
  record({
    key: fc.constant(key),
    settings: record({
      scheduler: fc.constantFrom('rr', 'wlc', 'mh', 'none'),
      schedulerFlags: record({ flag1: fc.boolean(), flag2: fc.boolean(), flag3: fc.boolean() }),
      onePacket: fc.boolean(),
      persistence: fc.option(
        record({
          timeoutSeconds: count,
          prefix: fc.integer({ min: 1, max: serviceFamily(key) === 'ipv4' ? 32 : 128 }),
        }),
        { nil: undefined },
      ),
      persistenceEngine: fc.constantFrom(undefined, 'sip'),
    }),
  }),
);

const destArbitrary: fc.Arbitrary<Dest> = record({
  key: record({ address: fc.oneof(ipv4, ipv6), port }),
  settings: record({
    forward: fc.oneof(
      record({ method: fc.constantFrom('masquerade' as const, 'direct' as const) }),
      record({
        method: fc.constant('tunnel' as const),
        type: fc.constantFrom('ipip' as const, 'gue' as const, 'gre' as const),
        port,
        checksum: fc.constantFrom('none' as const, 'checksum' as const, 'remote-checksum' as const),
      }),
    ),
    weight: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    upperThreshold: count,
    lowerThreshold: count,
  }),
});

const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  record({ kind: fc.constantFrom('add-service', 'edit-service'), service: serviceArbitrary }),
  record({ kind: fc.constant('delete-service' as const), key: keyArbitrary }),
  record({ kind: fc.constantFrom('add-dest', 'edit-dest'), service: keyArbitrary, dest: destArbitrary }),
);

t.test('law: a request is read back as what was written', async () => {
  fc.assert(
    fc.property(operationArbitrary, (operation) =>
      isDeepStrictEqual(meaning(operationRequest(operation)), operation),
    ),
    { numRuns: 500 },
  );
});

const daemonArbitrary: fc.Arbitrary<SyncDaemon> = record({
  role: fc.constantFrom('master', 'backup'),
  interface: fc.constantFrom('eth0', 'bond0.100'),
  syncId: fc.nat(255),
  maxLength: fc.option(port, { nil: undefined }),
  group: fc.option(fc.oneof(ipv4, ipv6), { nil: undefined }),
  port: fc.option(port, { nil: undefined }),
  ttl: fc.option(fc.nat(255), { nil: undefined }),
});

t.test('law: a sync daemon and time-outs are read back as they were written', async () => {
  // The requests carry the command of the answers: NEW_DAEMON and SET_CONFIG.
  fc.assert(
    fc.property(daemonArbitrary, (wanted) =>
      isDeepStrictEqual(readSyncDaemonAnswer(startSyncDaemonRequest(wanted)), wanted),
    ),
  );
  fc.assert(
    fc.property(record({ tcp: count, tcpFin: count, udp: count }), (wanted) =>
      isDeepStrictEqual(readTimeoutsAnswer(setTimeoutsRequest(wanted)), wanted),
    ),
  );
});

t.test('law: any bytes are an answer or a typed error', async () => {
  const answers = loadVectors('ipvs-reply', 'ipvs-dump').flatMap(({ bytes }) =>
    splitDatagram(bytes).map(({ payload }) => payload),
  );
  const readers: readonly ((payload: Uint8Array) => unknown)[] = [
    readServiceAnswer,
    (payload) => readDestAnswer(payload, 'ipv6'),
    readSyncDaemonAnswer,
    readTimeoutsAnswer,
    readInfoAnswer,
  ];
  const safe = (payload: Uint8Array): boolean =>
    readers.every((read) => {
      try {
        read(payload);
        return true;
      } catch (error) {
        return error instanceof LvsError && (error.code === 'TRUNCATED' || error.code === 'MALFORMED');
      }
    });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), safe), { numRuns: 1000 });
  fc.assert(
    fc.property(fc.constantFrom(...answers), fc.nat(), fc.nat(255), (payload, at, value) => {
      const broken = payload.slice();
      broken[at % broken.length] = value;
      return safe(broken) && safe(payload.subarray(0, at % payload.length));
    }),
    { numRuns: 2000 },
  );
});

/** An answer with a service nest made by `fill`. */
function answerOf(command: number, type: number, fill: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writeGenlHeader(writer, { command, version: 1 });
  putNest(writer, type, fill);
  return writer.finish();
}

function patched(operation: Operation, type: number, replace: (writer: ByteWriter) => void): Uint8Array {
  const top = operation.kind.endsWith('service') ? 1 : 2;
  return answerOf(top === 1 ? 1 : 5, top, (writer) => {
    const reader = nest(operationRequest(operation), top);
    while (reader?.next() === true) if (reader.type !== type) putBytes(writer, reader.type, reader.bytes());
    replace(writer);
  });
}

const ADD_SERVICE: Operation = {
  kind: 'add-service',
  service: {
    key: tcp('192.0.2.1', 80),
    settings: { ...PLAIN, persistence: { timeoutSeconds: 9, prefix: 32 } },
  },
};
const ADD_DEST: Operation = {
  kind: 'add-dest',
  service: tcp('192.0.2.1', 80),
  dest: {
    key: { address: ip('192.0.2.2'), port: 80 },
    settings: { ...EQUAL, forward: { method: 'tunnel', type: 'gue', port: 1, checksum: 'none' } },
  },
};

t.test('an answer without a part that it must have is MALFORMED', async (t) => {
  for (const type of [1, 2, 3, 4, 6, 7, 8, 9]) {
    const payload = patched(ADD_SERVICE, type, () => undefined);
    t.throws(
      () => readServiceAnswer(payload),
      { code: 'MALFORMED', message: /lacks SVC_ATTR_/ },
      `service ${type}`,
    );
  }
  for (const type of [1, 2, 3, 4, 5, 6]) {
    const payload = patched(ADD_DEST, type, () => undefined);
    const expected = { code: 'MALFORMED', message: /lacks DEST_ATTR_/ };
    t.throws(() => readDestAnswer(payload, 'ipv4'), expected, `dest ${type}`);
  }
  t.throws(() => readServiceAnswer(infoRequest()), { code: 'MALFORMED' }, 'another command');
  t.throws(() => readServiceAnswer(answerOf(1, 2, () => undefined)), { code: 'MALFORMED' }, 'another nest');
});

t.test('entries of others that we have no word for do not break the reading', async (t) => {
  const foreign = patched(ADD_SERVICE, 2, (writer) => putU16le(writer, 2, 99));
  t.equal(readServiceAnswer(foreign), undefined, 'protocol 99, which the kernel accepts');
  t.throws(() => readServiceKey(nest(foreign, 1) ?? AttributeReader.over(foreign)), { code: 'MALFORMED' });
  const holes = patched(ADD_SERVICE, 9, (writer) => putBytes(writer, 9, Uint8Array.of(255, 0, 255, 0)));
  t.equal(readServiceAnswer(holes)?.settings.persistence?.prefix, 0, 'a mask with holes');
  const none = patched(ADD_SERVICE, 9, (writer) => putU32le(writer, 9, 0));
  t.equal(readServiceAnswer(none)?.settings.persistence?.prefix, 0, 'the mask 0.0.0.0');
  const strange: readonly (readonly [number, (writer: ByteWriter) => void])[] = [
    [3, (writer) => putU32le(writer, 3, 7)],
    [3, (writer) => putU32le(writer, 3, 4)],
    [13, (writer) => putBytes(writer, 13, Uint8Array.of(3))],
    [15, (writer) => putU16le(writer, 15, 3)],
  ];
  for (const [type, replace] of strange) {
    const dest = readDestAnswer(patched(ADD_DEST, type, replace), 'ipv4');
    t.strictSame(dest.settings.forward, { method: 'bypass' });
  }
  const local = readDestAnswer(
    patched(ADD_DEST, 3, (writer) => putU32le(writer, 3, 0x101)),
    'ipv4',
  );
  t.strictSame(local.settings.forward, { method: 'local' }, 'only the method bits count');
});

t.test('a destination is of its service’s family where the kernel names none', async (t) => {
  const absent = patched(ADD_DEST, 11, () => undefined);
  const zero = patched(ADD_DEST, 11, (writer) => putU16le(writer, 11, 0));
  for (const payload of [absent, zero]) {
    t.equal(readDestAnswer(payload, 'ipv4').key.address, '192.0.2.2');
    t.equal(readDestAnswer(payload, 'ipv6').key.address, 'c000:202::');
  }
  const other = patched(ADD_DEST, 11, (writer) => putU16le(writer, 11, 3));
  t.throws(() => readDestAnswer(other, 'ipv4'), { code: 'MALFORMED', message: /address family 3/ });
});

t.test('64-bit counters win over the older ones, wherever they stand', async (t) => {
  const counters = (writer: ByteWriter, type: number, value: bigint): void =>
    putNest(writer, type, (inner) => {
      inner.u16le(12);
      inner.u16le(5);
      inner.u64le(value);
    });
  const huge = 0xffffffffffffffffn;
  const payload = patched(ADD_SERVICE, 10, (writer) => {
    counters(writer, 12, huge);
    counters(writer, 10, 5n);
  });
  t.equal(readServiceAnswer(payload)?.stats.bytesOut, huge);
  const old = patched(ADD_SERVICE, 10, (writer) => counters(writer, 10, 5n));
  t.equal(readServiceAnswer(old)?.stats.bytesOut, 5n);
  const server = patched(ADD_DEST, 10, (writer) => {
    counters(writer, 12, huge);
    counters(writer, 10, 5n);
  });
  t.equal(readDestAnswer(server, 'ipv4').stats.bytesOut, huge);
});

const UNSENDABLE: readonly (readonly [string, Operation])[] = [
  ['port 65536', { kind: 'delete-service', key: tcp('192.0.2.1', 65536) }],
  ['mark 0', { kind: 'delete-service', key: { kind: 'fwmark', family: 'ipv4', mark: 0 } }],
  ['weight 2^31', destWith({ weight: 0x80000000 })],
  ['weight 0.5', destWith({ weight: 0.5 })],
  ['forward local', destWith({ forward: { method: 'local' } })],
  ['forward bypass', destWith({ forward: { method: 'bypass' } })],
  ['threshold -1', destWith({ upperThreshold: -1 })],
  ['prefix 33', serviceWith({ persistence: { timeoutSeconds: 1, prefix: 33 } })],
  ['prefix 129', serviceWith({ persistence: { timeoutSeconds: 1, prefix: 129 } }, ip('::1'))],
  ['time-out -1', serviceWith({ persistence: { timeoutSeconds: -1, prefix: 32 } })],
  ['a NUL in the scheduler', serviceWith({ scheduler: 'r\0r' })],
];

function destWith(settings: Partial<DestSettings>): Operation {
  const dest = { key: { address: ip('192.0.2.2'), port: 80 }, settings: { ...EQUAL, ...settings } };
  return { kind: 'add-dest', service: tcp('192.0.2.1', 80), dest };
}

function serviceWith(settings: Partial<ServiceSettings>, address: Ip = ip('192.0.2.1')): Operation {
  const key: ServiceKey = { kind: 'address', protocol: 'tcp', address, port: 80 };
  return { kind: 'add-service', service: { key, settings: { ...PLAIN, ...settings } } };
}

t.test('what the kernel’s attributes cannot hold is not sent', async (t) => {
  for (const [name, operation] of UNSENDABLE) {
    t.throws(() => operationRequest(operation), { code: 'MALFORMED' }, name);
  }
  t.throws(() => startSyncDaemonRequest(daemon('master', 256, undefined, undefined, undefined, undefined)), {
    code: 'MALFORMED',
  });
  t.equal(ipFamily(ip('::1')), 'ipv6');
});
