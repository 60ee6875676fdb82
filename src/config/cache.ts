/** What a reload keeps of the services that stand in the files as they stood before. */
import type { ServiceConfig } from './model.js';

/** A service and what the rules over all services need to know of it. */
export interface ReadService {
  readonly config: ServiceConfig;
  /** Values in its text. */
  readonly size: number;
}

/** The services of the last configuration that was right. Whoever loads owns it and hands it in. */
export interface ConfigCache {
  /** `defaults` as it was: every service depends on it. */
  defaults: string;
  /** By their text. A service whose text refers to a secret or a file is never among them. */
  services: ReadonlyMap<string, ReadService>;
}

/** An empty cache. */
export function createConfigCache(): ConfigCache {
  return { defaults: '', services: new Map() };
}
