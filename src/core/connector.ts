/** The rows that a connector (ports.ts) takes and gives. */

/** What a row of `Connector.start` holds, by its place among CONNECT_ROW integers; offsets and lengths are of the slab. */
export const CONNECT = {
  slot: 0,
  /** struct sockaddr_in or sockaddr_in6. */
  address: 1,
  addressLength: 2,
  /** The source, as such; length 0: the kernel's choice. */
  source: 3,
  sourceLength: 4,
  /** Name of the interface; length 0: any. */
  device: 5,
  deviceLength: 6,
  /** What is sent when the connection stands. */
  payload: 7,
  payloadLength: 8,
  /** SO_MARK; 0: none. */
  mark: 9,
  /** CONNECT_READ, CONNECT_FIN. */
  flags: 10,
  /** Written: 0 under way, 1 it stood and is closed, 2 it stands; -errno. */
  result: 11,
  /** Written: microseconds that it took; 0 while under way. */
  micros: 12,
} as const;
export const CONNECT_ROW = 13;
/** Keep the connection, and tell of what comes. */
export const CONNECT_READ = 1;
/** Close with FIN, not with a reset. */
export const CONNECT_FIN = 2;

/** What a row of `Connector.collect` holds, by its place among COLLECT_ROW integers. */
export const COLLECT = {
  slot: 0,
  /** LINK_*; after `done`, `end` and `failed` the slot is free. */
  kind: 1,
  /** Bytes that came, or the errno. */
  value: 2,
  /** Microseconds since the start of the slot. */
  micros: 3,
  /** Of the bytes in the slab. */
  offset: 4,
} as const;
export const COLLECT_ROW = 5;
export const LINK = { connected: 1, done: 2, data: 3, end: 4, failed: 5 } as const;
