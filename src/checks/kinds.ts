/** The table of check kinds: a new kind is a file, a row here, a test and a row in the documentation. */
import { ftpProber } from './ftp.js';
import { httpProber } from './http.js';
import type { CheckType, ProbeResult, ProbeSpec } from './model.js';
import type { Now } from './probe-run.js';
import type { Prober } from './prober.js';
import { tcpProber } from './tcp.js';

/** For each type its prober. */
export type Probers = {
  readonly [Type in CheckType]: Prober<Extract<ProbeSpec, { readonly type: Type }>>;
};

/** All probers of a thread, on one monotonic clock. */
export function allProbers(now: Now): Probers {
  const http = httpProber(now);
  return { tcp: tcpProber(now), http, https: http, ftp: ftpProber(now) };
}

/** Runs one probe by the prober of its type. */
export function probeByType(probers: Probers, spec: ProbeSpec, signal: AbortSignal): Promise<ProbeResult> {
  // The table pairs each type with its own spec; TypeScript cannot follow that through an index.
  const prober = probers[spec.type] as Prober<ProbeSpec>;
  return prober(spec, signal);
}
