/**
 * Entry of the bundle that runs in the guest: `main.mjs SUITE` prints the suite's TAP, `main.mjs PROGRAM ...` is one of
 * the small programs that suites start in their namespaces.
 */
import { runSuite } from './harness.js';
import { suiteNamed } from './table.js';

const PROGRAMS: Readonly<Record<string, () => Promise<{ program: (args: string[]) => Promise<void> }>>> = {
  'http-server': () => import('./http-server.js'),
  client: () => import('./client.js'),
  observer: () => import('./observer.js'),
  receiver: () => import('./receiver.js'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = PROGRAMS[name];
if (load === undefined) {
  const { suite } = await suiteNamed(name).load();
  // A handle that was left open must not hold the guest until its time limit.
  process.exit((await runSuite(suite)) ? 0 : 1);
} else {
  await (await load()).program(args);
}
