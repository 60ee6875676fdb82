/** What meets whom, and how. */
import { frr } from './peers/frr.js';
import { keepalived } from './peers/keepalived.js';
import { lvsentry } from './peers/lvsentry.js';
import type { Mode, Peer } from './peers/model.js';

const IPV4 = ['10.77.0.100/24'];
/** RFC 5798 5.2.9: the first address is link-local. */
const IPV6 = ['fe80::100/64', '2001:db8:77::100/64'];

/** Version 2 counts in seconds. */
const SLOW = 1000;
const QUICK = 200;

const version2 = { version: 2, family: 'ipv4', cast: 'multicast', interval: SLOW, vips: IPV4 } as const;
const version3 = { version: 3, family: 'ipv4', cast: 'multicast', interval: QUICK, vips: IPV4 } as const;
const version6 = { ...version3, family: 'ipv6', vips: IPV6 } as const;

export const MODES: readonly Mode[] = [
  { ...version2, name: 'version 2' },
  { ...version2, name: 'version 2 with a password', password: 's3cret' },
  { ...version3, name: 'version 3, IPv4' },
  { ...version6, name: 'version 3, IPv6' },
  { ...version3, name: 'unicast, IPv4', cast: 'unicast' },
  { ...version6, name: 'unicast, IPv6', cast: 'unicast' },
];

export const PEERS: readonly Peer[] = [lvsentry, keepalived, frr];

/** One pairing in one mode: `high` is host a, `low` is host b. */
export interface Cell {
  readonly mode: Mode;
  readonly high: Peer;
  readonly low: Peer;
  /** Why there is no such cell. */
  readonly cannot: string | undefined;
}

/** Every mode with every pairing, in both orders. Those without us show what is a peer's own behaviour. */
export const CELLS: readonly Cell[] = MODES.flatMap((mode) =>
  PEERS.flatMap((high) =>
    PEERS.map((low) => ({ mode, high, low, cannot: high.cannot(mode) ?? low.cannot(mode) })),
  ),
);

export function nameOf({ mode, high, low }: Cell): string {
  return `${mode.name}: ${high.name} over ${low.name}`;
}
