/** What the tests of the IPVS codec share: plain values, and what a request says when the codec reads it. */
import { ip } from '../../src/core/ip.js';
import { readDest } from '../../src/ipvs/codec-dest.js';
import { readService, readServiceKey } from '../../src/ipvs/codec-service.js';
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
import { AttributeReader } from '../../src/wire/attributes.js';
import { readGenlHeader } from '../../src/wire/genetlink.js';
import { toHex } from '../wire/vectors.js';

export const PLAIN: ServiceSettings = {
  scheduler: 'rr',
  schedulerFlags: { flag1: false, flag2: false, flag3: false },
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
};
export const EQUAL: DestSettings = {
  forward: { method: 'masquerade' },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
export function tcp(address: string, port: number): ServiceKey {
  return { kind: 'address', protocol: 'tcp', address: ip(address), port };
}

/** The nest of this type at the top of a payload. */
export function nest(payload: Uint8Array, type: number): AttributeReader | undefined {
  const reader = AttributeReader.over(payload, 4);
  while (reader.next()) if (reader.type === type) return reader.nested();
  return undefined;
}

export function nestBytes(payload: Uint8Array, type: number): string {
  const reader = AttributeReader.over(payload, 4);
  while (reader.next()) if (reader.type === type) return toHex(reader.bytes());
  return '';
}

const without = <Value extends object>(value: Value, ...names: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** What a request of the table's own commands (1-7) says, read by the codec. */
export function meaning(payload: Uint8Array): Operation {
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

export function daemon(
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
