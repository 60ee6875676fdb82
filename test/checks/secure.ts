/** TLS of probes, for tests: the client that they share, and settings. */
import type { TlsSettings } from '../../src/checks/spec-tls.js';
import { TlsClient } from '../../src/checks/tls.js';
import { systemClock } from '../../src/sys/clock.js';

export const tlsClient = new TlsClient(systemClock);

/** Verified against the system's authorities, without a name, unless told otherwise. */
export function tlsSettings(more: Partial<TlsSettings> = {}): TlsSettings {
  return {
    serverName: undefined,
    verify: true,
    authorities: undefined,
    client: undefined,
    expiresWithin: undefined,
    alpn: [],
    ...more,
  };
}
