/**
 * Virtual routers ("instances"): configuration, state, events, effects. Types only.
 * Sections are those of RFC 5798 and RFC 9568, which number alike; RFC 3768 (version 2) does too, up to 6.4.3.
 */
import type { Family, Ip } from '../core/ip.js';
import type { Millis } from '../core/units.js';
import type { ChecksumForm, VrrpVersion } from './packet.js';

/** What the state machine needs to know of an instance (6.1). */
export interface InstanceRule {
  readonly version: VrrpVersion;
  /** Between our own adverts. Version 2: whole seconds, 1-255. Version 3: 10 ms to 40.95 s in steps of 10 ms. */
  readonly interval: Millis;
  /** A master is down after this many intervals without an advert, and the skew. The RFC says 3. */
  readonly downAdverts: number;
  /** Whether we take over from a living master of lower priority. The owner always does (6.1). */
  readonly preempt: boolean;
  /** From the first advert of a lower master until we preempt it. A silent master is replaced without it. */
  readonly preemptDelay: Millis;
  /** From start-up until the instance begins; adverts are not heard before. */
  readonly startupDelay: Millis;
  /** After a start or a fault: no preemption for this long, so that connections can be synchronised first. */
  readonly failbackDelay: Millis;
  /** No preemption before the event `ready`. */
  readonly waitReady: boolean;
  /** Accept_Mode (6.1): packets to the virtual IPs are for us while we are master. The owner always accepts. */
  readonly accept: boolean;
  /** Member of a sync group: it does not become master by itself but says that it wants to. */
  readonly grouped: boolean;
}

/** One other router that may send us unicast adverts, and how far away it may be. */
export interface Peer {
  readonly address: Ip;
  /** TTL or hop limit on arrival: 255 is the same link. */
  readonly hopsMin: number;
  readonly hopsMax: number;
}

/** Where adverts go and whose are heard. */
export type Cast =
  | {
      readonly kind: 'multicast';
      readonly group: Ip /** Undefined: the interface's primary. */;
      readonly source: Ip | undefined;
    }
  | {
      readonly kind: 'unicast';
      readonly source: Ip;
      readonly peers: readonly Peer[];
      /** Only the peers are heard. */
      readonly checkSource: boolean;
    };

export type HmacMode =
  /** Unsigned adverts are refused. */
  | 'enforce'
  /** Unsigned adverts are heard, wrongly signed ones are not; ours are signed. */
  | 'permissive'
  /** As permissive, and ours are not signed. */
  | 'receive-only';

/** keepalived 2.4's `auth_hmac`, without the keys themselves. */
export interface HmacRule {
  readonly mode: HmacMode;
  /** Id of the key that signs, 1-255. */
  readonly activeKey: number;
  /** `time` refuses what is further from our clock than `window`; `monotonic` only what does not grow. */
  readonly antiReplay: 'time' | 'monotonic';
  readonly window: Millis;
}

export type Auth =
  | { readonly kind: 'none' }
  /** Version 2, 8 bytes as they are on the wire. */
  | { readonly kind: 'password'; readonly data: Uint8Array }
  | { readonly kind: 'hmac'; readonly rule: HmacRule };

/** How often a virtual IP is announced (gratuitous ARP, unsolicited neighbour advertisement). */
export interface AnnounceRule {
  /** Packets for each virtual IP in the burst after becoming master. */
  readonly repeat: number;
  /** From the first burst to a second equal one; 0: no second. */
  readonly delay: Millis;
  /** Between refreshes while master; 0: none. */
  readonly refresh: Millis;
  readonly refreshRepeat: number;
  /** The burst after an advert of a lower master, and its second one. */
  readonly lowerRepeat: number;
  readonly lowerDelay: Millis;
  /** Between two packets on the interface, whosever they are. */
  readonly spacing: Millis;
}

/** How long a change of a link must last before it counts. */
export interface DebounceRule {
  /** From going down until it counts as down; 0: at once. */
  readonly down: Millis;
  /** From coming up until it counts as up; 0: at once. */
  readonly up: Millis;
}

