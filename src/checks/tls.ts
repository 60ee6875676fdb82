/** What TLS needs: credentials that are read once, and verified client connections, new or put over a plain one. */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../core/ports.js';
import type { LinkHandlers, PlainLink, ProbeRun } from './probe-run.js';
import type { Target } from './spec-target.js';
import type { TlsSettings } from './spec-tls.js';

/** A bound for a configuration that names ever new authorities; one context holds about a megabyte. */
const CONTEXTS_MAX = 64;

type Credentials = Pick<TlsSettings, 'authorities' | 'client'>;

/** One context for each distinct set of credentials: reading them is a fifth of the cost of a handshake. */
export class SecureContexts {
  readonly #contexts = new Map<string, SecureContext>();

  get size(): number {
    return this.#contexts.size;
  }

  /**
   * @param credentials without authorities: those that come with Node.
   * @throws Error of OpenSSL where a text does not begin with a certificate, or the key is not the certificate's.
   */
  of({ authorities, client }: Credentials): SecureContext {
    const id = JSON.stringify([authorities, client?.certificate, client?.key]);
    const known = this.#contexts.get(id);
    if (known !== undefined) return known;
    // A context takes any text, and then trusts nobody: every server would be down for a fault of ours.
    if (authorities !== undefined) new X509Certificate(authorities);
    if (this.#contexts.size >= CONTEXTS_MAX) this.#contexts.clear();
    const context = createSecureContext({
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    });
    this.#contexts.set(id, context);
    return context;
  }
}

/** A connection to be made secure. */
export interface Upgrade {
  readonly link: PlainLink;
  readonly target: Target;
  readonly settings: TlsSettings;
  /** A session of another connection with which this one goes on. */
  readonly session?: Buffer;
}

/** TLS as all probers of a thread do it, with credentials that they share. */
export class TlsClient {
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #contexts = new SecureContexts();

  constructor(clock: Pick<Clock, 'wall'>) {
    this.#clock = clock;
  }

  /** Opens a connection and a TLS session over it. Failure ends the probe. */
  open(run: ProbeRun, target: Target, settings: TlsSettings, handlers: LinkHandlers): void {
    run.openTls(target, this.#options(target, settings), this.#looking(run, settings, handlers));
  }

  /** Begins TLS on a connection on which plain text was spoken. Failure ends the probe. */
  upgrade(run: ProbeRun, { link, target, settings, session }: Upgrade, handlers: LinkHandlers): void {
    const resumed = session === undefined ? {} : { session };
    run.upgradeTls(
      link,
      { ...this.#options(target, settings), ...resumed },
      this.#looking(run, settings, handlers),
    );
  }

  /** Without a server name no SNI is sent (RFC 6066 3: never an address) and the certificate must name the address. */
  #options(target: Target, settings: TlsSettings): ConnectionOptions {
    return {
      host: target.address,
      servername: settings.serverName ?? '',
      secureContext: this.#contexts.of(settings),
      rejectUnauthorized: settings.verify,
      ...(settings.alpn.length === 0 ? {} : { ALPNProtocols: [...settings.alpn] }),
    };
  }

  /** Has a look at the certificate first, where somebody wants to know when it expires. */
  #looking(run: ProbeRun, { expiresWithin }: TlsSettings, handlers: LinkHandlers): LinkHandlers {
    if (expiresWithin === undefined) return handlers;
    return {
      open: (socket) => {
        const left = expiryOf(socket) - this.#clock.wall();
        if (left < expiresWithin) run.warn(expiryText(left));
        handlers.open(socket);
      },
      data: (bytes) => handlers.data(bytes),
      end: () => handlers.end(),
    };
  }
}

const DAY = 86_400_000;

/** In milliseconds of UTC; a certificate without a date that can be read has expired. */
function expiryOf(socket: Socket): number {
  const until = socket instanceof TLSSocket ? Date.parse(socket.getPeerCertificate().valid_to) : Number.NaN;
  return Number.isNaN(until) ? 0 : until;
}

function expiryText(left: number): string {
  if (left <= 0) return 'the certificate has expired';
  const days = Math.floor(left / DAY);
  return `the certificate expires in ${days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`}`;
}

/** The protocol that both sides agreed on (ALPN), if any. */
export function agreedProtocol(socket: Socket): string | undefined {
  const protocol = socket instanceof TLSSocket ? socket.alpnProtocol : false;
  return typeof protocol === 'string' && protocol !== '' ? protocol : undefined;
}
