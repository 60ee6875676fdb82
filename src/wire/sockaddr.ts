/** struct sockaddr_in and sockaddr_in6 (netinet/in.h): the family in the machine's order, the port in the network's. */
import { assert } from '../core/assert.js';
import { type Ip, ipBytes, ipFamily } from '../core/ip.js';

const AF_INET = 2;
const AF_INET6 = 10;

/** An address and port as connect(2) and bind(2) take it: 16 bytes (IPv4) or 28 (IPv6). */
export function encodeSockaddr(address: Ip, port: number): Uint8Array {
  assert(Number.isInteger(port) && port >= 0 && port <= 65_535, 'a port has 16 bits');
  const isV6 = ipFamily(address) === 'ipv6';
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  bytes.set(ipBytes(address), isV6 ? 8 : 4);
  return bytes;
}
