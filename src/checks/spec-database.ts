/** Checks of databases. */
import type { Millis } from '../core/units.js';
import type { Target } from './spec-target.js';
import type { TlsSettings } from './spec-tls.js';

/** What a server must be to its replication: one that is written to, or one that follows another. */
export type DatabaseRole = 'any' | 'master' | 'replica';

export interface RedisCheck {
  readonly type: 'redis';
  readonly target: Target;
  /** Without a user: Redis' own, `default`. Undefined: nobody logs in. */
  readonly login: { readonly user: string | undefined; readonly password: string } | undefined;
  /** 0 is the one that is there without asking. */
  readonly database: number;
  readonly role: DatabaseRole;
  /** A replica that has not heard its master for longer fails; undefined: it does not matter. */
  readonly maxLag: Millis | undefined;
  /** From the first byte; undefined: no TLS. */
  readonly tls: TlsSettings | undefined;
}
