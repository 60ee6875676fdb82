import type { ProbeResult, ProbeSpec } from './model.js';

/** A probe of one kind: it owns its socket and has freed it when the promise settles. Never rejects. */
export type Prober<Spec extends ProbeSpec> = (spec: Spec, signal: AbortSignal) => Promise<ProbeResult>;
