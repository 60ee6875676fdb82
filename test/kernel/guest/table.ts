/** The suites that run beside a kernel with IPVS. A new one is one row here. */
import type { Assertions } from '../../contract/assertions.js';

export interface GuestSuite {
  /** Then it is killed, alone. */
  readonly limitSeconds: number;
  readonly load: () => Promise<{ readonly suite: (t: Assertions) => Promise<void> }>;
}

export const GUEST_SUITES: Readonly<Record<string, GuestSuite>> = {
  lab: { limitSeconds: 30, load: () => import('./lab.suite.js') },
  topology: { limitSeconds: 120, load: () => import('./topology.suite.js') },
  contract: { limitSeconds: 120, load: () => import('./contract.suite.js') },
  ownership: { limitSeconds: 300, load: () => import('./ownership.suite.js') },
  trouble: { limitSeconds: 300, load: () => import('./trouble.suite.js') },
  ipvs: { limitSeconds: 60, load: () => import('./ipvs.suite.js') },
  reload: { limitSeconds: 30, load: () => import('./reload.suite.js') },
  breadth: { limitSeconds: 120, load: () => import('./breadth.suite.js') },
  statistics: { limitSeconds: 200, load: () => import('./statistics.suite.js') },
  doctor: { limitSeconds: 120, load: () => import('./doctor.suite.js') },
  realserver: { limitSeconds: 120, load: () => import('./realserver.suite.js') },
  operations: { limitSeconds: 200, load: () => import('./operations.suite.js') },
  cli: { limitSeconds: 60, load: () => import('./cli.suite.js') },
  pair: { limitSeconds: 400, load: () => import('./pair.suite.js') },
  drain: { limitSeconds: 1100, load: () => import('./drain.suite.js') },
  rails: { limitSeconds: 800, load: () => import('./rails.suite.js') },
  path: { limitSeconds: 500, load: () => import('./path.suite.js') },
  whole: { limitSeconds: 400, load: () => import('./whole.suite.js') },
  chaos: { limitSeconds: 500, load: () => import('./chaos.suite.js') },
};

/** Suites for `npm run test:soak`: too long for every day. */
const SOAK_SUITES: Readonly<Record<string, GuestSuite>> = {
  soak: { limitSeconds: 7200, load: () => import('./soak.suite.js') },
};

/** Suites that must fail, each in its own way: the lab's own test runs them. */
export const FAULTY_SUITES: Readonly<Record<string, GuestSuite>> = {
  failing: { limitSeconds: 30, load: () => import('./failing.suite.js') },
  crashing: { limitSeconds: 30, load: () => import('./crashing.suite.js') },
  hanging: { limitSeconds: 12, load: () => import('./hanging.suite.js') },
};

/** @throws where there is none of that name. */
export function suiteNamed(name: string): GuestSuite {
  const suite = GUEST_SUITES[name] ?? FAULTY_SUITES[name] ?? SOAK_SUITES[name];
  if (suite === undefined) {
    throw new Error(`no suite ${name}; there are ${Object.keys(GUEST_SUITES).join(', ')}`);
  }
  return suite;
}
