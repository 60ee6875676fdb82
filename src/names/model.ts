/** Names of servers in DNS. Types only. */
import type { Family, Ip } from '../core/ip.js';
import type { EpochMillis, Millis } from '../core/units.js';

/** A resolver. */
export interface Resolver {
  readonly address: Ip;
  readonly port: number;
}

/** `resolve:` of the configuration, complete. */
export interface NameRule {
  /** Empty: those of /etc/resolv.conf. */
  readonly resolvers: readonly Resolver[];
  /** Of one lookup, whatever number of resolvers is asked. */
  readonly timeout: Millis;
  readonly minimumTtl: Millis;
  readonly maximumTtl: Millis;
  /** How long an address stays that the answers no longer hold. */
  readonly hold: Millis;
}

/** What is asked of DNS. Those who ask the same share the answer. */
export interface Question {
  /** In lower case, without a dot at its end. */
  readonly host: string;
  readonly family: Family;
  /** The service stands on loopback itself: then so may its servers. Otherwise such an answer is not believed. */
  readonly loopback: boolean;
}

/** Tells questions apart. */
export type QuestionId = string;

/** Why there is no good answer. None of these says anything about a server. */
export type NameTrouble =
  /** NXDOMAIN: the name does not exist. */
  | 'no-such-name'
  /** It exists, and has no address of this family. */
  | 'no-address'
  /** SERVFAIL and whatever else a resolver answers in place of an answer. */
  | 'server-failure'
  | 'refused'
  | 'timeout'
  /** No resolver can be reached, or we cannot ask. */
  | 'unreachable'
  /** What came is no answer. */
  | 'malformed'
  /** All addresses are such that no server can have them. */
  | 'unusable'
  /** Addresses are to leave, and none of those that would be left is up. */
  | 'nobody-up';

/** What one lookup comes to. */
export type Lookup =
  | { readonly kind: 'answer'; readonly addresses: readonly Ip[]; readonly ttl: Millis }
  | {
      readonly kind: 'failure';
      readonly trouble: Exclude<NameTrouble, 'nobody-up'>;
      readonly detail: string;
    };

/** An address of a name. */
export interface NameAddress {
  readonly address: Ip;
  /** Since when the answers do not hold it, monotonic; undefined: they do. */
  readonly missingSince: Millis | undefined;
}

/** Where the addresses of a name come from: an answer of this run, of another one, or the table as it was found. */
export type NameSource = 'nowhere' | 'answer' | 'memory' | 'table';

/** What is known of a name. */
export interface NameState {
  /** In the order in which they came. */
  readonly addresses: readonly NameAddress[];
  readonly source: NameSource;
  /** Of the last good answer. */
  readonly answeredAt: EpochMillis | undefined;
  readonly trouble:
    | { readonly kind: NameTrouble; readonly detail: string; readonly since: EpochMillis }
    | undefined;
  /** Lookups in a row that failed. */
  readonly failures: number;
}

/** What is told of a name. */
export type NameNews =
  | { readonly kind: 'name-changed'; readonly came: readonly Ip[]; readonly left: readonly Ip[] }
  | { readonly kind: 'name-trouble'; readonly trouble: NameTrouble; readonly detail: string }
  | { readonly kind: 'name-resolved' };

/** A name with what is known of it, for people. */
export interface NameView extends Question, NameState {}

/** The last good answer of another run. */
export interface RememberedName {
  readonly addresses: readonly Ip[];
  readonly answeredAt: EpochMillis;
}
