import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ByteWriter } from '../../src/core/bytes.js';
import { LvsError } from '../../src/core/errors.js';
import { type Ip, ip, ipFamily, ipFromBytes } from '../../src/core/ip.js';
import {
  destsRequest,
  flushRequest,
  infoRequest,
  operationRequest,
  readDestAnswer,
  readInfoAnswer,
  readServiceAnswer,
  readSyncDaemonAnswer,
  readTimeoutsAnswer,
  serviceRequest,
  setTimeoutsRequest,
  startSyncDaemonRequest,
  stopSyncDaemonRequest,
  syncDaemonsRequest,
  timeoutsRequest,
  zeroRequest,
} from '../../src/ipvs/codec.js';
import { NO_STATS } from '../../src/ipvs/codec-common.js';
import { readDest } from '../../src/ipvs/codec-dest.js';
import { readService, readServiceKey } from '../../src/ipvs/codec-service.js';
import { serviceFamily } from '../../src/ipvs/keys.js';
import type {
  Dest,
  DestSettings,
  Forward,
  Operation,
  Service,
  ServiceKey,
  ServiceSettings,
  Stats,
  SyncDaemon,
} from '../../src/ipvs/model.js';
import { AttributeReader, putBytes, putNest, putU16le, putU32le } from '../../src/wire/attributes.js';
import { readGenlHeader, writeGenlHeader } from '../../src/wire/genetlink.js';
import { splitDatagram } from '../../src/wire/netlink.js';
import { loadVectors, toHex, type Vector } from '../wire/vectors.js';
import { parseIpvsadm } from './ipvsadm.js';

