/** TLS check: a handshake. */
import type { Now } from './probe-run.js';
import { runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import type { TlsCheck } from './spec-text.js';
import { agreedProtocol, type TlsClient } from './tls.js';

/**
 * Passes when the handshake is done, the certificate is right, and the server has agreed to one of the protocols that
 * were offered, if any were. A TLS 1.3 server that refuses our certificate may say so only later.
 */
export function tlsProber(now: Now, client: TlsClient): Prober<TlsCheck> {
  return ({ target, tls }, signal) =>
    runProbe(now, signal, (run) =>
      client.open(run, target, tls, {
        open: (socket) => {
          if (tls.alpn.length === 0 || agreedProtocol(socket) !== undefined) run.end({ kind: 'ok' });
          else
            run.end({ kind: 'bad-content', phase: 'tls', detail: `none of ${tls.alpn.join(', ')} agreed` });
        },
        data: () => undefined,
        end: () => undefined,
      }),
    );
}
