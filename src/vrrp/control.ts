/** Control data of a packet of IPv6 (struct cmsghdr, linux/in6.h): where it was sent to, where it came in, and its hops. */
import { ByteReader } from '../core/bytes.js';
import { type Ip, ipFromBytes } from '../core/ip.js';

export const IPPROTO_IPV6 = 41;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;

/** sizeof(struct cmsghdr) { u64 length; i32 level; i32 type } on 64-bit machines. */
export const CMSGHDR_BYTES = 16;

export interface Control {
  readonly destination: Ip;
  /** Of the interface that it came in on. */
  readonly index: number;
  readonly hops: number;
}

/** Undefined where the kernel left one out. */
export function readControl(control: Uint8Array): Control | undefined {
  let destination: Ip | undefined;
  let hops: number | undefined;
  let index = 0;
  const reader = new ByteReader(control);
  while (reader.left >= CMSGHDR_BYTES) {
    const length = Number(reader.u64le()) - CMSGHDR_BYTES;
    const level = reader.i32le();
    const type = reader.i32le();
    if (length < 0 || length > reader.left) break;
    const data = new ByteReader(reader.take(length));
    if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
      destination = ipFromBytes(data.take(16));
      index = data.i32le();
    }
    if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT) hops = data.i32le();
    reader.skip(Math.min((8 - (length % 8)) % 8, reader.left));
  }
  return destination === undefined || hops === undefined ? undefined : { destination, index, hops };
}
