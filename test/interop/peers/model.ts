/** What the matrix knows of a program that speaks VRRP. */
import type { Stage } from '../stage.js';

/** How a virtual router is set up: the same on all its directors. */
export interface Mode {
  readonly name: string;
  readonly version: 2 | 3;
  readonly family: 'ipv4' | 'ipv6';
  readonly cast: 'multicast' | 'unicast';
  readonly password?: string;
  /** Milliseconds. */
  readonly interval: number;
  /** With prefix length; the observer asks for the last one. */
  readonly vips: readonly string[];
}

/** A director. */
export interface Seat {
  readonly stage: Stage;
  readonly host: 'a' | 'b';
  readonly mode: Mode;
}

/** What differs between two directors, or between two starts of one. */
export interface Settings {
  readonly priority: number;
  readonly preempt: boolean;
}

/** A program at work. */
export interface Running {
  /** Whether it says that it is backup: that it listens. */
  isBackup(): boolean;
  /** What it finds wrong with the packets of others. */
  complaints(): readonly string[];
  /** Ends it as its operator does. */
  stop(): Promise<void>;
  /** Ends it without a chance to say anything; what it set in the kernel stays. */
  kill(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  /** Programs that have to be there. */
  readonly programs: readonly string[];
  /** Why it cannot do this; undefined: it can. */
  readonly cannot: (mode: Mode) => string | undefined;
  /** Whether it leaves when its interface has no carrier; else it goes on, and has nothing to announce afterwards. */
  readonly seesCarrier: boolean;
  /** Whether it announces the virtual IPs anew when it hears a lower master, so that hosts learn who is right. */
  readonly answersLower: boolean;
  readonly start: (seat: Seat, settings: Settings) => Promise<Running>;
  /** The MAC that has the virtual IPs while it is master. */
  readonly macOf: (seat: Seat) => string;
}

export const VRID = 51;

/** A director's number, by which its addresses are made. */
export function numberOf(host: 'a' | 'b'): number {
  return host === 'a' ? 1 : 2;
}

/** A director's own address that unicast uses and that the observer can ask for. */
export function addressOf(host: 'a' | 'b', family: Mode['family']): string {
  return family === 'ipv4' ? `10.77.0.${numberOf(host)}` : `2001:db8:77::${numberOf(host)}`;
}

export function otherOf(host: 'a' | 'b'): 'a' | 'b' {
  return host === 'a' ? 'b' : 'a';
}
