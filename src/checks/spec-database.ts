/** Checks of databases. */
import type { Millis } from '../core/units.js';
import type { Target } from './spec-target.js';
import type { TlsUse } from './spec-tls.js';

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
  readonly tls: TlsUse | undefined;
}

/** A statement, and what it must come to. */
export interface SqlCheck {
  readonly sql: string;
  /** The first column of the first row, as text; undefined: it is enough that the statement is done. */
  readonly value: string | undefined;
}

/** What mysql and postgres checks have in common. */
interface SqlDatabaseCheck {
  readonly target: Target;
  readonly user: string;
  /** Undefined: the server asks for none. */
  readonly password: string | undefined;
  /** Undefined: none is chosen (mysql), or that of the user's name (postgres). */
  readonly database: string | undefined;
  /** Undefined: a login is enough. */
  readonly statement: SqlCheck | undefined;
  readonly role: DatabaseRole;
  /** A replica that is further behind its master fails; undefined: it does not matter. */
  readonly maxLag: Millis | undefined;
  readonly tls: TlsUse | undefined;
}

export interface MysqlCheck extends SqlDatabaseCheck {
  readonly type: 'mysql';
}

export interface PostgresCheck extends SqlDatabaseCheck {
  readonly type: 'postgres';
}