export interface InstanceConfig {
  readonly name: string;
  readonly interface: string;
  readonly family: Family;
  /** 1-255. */
  readonly vrid: number;
  /** Base priority: 1-254; 255 for the owner of the addresses. */
  readonly priority: number;
  readonly rule: InstanceRule;
  readonly cast: Cast;
  readonly auth: Auth;
  /** How our adverts of version 3 for IPv4 are summed; either form is heard. */
  readonly checksum: ChecksumForm;
  /** The virtual IPs that adverts carry, in order. */
  readonly addresses: readonly Ip[];
  readonly announce: AnnounceRule;
}

/** Something whose state moves the priority or makes a fault. */
export type Track =
  | {
      readonly kind: 'interface' | 'script' | 'process' | 'sync-peer';
      readonly name: string;
      readonly weight: TrackWeight;
      /** The adjustment changes its sign; with `fault`, being up is the fault. */
      readonly reverse: boolean;
    }
  | {
      readonly kind: 'file';
      readonly name: string;
      /** Times the number in the file; with `fault`, a number other than 0 is the fault. */
      readonly weight: TrackWeight;
      readonly reverse: boolean;
    }
  | {
      readonly kind: 'services';
      /** How these virtual services are called together. */
      readonly name: string;
      /** Subtracted in proportion to the real servers that this director does not reach: 0-253. */
      readonly penalty: number;
      /** A fault while fewer real servers than this are up; 0: never. */
      readonly minimum: number;
    };

/** -253 to 253: above 0 added while it is up, below 0 added while it is down. `fault`: being down is a fault. */
export type TrackWeight = number | 'fault';

/** What is known of a tracked object. A script that could not be run keeps what it said last. */
export type Observation =
  /** Nothing yet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  /** Of a file. */
  | { readonly kind: 'number'; readonly value: number }
  /** Of services. */
  | { readonly kind: 'share'; readonly up: number; readonly total: number };

export interface Tracked {
  readonly track: Track;
  readonly seen: Observation;
}

/** What one tracked object does to the priority. */
export interface Contribution {
  readonly track: Track;
  readonly seen: Observation;
  /** Added to the base. */
  readonly points: number;
  readonly fault: boolean;
}

/** How a priority came about. */
export interface PriorityReport {
  readonly base: number;
  /** Base and all points; may be outside 1-254. */
  readonly total: number;
  /** What the machine works with. */
  readonly effective: number;
  readonly contributions: readonly Contribution[];
  readonly faults: readonly Fault[];
  /** Nothing is unknown any more. */
  readonly settled: boolean;
}

export type FaultKind =
  /** The interface is missing. */
  | 'no-interface'
  /** The interface, or its carrier, is down. */
  | 'link-down'
  /** The interface has no address of the family that adverts could come from. */
  | 'no-address'
  /** The configured source is no address of this machine. */
  | 'no-source'
  /** A tracked object without a weight failed. */
  | 'tracked'
  /** Another member of the sync group has a fault. */
  | 'group'
  /** The virtual IPs cannot be set: refused by the kernel, or in use by somebody else. */
  | 'addresses'
  /** The sockets cannot be opened. */
  | 'sockets';

/** One reason why an instance cannot take part. */
export interface Fault {
  readonly kind: FaultKind;
  /** Which interface, script, member ... */
  readonly name: string;
}

/** What holds for an instance whatever its state. */
export interface Standing {
  /** Effective priority: 1-254, or 255 for the owner. */
  readonly priority: number;
  /** The address that our adverts come from; undefined, as a fault, while there is none. */
  readonly source: Ip | undefined;
  readonly faults: readonly Fault[];
  /** The first verdicts are in. */
  readonly ready: boolean;
}

/** A router that we heard. */
export interface Rival {
  readonly source: Ip;
  readonly priority: number;
  /** As its advert said. */
  readonly interval: Millis;
  readonly heardAt: Millis;
}

/** Why a backup will be master. */
export type TakeoverCause =
  /** The owner does not wait. */
  | 'owner'
  /** No advert for the whole master-down interval. */
  | 'master-silent'
  /** The master said priority 0. */
  | 'master-resigned'
  /** The adverts heard were of a lower master and did not count. */
  | 'preempted'
  /** It was master when its thread died; the next thread goes on. */
  | 'resumed';