const PLAIN: ServiceSettings = {
  scheduler: 'rr',
  schedulerFlags: { flag1: false, flag2: false, flag3: false },
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
};
const EQUAL: DestSettings = {
  forward: { method: 'masquerade' },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
const DIRECT: Forward = { method: 'direct' };

function tcp(address: string, port: number): ServiceKey {
  return { kind: 'address', protocol: 'tcp', address: ip(address), port };
}

/** The nest of this type at the top of a payload. */
function nest(payload: Uint8Array, type: number): AttributeReader | undefined {
  const reader = AttributeReader.over(payload, 4);
  while (reader.next()) if (reader.type === type) return reader.nested();
  return undefined;
}

function nestBytes(payload: Uint8Array, type: number): string {
  const reader = AttributeReader.over(payload, 4);
  while (reader.next()) if (reader.type === type) return toHex(reader.bytes());
  return '';
}

const without = <Value extends object>(value: Value, ...names: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** What a request of the table's own commands (1-7) says, read by the codec. */
function meaning(payload: Uint8Array): Operation {
  const { command } = readGenlHeader(payload);
  const service = (): Service => {
    const found = readService(nest(payload, 1) ?? AttributeReader.over(payload, 4));
    if (found === undefined) throw new Error('no service');
    return without(found, 'stats') as Service;
  };
  const key = (): ServiceKey => readServiceKey(nest(payload, 1) ?? AttributeReader.over(payload, 4));
  const dest = (): Dest => {
    const found = readDest(nest(payload, 2) ?? AttributeReader.over(payload, 4), serviceFamily(key()));
    return { key: found.key, settings: found.settings };
  };
  if (command === 1) return { kind: 'add-service', service: service() };
  if (command === 2) return { kind: 'edit-service', service: service() };
  if (command === 3) return { kind: 'delete-service', key: key() };
  if (command === 5) return { kind: 'add-dest', service: key(), dest: dest() };
  if (command === 6) return { kind: 'edit-dest', service: key(), dest: dest() };
  throw new Error(`command ${command} is not read here`);
}

const KEEPALIVED: Readonly<Record<string, Operation>> = {
  'ipvs-keepalived-2.2.7-NEW_SERVICE-1': {
    kind: 'add-service',
    service: {
      key: tcp('192.0.2.50', 80),
      settings: { ...PLAIN, scheduler: 'wrr', persistence: { timeoutSeconds: 50, prefix: 24 } },
    },
  },
  'ipvs-keepalived-2.2.7-NEW_DEST-2': {
    kind: 'add-dest',
    service: tcp('192.0.2.50', 80),
    dest: { key: { address: ip('10.0.0.1'), port: 80 }, settings: { ...EQUAL, forward: DIRECT, weight: 3 } },
  },
  'ipvs-keepalived-2.2.7-NEW_DEST-3': {
    kind: 'add-dest',
    service: tcp('192.0.2.50', 80),
    dest: {
      key: { address: ip('10.0.0.2'), port: 80 },
      settings: { forward: DIRECT, weight: 5, upperThreshold: 100, lowerThreshold: 50 },
    },
  },
  'ipvs-keepalived-2.2.7-NEW_SERVICE-4': {
    kind: 'add-service',
    service: {
      key: { kind: 'fwmark', family: 'ipv4', mark: 55 },
      settings: { ...PLAIN, scheduler: 'sh', schedulerFlags: { flag1: false, flag2: true, flag3: false } },
    },
  },
  'ipvs-keepalived-2.2.7-NEW_DEST-5': {
    kind: 'add-dest',
    service: { kind: 'fwmark', family: 'ipv4', mark: 55 },
    dest: { key: { address: ip('10.0.0.3'), port: 0 }, settings: EQUAL },
  },
  'ipvs-keepalived-2.2.7-NEW_SERVICE-6': {
    kind: 'add-service',
    service: {
      key: { kind: 'address', protocol: 'udp', address: ip('2001:db8::50'), port: 443 },
      settings: {
        ...PLAIN,
        scheduler: 'mh',
        schedulerFlags: { flag1: true, flag2: false, flag3: false },
        onePacket: true,
      },
    },
  },
  'ipvs-keepalived-2.2.7-NEW_DEST-7': {
    kind: 'add-dest',
    service: { kind: 'address', protocol: 'udp', address: ip('2001:db8::50'), port: 443 },
    dest: {
      key: { address: ip('2001:db8:1::1'), port: 443 },
      settings: {
        ...EQUAL,
        weight: 2,
        forward: { method: 'tunnel', type: 'gue', port: 6080, checksum: 'checksum' },
      },
    },
  },
};

const BATCH: readonly Operation[] = [400, 1, 400, 2].map((what) =>
  what === 400
    ? { kind: 'add-service', service: { key: tcp('192.0.2.10', 400), settings: PLAIN } }
    : {
        kind: 'add-dest',
        service: tcp('192.0.2.10', 400),
        dest: { key: { address: ip(`10.0.0.${what}`), port: 80 }, settings: EQUAL },
      },
);

/** Requests that carry no operation on the table, as our codec writes them. */
const OTHER_REQUESTS: Readonly<Record<string, Uint8Array>> = {
  'ipvs-getinfo-request': infoRequest(),
  'ipvs-get-dests-dump-request': destsRequest(tcp('192.0.2.10', 80)),
  'ipvs-cfg-set-all-request': setTimeoutsRequest({ tcp: 7200, tcpFin: 60, udp: 120 }),
  'ipvs-cfg-set-partial-request': setTimeoutsRequest({ tcp: 0, tcpFin: 0, udp: 250 }),
  'ipvs-get-config-request': timeoutsRequest(),
  'ipvs-get-daemon-dump-request': syncDaemonsRequest(),
  'ipvs-zero-all-request': zeroRequest(),
  'ipvs-flush-request': flushRequest(),
  'ipvs-daemon-start-master-min-request': startSyncDaemonRequest(
    daemon('master', 0, undefined, undefined, undefined, undefined),
  ),
  'ipvs-daemon-start-backup-full4-request': startSyncDaemonRequest(
    daemon('backup', 7, 1400, '224.0.0.88', 9848, 4),
  ),
  'ipvs-daemon-start-master-v6-request': startSyncDaemonRequest(
    daemon('master', 9, undefined, 'ff02::58', 8850, 2),
  ),
};

function daemon(
  role: SyncDaemon['role'],
  syncId: number,
  maxLength: number | undefined,
  group: string | undefined,
  port: number | undefined,
  ttl: number | undefined,
): SyncDaemon {
  const address = group === undefined ? undefined : ip(group);
  return { role, interface: 'dummy0', syncId, maxLength, group: address, port, ttl };
}

/** Our request beside the captured one: the same meaning, and the same bytes where nothing is superfluous. */
function checkOperation(t: Test, captured: Uint8Array, expected: Operation): void {
  const ours = operationRequest(expected);
  if (expected.kind === 'delete-dest') {
    const read = readDest(nest(captured, 2) ?? AttributeReader.over(captured, 4), 'ipv4');
    t.strictSame(read.key, expected.dest);
    t.ok(nestBytes(captured, 2).startsWith(nestBytes(ours, 2)), 'ours is the identity alone');
    t.strictSame(readServiceKey(nest(captured, 1) ?? AttributeReader.over(captured, 4)), expected.service);
    return;
  }
  t.strictSame(meaning(captured), expected);
  t.strictSame(meaning(ours), expected);
  if (expected.kind === 'add-service' || expected.kind === 'edit-service') {
    t.equal(toHex(ours), toHex(captured), 'byte by byte');
  } else {
    // ipvsadm and keepalived send meaningless settings of the service along with its identity.
    t.ok(nestBytes(captured, 1).startsWith(nestBytes(ours, 1)), 'the service is named alike');
  }
}

function checkRequest(t: Test, vector: Vector): void {
  const payloads = splitDatagram(vector.bytes).map(({ payload }) => payload);
  const payload = payloads[0] ?? new Uint8Array(0);
  const other = OTHER_REQUESTS[vector.name];
  const command = parseIpvsadm(vector.source);
  const keepalived = KEEPALIVED[vector.name];
  if (vector.name === 'ipvs-batch-5-messages-one-send') {
    t.strictSame(payloads.slice(0, 4).map(meaning), BATCH);
    // python did not set F_NESTED.
    t.equal(nestBytes(payloads[4] ?? payload, 1), nestBytes(serviceRequest(tcp('192.0.2.10', 400)), 1));
  } else if (other !== undefined) {
    t.equal(toHex(other), toHex(payload), 'byte by byte');
  } else if (vector.name === 'ipvs-daemon-stop-master-request') {
    t.equal(nestBytes(stopSyncDaemonRequest('master'), 3), nestBytes(payload, 3).slice(0, 16));
  } else if (keepalived !== undefined) {
    checkOperation(t, payload, keepalived);
  } else if (command?.kind === 'read' || command?.kind === 'zero') {
    const ours = command.kind === 'read' ? serviceRequest(command.key) : zeroRequest(command.key);
    t.equal(readGenlHeader(ours).command, readGenlHeader(payload).command);
    t.strictSame(readServiceKey(nest(payload, 1) ?? AttributeReader.over(payload, 4)), command.key);
    t.ok(nestBytes(payload, 1).startsWith(nestBytes(ours, 1)));
  } else if (command !== undefined && command.kind !== 'flush') {
    checkOperation(t, payload, command);
  } else {
    t.fail(`nothing is expected of ${vector.name}`);
  }
}

t.test('every captured request says what the codec says', async (t) => {
  const vectors = loadVectors('ipvs-request');
  for (const vector of vectors) await t.test(vector.name, async (t) => checkRequest(t, vector));
  t.equal(vectors.length, 58, 'none is skipped');
});

t.test('whole destinations are written as ipvsadm writes them', async (t) => {
  let checked = 0;
  for (const { name, source, bytes } of loadVectors('ipvs-request')) {
    const command = parseIpvsadm(source);
    if (command?.kind !== 'add-dest' && command?.kind !== 'edit-dest') continue;
    const [message] = splitDatagram(bytes);
    t.equal(nestBytes(operationRequest(command), 2), nestBytes(message?.payload ?? bytes, 2), name);
    checked += 1;
  }
  t.equal(checked, 16);
});

/** The destinations that the captured ipvsadm commands had made in a service when it was dumped. */
function destsMade(service: ServiceKey): Map<string, DestSettings> {
  const made = new Map<string, DestSettings>();
  for (const { source } of loadVectors('ipvs-request')) {
    const command = parseIpvsadm(source);
    if (command?.kind !== 'add-dest' && command?.kind !== 'edit-dest') continue;
    if (JSON.stringify(command.service) !== JSON.stringify(service)) continue;
    made.set(command.dest.key.address, command.dest.settings);
  }
  return made;
}

const COUNTED: Stats = {
  connections: 7n,
  packetsIn: 31n,
  packetsOut: 24n,
  bytesIn: 8668n,
  bytesOut: 22304n,
  connectionsPerSecond: 1n,
  packetsInPerSecond: 4n,
  packetsOutPerSecond: 3n,
  bytesInPerSecond: 1083n,
  bytesOutPerSecond: 2788n,
};
const FALLBACK_AND_PORT = { flag1: true, flag2: true, flag3: false };
const SEEN = { key: tcp('10.99.0.1', 8080), settings: PLAIN, stats: COUNTED };

const ANSWERS: Readonly<Record<string, unknown>> = {
  'ipvs-getinfo-reply': { version: '1.2.1', connectionTableSize: 4096 },
  'ipvs-get-service-reply': {
    key: tcp('192.0.2.10', 80),
    settings: { ...PLAIN, scheduler: 'wrr' },
    stats: NO_STATS,
  },
  'ipvs-get-service-fwm-reply': {
    key: { kind: 'fwmark', family: 'ipv4', mark: 100 },
    settings: { ...PLAIN, scheduler: 'sh', schedulerFlags: FALLBACK_AND_PORT },
    stats: NO_STATS,
  },
  'ipvs-get-service-v6-reply': {
    key: tcp('2001:db8::10', 443),
    settings: { ...PLAIN, scheduler: 'mh', schedulerFlags: FALLBACK_AND_PORT },
    stats: NO_STATS,
  },
  'ipvs-get-config-reply-default': { tcp: 900, tcpFin: 120, udp: 300 },
  'ipvs-get-config-reply-7200-60-120': { tcp: 7200, tcpFin: 60, udp: 120 },
  'ipvs-get-service-reply-nonzero-stats': SEEN,
  'ipvs-get-service-reply-nonzero-stats-noPAD': SEEN,
};

function readAnswer(payload: Uint8Array): unknown {
  const { command } = readGenlHeader(payload);
  if (command === 1) return readServiceAnswer(payload);
  if (command === 12) return readTimeoutsAnswer(payload);
  return readInfoAnswer(payload);
}

t.test('every captured answer is read', async (t) => {
  const vectors = loadVectors('ipvs-reply');
  for (const { name, bytes } of vectors) {
    const [message] = splitDatagram(bytes);
    t.strictSame(readAnswer(message?.payload ?? bytes), ANSWERS[name], name);
  }
  t.equal(vectors.length, 8, 'none is skipped');
});

t.test('every captured dump is read', async (t) => {
  const dumps = new Map(loadVectors('ipvs-dump').map(({ name, bytes }) => [name, splitDatagram(bytes)]));
  const dests = (name: string) =>
    (dumps.get(name) ?? []).map(({ payload }) => readDestAnswer(payload, 'ipv4'));
  const daemons = (name: string) =>
    (dumps.get(name) ?? []).map(({ payload }) => readSyncDaemonAnswer(payload));

  const four = dests('ipvs-get-dests-dump-datagram');
  t.strictSame(
    four.map(({ key }) => key.address),
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((last) => `10.0.0.${last}`),
  );
  const made = destsMade(tcp('192.0.2.10', 80));
  for (const { key, settings } of four) {
    // This one was edited by a command that was not captured.
    const edited = {
      ...EQUAL,
      weight: 21,
      forward: { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' },
    };
    t.strictSame(settings, key.address === '10.0.0.2' ? edited : made.get(key.address), key.address);
  }
  const six = dests('ipvs-get-dests-v6-dump-datagram');
  const made6 = destsMade(tcp('2001:db8::10', 443));
  t.strictSame(
    six.map(({ key }) => key.port),
    [443, 443, 443, 8443],
  );
  for (const { key, settings } of six) {
    if (made6.has(key.address)) t.strictSame(settings, made6.get(key.address), key.address);
  }
  t.strictSame(dests('ipvs-get-dests-dump-nonzero-stats'), [
    {
      key: { address: ip('10.77.0.1'), port: 8080 },
      settings: { ...EQUAL, weight: 3 },
      active: 4,
      inactive: 3,
      persistent: 0,
      stats: COUNTED,
    },
  ]);
  t.strictSame(daemons('ipvs-get-daemon-dump-two'), [
    daemon('master', 0, 1472, '224.0.0.81', 8848, 1),
    daemon('backup', 7, 1400, '224.0.0.88', 9848, 4),
  ]);
  t.strictSame(daemons('ipvs-get-daemon-dump-v6'), [daemon('master', 9, 1452, 'ff02::58', 8850, 2)]);
  t.equal(dumps.size, 5, 'none is skipped');
});

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
