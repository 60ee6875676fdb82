/** The libraries that speak for some kinds of check: large, and most directors need none of them. */
import type { CheckType } from './model.js';

/** Imports the library of a kind. In a bundle those in CommonJS have their default export only. */
export const LIBRARIES = {
  redis: async () => (await import('ioredis')).default,
  mysql: async () => (await import('mysql2')).default,
  postgres: async () => (await import('pg')).default,
  ldap: () => import('ldapts'),
} as const;

/**
 * Reads the libraries of these kinds before a probe needs them: Node remembers for as long as the thread lives what it
 * could not read once, so the first probe must not find the process without descriptors. Never rejects: a library that
 * cannot be read is told by the probe.
 */
export async function readLibraries(types: Iterable<CheckType>): Promise<void> {
  const needed: ReadonlySet<string> = new Set(types);
  const loads = Object.entries(LIBRARIES).filter(([type]) => needed.has(type));
  await Promise.allSettled(loads.map(([, load]) => load()));
}
