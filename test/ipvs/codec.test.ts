import t, { type Test } from 'tap';
import { ip } from '../../src/core/ip.js';
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
import { readDest } from '../../src/ipvs/codec-dest.js';
import { readServiceKey } from '../../src/ipvs/codec-service.js';
import type { DestSettings, Forward, Operation, ServiceKey, Stats } from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { AttributeReader } from '../../src/wire/attributes.js';
import { readGenlHeader } from '../../src/wire/genetlink.js';
import { splitDatagram } from '../../src/wire/netlink.js';
import { loadVectors, toHex, type Vector } from '../wire/vectors.js';
import { parseIpvsadm } from './ipvsadm.js';
import { daemon, EQUAL, meaning, nest, nestBytes, PLAIN, tcp } from './meaning.js';

const DIRECT: Forward = { method: 'direct' };

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
    stats: ZERO_STATS,
  },
  'ipvs-get-service-fwm-reply': {
    key: { kind: 'fwmark', family: 'ipv4', mark: 100 },
    settings: { ...PLAIN, scheduler: 'sh', schedulerFlags: FALLBACK_AND_PORT },
    stats: ZERO_STATS,
  },
  'ipvs-get-service-v6-reply': {
    key: tcp('2001:db8::10', 443),
    settings: { ...PLAIN, scheduler: 'mh', schedulerFlags: FALLBACK_AND_PORT },
    stats: ZERO_STATS,
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
