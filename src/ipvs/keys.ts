import { unreachable } from '../core/assert.js';
import { endpointText, type Family, ipFamily } from '../core/ip.js';
import type { DestKey, Operation, Service, ServiceKey } from './model.js';

/** `tcp 192.0.2.1:80`, `udp [2001:db8::1]:53`, `fwmark 10 ipv4`: unique, for maps, logs and people. */
export function serviceText(key: ServiceKey): string {
  return key.kind === 'fwmark'
    ? `fwmark ${key.mark} ${key.family}`
    : `${key.protocol} ${endpointText(key.address, key.port)}`;
}

/** `tcp 192.0.2.1:80`, and of several the first and how many more: `tcp 192.0.2.1:80 and 15 more`. For people. */
export function entriesText(entries: readonly [Pick<Service, 'key'>, ...Pick<Service, 'key'>[]]): string {
  const first = serviceText(entries[0].key);
  return entries.length === 1 ? first : `${first} and ${entries.length - 1} more`;
}

/** `192.0.2.1:80`: unique within a service. */
export function destText(key: DestKey): string {
  return endpointText(key.address, key.port);
}

export function serviceFamily(key: ServiceKey): Family {
  return key.kind === 'fwmark' ? key.family : ipFamily(key.address);
}

/** The entry that an operation changes: `serviceText`, and `destText` where it is about a server. */
export function entryOf(operation: Operation): readonly [service: string, dest: string | undefined] {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return [serviceText(operation.service.key), undefined];
    case 'delete-service':
      return [serviceText(operation.key), undefined];
    case 'add-dest':
    case 'edit-dest':
      return [serviceText(operation.service), destText(operation.dest.key)];
    case 'delete-dest':
      return [serviceText(operation.service), destText(operation.dest)];
    default:
      return unreachable(operation);
  }
}
