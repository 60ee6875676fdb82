/**
 * IPVS over generic netlink (linux/ip_vs.h): payloads of requests from values of model.ts, values from payloads of
 * answers. A payload is genlmsghdr and attributes; the netlink header is the connection's.
 */
import { unreachable } from '../core/assert.js';
import { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import type { Family } from '../core/ip.js';
import { AttributeReader, NLA, putNest, putU32le } from '../wire/attributes.js';
import { GENL_HDRLEN, readGenlHeader, writeGenlHeader } from '../wire/genetlink.js';
import { required } from './codec-common.js';
import { putSyncDaemon, putSyncRole, readSyncDaemon } from './codec-daemon.js';
import { putDest, putDestKey, readDest } from './codec-dest.js';
import { putService, putServiceKey, readService } from './codec-service.js';
import type {
  Dest,
  DestSeen,
  IpvsInfo,
  Operation,
  Service,
  ServiceKey,
  ServiceSeen,
  SyncDaemon,
  SyncRole,
  Timeouts,
} from './model.js';

/** IPVS_GENL_NAME: the family to look up. */
export const IPVS_FAMILY = 'IPVS';

/** IPVS_GENL_VERSION; the kernel does not look at it. */
const IPVS_VERSION = 1;

/** enum IPVS_CMD_* */
const CMD = {
  NEW_SERVICE: 1,
  SET_SERVICE: 2,
  DEL_SERVICE: 3,
  GET_SERVICE: 4,
  NEW_DEST: 5,
  SET_DEST: 6,
  DEL_DEST: 7,
  GET_DEST: 8,
  NEW_DAEMON: 9,
  DEL_DAEMON: 10,
  GET_DAEMON: 11,
  SET_CONFIG: 12,
  GET_CONFIG: 13,
  SET_INFO: 14,
  GET_INFO: 15,
  ZERO: 16,
  FLUSH: 17,
} as const;

/** IPVS_CMD_ATTR_*: the nests and values at the top of a payload. */
const ATTR = { SERVICE: 1, DEST: 2, DAEMON: 3, TIMEOUT_TCP: 4, TIMEOUT_TCP_FIN: 5, TIMEOUT_UDP: 6 } as const;

/** IPVS_INFO_ATTR_*: a numbering of its own at the top of SET_INFO. */
const INFO = { VERSION: 1, CONN_TAB_SIZE: 2 } as const;

function request(fill: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(256);
  fill(writer);
  return writer.finish();
}

function begin(writer: ByteWriter, command: number): void {
  writeGenlHeader(writer, { command, version: IPVS_VERSION });
}

function nest(writer: ByteWriter, type: number, fill: (writer: ByteWriter) => void): void {
  putNest(writer, type | NLA.F_NESTED, fill);
}

function nestService(writer: ByteWriter, service: Service): void {
  nest(writer, ATTR.SERVICE, (inner) => putService(inner, service));
}

function nestServiceKey(writer: ByteWriter, key: ServiceKey): void {
  nest(writer, ATTR.SERVICE, (inner) => putServiceKey(inner, key));
}

function nestDest(writer: ByteWriter, dest: Dest): void {
  nest(writer, ATTR.DEST, (inner) => putDest(inner, dest));
}

const bare = (command: number): Uint8Array => request((writer) => begin(writer, command));

const onServiceKey = (command: number, key: ServiceKey): Uint8Array =>
  request((writer) => {
    begin(writer, command);
    nestServiceKey(writer, key);
  });

/** Writes one change of the table. @throws MALFORMED for values that the kernel's attributes cannot hold */
export function writeOperation(writer: ByteWriter, operation: Operation): void {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      begin(writer, operation.kind === 'add-service' ? CMD.NEW_SERVICE : CMD.SET_SERVICE);
      nestService(writer, operation.service);
      break;
    case 'delete-service':
      begin(writer, CMD.DEL_SERVICE);
      nestServiceKey(writer, operation.key);
      break;
    case 'add-dest':
    case 'edit-dest':
      begin(writer, operation.kind === 'add-dest' ? CMD.NEW_DEST : CMD.SET_DEST);
      nestServiceKey(writer, operation.service);
      nestDest(writer, operation.dest);
      break;
    case 'delete-dest':
      begin(writer, CMD.DEL_DEST);
      nestServiceKey(writer, operation.service);
      nest(writer, ATTR.DEST, (inner) => putDestKey(inner, operation.dest));
      break;
    default:
      unreachable(operation);
  }
}

/** One change of the table, alone. @throws MALFORMED for values that the kernel's attributes cannot hold */
export function operationRequest(operation: Operation): Uint8Array {
  return request((writer) => writeOperation(writer, operation));
}

/** One service (do), or all of them without a key (dump). */
export function serviceRequest(key?: ServiceKey): Uint8Array {
  return key === undefined ? bare(CMD.GET_SERVICE) : onServiceKey(CMD.GET_SERVICE, key);
}

/** The destinations of one service (dump). The kernel answers with none where the service is missing. */
export function destsRequest(service: ServiceKey): Uint8Array {
  return onServiceKey(CMD.GET_DEST, service);
}