/** Instants are monotonic. A deadline is a member of the state that waits for it and of no other. */
export type VrrpState =
  | {
      readonly kind: 'initialize';
      readonly standing: Standing;
      /** End of the start-up delay; undefined before start-up and after shutdown. */
      readonly startAt: Millis | undefined;
    }
  | {
      readonly kind: 'backup';
      readonly standing: Standing;
      /** Master_Adver_Interval: the master's, learned from its adverts (version 3), else our own. */
      readonly masterInterval: Millis;
      /** Master_Down_Timer; undefined: it ran out, and the sync group decides. */
      readonly masterDownAt: Millis | undefined;
      readonly because: TakeoverCause;
      /** No preemption before. */
      readonly holdUntil: Millis | undefined;
      /** End of the preempt delay; undefined while no lower master is heard. */
      readonly preemptAt: Millis | undefined;
      /** The timer was late once and was given a second chance to hear the master. */
      readonly graced: boolean;
      /** Whom we heard last. */
      readonly heard: Rival | undefined;
    }
  | {
      readonly kind: 'master';
      readonly standing: Standing;
      /** Adver_Timer. */
      readonly advertAt: Millis;
      /** A lower master is not answered before. */
      readonly answerAt: Millis;
      /** Nor reported before: the one that we took over from says once more that it was master. */
      readonly reportAt: Millis;
      /** We slept, and may not preempt: whoever speaks before this is the master now. */
      readonly yieldUntil: Millis | undefined;
    }
  | { readonly kind: 'fault'; readonly standing: Standing };

export type Role = VrrpState['kind'];

/** An advert that was judged to be for us. */
export interface AdvertEvent {
  readonly kind: 'advert';
  readonly priority: number;
  /** Above 0. */
  readonly interval: Millis;
  readonly source: Ip;
}

export type VrrpEvent =
  | { readonly kind: 'startup' }
  /** Start-up after the death of a thread in which it was master: the virtual IPs are in place still. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'shutdown' }
  /** `nextDeadline` has come. Too early does no harm. */
  | { readonly kind: 'timer' }
  | AdvertEvent
  /** The effective priority changed. */
  | { readonly kind: 'priority'; readonly priority: number }
  /** The address of the interface changed. */
  | { readonly kind: 'source'; readonly source: Ip | undefined }
  /** All faults that there are now. */
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | { readonly kind: 'ready' }
  /** The rule or the addresses changed and the instance stayed. */
  | { readonly kind: 'reconfigured' }
  /** From the sync group. */
  | { readonly kind: 'group-take' }
  | { readonly kind: 'group-yield' };

export type RoleCause =
  | 'startup'
  | TakeoverCause
  | 'higher-priority'
  /** Equal priority, higher address. */
  | 'higher-address'
  /** We slept so long that somebody else became master, and may not preempt it. */
  | 'overslept'
  | 'fault'
  | 'fault-cleared'
  | 'group'
  | 'shutdown';

export type AnnounceCause =
  | 'master'
  /** A lower master spoke, if only to resign: others may believe it. */
  | 'lower-master'
  /** We slept so long that somebody else may have announced the addresses. */
  | 'overslept';

/** Things worth a line in the journal that change nothing. */
export type VrrpReport =
  | { readonly kind: 'interval-learned'; readonly from: Millis; readonly to: Millis }
  /** Another master of lower priority, or of equal priority and lower address. */
  | { readonly kind: 'lower-master'; readonly rival: Rival }
  /** Two routers believe that they own the addresses. */
  | { readonly kind: 'second-owner'; readonly rival: Rival }
  /** Our own timer ran this much too late. */
  | { readonly kind: 'overslept'; readonly by: Millis };

/** What to do, in the order listed. */
export type VrrpEffect =
  | { readonly kind: 'send-advert'; readonly priority: number }
  /** Virtual IPs, excluded ones, routes and rules: adopt what is there, add the rest. */
  | { readonly kind: 'take-addresses' /** Whether packets to them are for us. */; readonly accept: boolean }
  | { readonly kind: 'drop-addresses' }
  | { readonly kind: 'announce'; readonly cause: AnnounceCause }
  /** Stop announcing. */
  | { readonly kind: 'silence' }
  | {
      readonly kind: 'role';
      readonly from: Role;
      readonly to: Role;
      readonly cause: RoleCause;
      readonly priority: number;
    }
  | { readonly kind: 'report'; readonly report: VrrpReport };
