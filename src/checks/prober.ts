import type { ProbeResult, ProbeSpec } from './model.js';

/**
 * A probe of one kind. `signal` is its one deadline. It never rejects, and has freed its sockets when it settles.
 * A check gives the same `spec` object every time: what can be prepared is prepared once.
 */
export type Prober<Spec extends ProbeSpec> = (spec: Spec, signal: AbortSignal) => Promise<ProbeResult>;
