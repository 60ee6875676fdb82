/** Checks of directories. */
import type { Target } from './spec-target.js';
import type { Login } from './spec-text.js';
import type { TlsUse } from './spec-tls.js';

export interface LdapSearch {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  /** RFC 4515. */
  readonly filter: string;
  /** So many entries must be found. */
  readonly entriesMin: number;
}

export interface LdapCheck {
  readonly type: 'ldap';
  readonly target: Target;
  /** A name (RFC 4514) and its password; undefined: anonymous. */
  readonly login: Login | undefined;
  /** Undefined: a bind is enough. */
  readonly search: LdapSearch | undefined;
  readonly tls: TlsUse | undefined;
}