/** The connection-synchronisation daemons (dump). */
export function syncDaemonsRequest(): Uint8Array {
  return bare(CMD.GET_DAEMON);
}

/** @throws MALFORMED */
export function startSyncDaemonRequest(daemon: SyncDaemon): Uint8Array {
  return request((writer) => {
    begin(writer, CMD.NEW_DAEMON);
    nest(writer, ATTR.DAEMON, (inner) => putSyncDaemon(inner, daemon));
  });
}

export function stopSyncDaemonRequest(role: SyncRole): Uint8Array {
  return request((writer) => {
    begin(writer, CMD.DEL_DAEMON);
    nest(writer, ATTR.DAEMON, (inner) => putSyncRole(inner, role));
  });
}

/** Absent time-outs stay as they are. @throws MALFORMED */
export function setTimeoutsRequest({ tcp, tcpFin, udp }: Partial<Timeouts>): Uint8Array {
  return request((writer) => {
    begin(writer, CMD.SET_CONFIG);
    if (tcp !== undefined) putU32le(writer, ATTR.TIMEOUT_TCP, tcp);
    if (tcpFin !== undefined) putU32le(writer, ATTR.TIMEOUT_TCP_FIN, tcpFin);
    if (udp !== undefined) putU32le(writer, ATTR.TIMEOUT_UDP, udp);
  });
}

export function timeoutsRequest(): Uint8Array {
  return bare(CMD.GET_CONFIG);
}

export function infoRequest(): Uint8Array {
  return bare(CMD.GET_INFO);
}

/** Zeroes the counters of one service, or of everything. */
export function zeroRequest(key?: ServiceKey): Uint8Array {
  return key === undefined ? bare(CMD.ZERO) : onServiceKey(CMD.ZERO, key);
}

export function flushRequest(): Uint8Array {
  return bare(CMD.FLUSH);
}

function answer(payload: Uint8Array, command: number): AttributeReader {
  const header = readGenlHeader(payload);
  if (header.command !== command) {
    throw new LvsError('MALFORMED', `IPVS answered with command ${header.command} where ${command} belongs`);
  }
  return AttributeReader.over(payload, GENL_HDRLEN);
}

/** The only nest of an answer. */
function answerNest(payload: Uint8Array, command: number, type: number): AttributeReader {
  const reader = answer(payload, command);
  while (reader.next()) if (reader.type === type) return reader.nested();
  throw new LvsError('MALFORMED', `IPVS answered command ${command} without attribute ${type}`);
}

/** A service; undefined for one of a protocol that we have no word for (see readService). @throws TRUNCATED, MALFORMED */
export function readServiceAnswer(payload: Uint8Array): ServiceSeen | undefined {
  return readService(answerNest(payload, CMD.NEW_SERVICE, ATTR.SERVICE));
}

/** A destination of a service of this family. @throws TRUNCATED, MALFORMED */
export function readDestAnswer(payload: Uint8Array, serviceFamily: Family): DestSeen {
  return readDest(answerNest(payload, CMD.NEW_DEST, ATTR.DEST), serviceFamily);
}

/** @throws TRUNCATED, MALFORMED */
export function readSyncDaemonAnswer(payload: Uint8Array): SyncDaemon {
  return readSyncDaemon(answerNest(payload, CMD.NEW_DAEMON, ATTR.DAEMON));
}

/** @throws TRUNCATED, MALFORMED */
export function readTimeoutsAnswer(payload: Uint8Array): Timeouts {
  const reader = answer(payload, CMD.SET_CONFIG);
  let [tcp, tcpFin, udp]: (number | undefined)[] = [];
  while (reader.next()) {
    if (reader.type === ATTR.TIMEOUT_TCP) tcp = reader.u32le();
    else if (reader.type === ATTR.TIMEOUT_TCP_FIN) tcpFin = reader.u32le();
    else if (reader.type === ATTR.TIMEOUT_UDP) udp = reader.u32le();
  }
  return {
    tcp: required(tcp, 'CMD_ATTR_TIMEOUT_TCP'),
    tcpFin: required(tcpFin, 'CMD_ATTR_TIMEOUT_TCP_FIN'),
    udp: required(udp, 'CMD_ATTR_TIMEOUT_UDP'),
  };
}

/** @throws TRUNCATED, MALFORMED */
export function readInfoAnswer(payload: Uint8Array): IpvsInfo {
  const reader = answer(payload, CMD.SET_INFO);
  let [version, size]: (number | undefined)[] = [];
  while (reader.next()) {
    if (reader.type === INFO.VERSION) version = reader.u32le();
    else if (reader.type === INFO.CONN_TAB_SIZE) size = reader.u32le();
  }
  const number = required(version, 'INFO_ATTR_VERSION');
  // NVERSION: one byte each for major, minor and patch.
  return {
    version: `${(number >> 16) & 0xff}.${(number >> 8) & 0xff}.${number & 0xff}`,
    connectionTableSize: required(size, 'INFO_ATTR_CONN_TAB_SIZE'),
  };
}
