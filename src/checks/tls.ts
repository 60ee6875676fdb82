/** What TLS needs: authorities that are read once, and the options of a verified client connection. */
import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { HttpTls, Target } from './model.js';

/** A bound for a configuration that names ever new authorities; one context holds about a megabyte. */
const CONTEXTS_MAX = 64;

/** One context for each distinct text of authorities: reading them is a fifth of the cost of a handshake. */
export class SecureContexts {
  readonly #contexts = new Map<string | undefined, SecureContext>();

  get size(): number {
    return this.#contexts.size;
  }

  /**
   * @param authorities PEM text; undefined: those that come with Node.
   * @throws Error of OpenSSL where the text does not begin with a certificate.
   */
  of(authorities: string | undefined): SecureContext {
    const known = this.#contexts.get(authorities);
    if (known !== undefined) return known;
    // A context takes any text, and then trusts nobody: every server would be down for a fault of ours.
    if (authorities !== undefined) new X509Certificate(authorities);
    if (this.#contexts.size >= CONTEXTS_MAX) this.#contexts.clear();
    const context = createSecureContext(authorities === undefined ? {} : { ca: authorities });
    this.#contexts.set(authorities, context);
    return context;
  }
}

/** Without a server name no SNI is sent (RFC 6066 3: never an address) and the certificate must name the address. */
export function tlsOptions(tls: HttpTls, target: Target, contexts: SecureContexts): ConnectionOptions {
  return {
    host: target.address,
    servername: tls.serverName ?? '',
    secureContext: contexts.of(tls.authorities),
    rejectUnauthorized: tls.verify,
    ALPNProtocols: ['http/1.1'],
  };
}
