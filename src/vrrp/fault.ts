/** Why an instance cannot take part, in words: what, where, and what to do. */
import { unreachable } from '../core/assert.js';
import type { Fault } from './model.js';

/** One fault as a clause. */
export function faultText({ kind, name }: Fault): string {
  switch (kind) {
    case 'no-interface':
      return `there is no interface ${name}`;
    case 'link-down':
      return `${name} is down, or has no carrier`;
    case 'no-address': {
      const [device, family] = name.split(' ');
      const own = family === 'ipv6' ? 'link-local IPv6 address' : 'IPv4 address';
      return `${device} has no ${own} of its own to send from (only priority 255 sends from a virtual IP)`;
    }
    case 'no-source':
      return `${name}, the source of its adverts, is no address of this machine`;
    case 'tracked':
      return `what it tracks failed: ${name}`;
    case 'group':
      return `${name} of its sync group cannot take part`;
    case 'addresses':
      return `its virtual IPs cannot be set: ${name}`;
    case 'sockets':
      return name;
    default:
      return unreachable(kind);
  }
}
