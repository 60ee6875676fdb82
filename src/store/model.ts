/** What lvsentry keeps over restarts, and where. Types only. */
import type { Millis } from '../core/units.js';

/** A Redis server that directors share. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Undefined: in plain text. */
  readonly tls: { readonly authorities: string | undefined } | undefined;
}

/** `state:` of the configuration. */
export interface StateConfig {
  /** Of this director alone: its admin state, last verdicts and events. */
  readonly directory: string | undefined;
  /** Admin state that directors share. */
  readonly redis: RedisTarget | undefined;
  /** Older verdicts are not used at a start. */
  readonly verdictsAge: Millis;
}
