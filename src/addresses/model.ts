/**
 * What an instance puts into the kernel while it is master: addresses, routes, rules (rtnetlink). Types only.
 * Numbers are those of linux/rtnetlink.h and linux/if_addr.h.
 */
import type { Family, Ip } from '../core/ip.js';
import type { Mac } from '../core/mac.js';

export interface Prefix {
  readonly address: Ip;
  readonly length: number;
}

export interface VirtualAddress {
  readonly kind: 'address';
  /** Name of the interface that has it. */
  readonly device: string;
  readonly address: Ip;
  readonly prefix: number;
  readonly broadcast: Ip | undefined;
  /** IPv4 only: `eth0:vip`. */
  readonly label: string | undefined;
  /** RT_SCOPE: 0 universe, 253 link, 254 host. */
  readonly scope: number;
  /** IPv6: no duplicate address detection, so that it can be used at once. */
  readonly noDad: boolean;
  /** IPv6: preferred lifetime 0, so that it is never chosen as source. */
  readonly deprecated: boolean;
}

export interface VirtualRoute {
  readonly kind: 'route';
  readonly destination: Prefix;
  readonly gateway: Ip | undefined;
  /** Undefined: the link that the gateway is on, whichever it is. */
  readonly device: string | undefined;
  readonly source: Ip | undefined;
  /** 254 is main. */
  readonly table: number;
  /** Never 0 for IPv6: the kernel makes 1024 of it. */
  readonly metric: number;
  /** RTN: 1 unicast, 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly type: number;
}

export interface VirtualRule {
  readonly kind: 'rule';
  readonly family: Family;
  readonly priority: number;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly inputDevice: string | undefined;
  readonly outputDevice: string | undefined;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly table: number;
}

export type VirtualObject = VirtualAddress | VirtualRoute | VirtualRule;

/** One object as the kernel has it. */
export interface ObjectSeen {
  readonly object: VirtualObject;
  /** IFA_PROTO, rtm_protocol or FRA_PROTOCOL: who made it; 0 where the kernel does not say. */
  readonly protocol: number;
  /** IPv6: it may not be used yet, or at all: duplicate address detection (IFA_F_TENTATIVE). */
  readonly tentative: boolean;
  /** IPv6: duplicate address detection found that somebody else has it (IFA_F_DADFAILED). */
  readonly duplicate: boolean;
}

/** One object of one instance, and whether the instance's role calls for it. */
export interface ObjectWanted {
  readonly instance: string;
  readonly object: VirtualObject;
  /** `present` while master, else `absent`. */
  readonly want: 'present' | 'absent';
  /** The interface has it with or without us (the owner's addresses): never removed. */
  readonly native: boolean;
  /** The instance sends from an address of this interface: the last one that we did not make is never removed. */
  readonly keepLast?: boolean;
}

export type ObjectCause =
  /** The instance is master. */
  | 'master'
  /** Somebody else took it away: it is put back, announced and reported. */
  | 'put-back'
  /** It is there with other settings. */
  | 'changed'
  /** The instance is not master. */
  | 'not-master'
  /** It bears our tag and no instance knows it: a predecessor died, or the configuration changed. */
  | 'leftover';

/** One thing to do; `adopt` and `conflict` change nothing in the kernel. */
export type ObjectOperation =
  | {
      readonly kind: 'add';
      readonly instance: string;
      readonly object: VirtualObject;
      readonly cause: ObjectCause;
    }
  | {
      readonly kind: 'remove';
      readonly instance: string | undefined;
      readonly object: VirtualObject;
      readonly cause: ObjectCause;
    }
  /** It is there already, left by a predecessor or by hand: it is ours from now on. */
  | { readonly kind: 'adopt'; readonly instance: string; readonly object: VirtualObject }
  /** It is there and cannot be used: another host has the address. */
  | { readonly kind: 'conflict'; readonly instance: string; readonly object: VirtualObject };

/** One link, as far as virtual routers care. */
export interface LinkSeen {
  readonly index: number;
  readonly name: string;
  /** Administratively up. */
  readonly up: boolean;
  /** Up, and with a carrier. */
  readonly usable: boolean;
  readonly mac: Mac | undefined;
  /** Bytes; 0 where the kernel does not say. */
  readonly mtu: number;
  /** The link below a macvlan. */
  readonly parent: number | undefined;
  /** MACVLAN_MODE; undefined for other links. */
  readonly macvlanMode: number | undefined;
  readonly alias: string | undefined;
}

/** The link that has an instance's virtual MAC: a private macvlan over its interface. */
export interface VirtualLink {
  readonly name: string;
  readonly parent: string;
  readonly mac: Mac;
  /** Whether it gets IPv6 addresses. */
  readonly ipv6: boolean;
}

/** One address of a link, whoever made it. */
export interface AddressSeen {
  readonly index: number;
  readonly address: Ip;
  readonly prefix: number;
  /** Not the first of its subnet (IPv4). */
  readonly secondary: boolean;
  /** It may not be used yet, or at all: duplicate address detection. */
  readonly tentative: boolean;
  readonly seen: (device: string) => ObjectSeen;
}

/** One route, whoever made it. */
export interface RouteSeen {
  /** Of the link that it leaves by; some have none. */
  readonly index: number | undefined;
  readonly seen: (device: string | undefined) => ObjectSeen;
}

/**
 * What a notification says. `routes`: some of our routes or rules may be other ones now. `lost`: some were lost;
 * everything has to be read anew.
 */
export type Notice =
  | { readonly kind: 'routes' }
  | { readonly kind: 'link'; readonly link: LinkSeen; readonly gone: boolean }
  | { readonly kind: 'address'; readonly address: AddressSeen; readonly gone: boolean }
  | { readonly kind: 'lost' };
