import type { Millis } from '../core/units.js';

/** What every kind of check that speaks TLS may be told of it. */
export interface TlsSettings {
  /** Server name for SNI and for the certificate's name; undefined: none is sent, the certificate names the address. */
  readonly serverName: string | undefined;
  /** Verify the chain and the name. */
  readonly verify: boolean;
  /** PEM text of the authorities to trust instead of the system's. */
  readonly authorities: string | undefined;
  /** PEM text of our certificate and of its key; undefined: none is shown. */
  readonly client: { readonly certificate: string; readonly key: string } | undefined;
  /** A certificate of the server's that expires sooner than this makes a warning. */
  readonly expiresWithin: Millis | undefined;
  /** Protocols that are offered (ALPN), the best first; none: the extension is not sent. */
  readonly alpn: readonly string[];
}

/** When TLS begins: never, once the server has agreed to it (STARTTLS, STLS, AUTH TLS), or at once. */
export type TlsStart = 'starttls' | 'implicit';

/** Where TLS is a choice: when it begins and how it is done; undefined: no TLS. */
export interface TlsUse extends TlsSettings {
  readonly start: TlsStart;
}
