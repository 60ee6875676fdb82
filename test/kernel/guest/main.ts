/** Entry of the bundle that runs in the guest: `main.mjs SUITE` prints the suite's TAP. */
import { runSuite } from './harness.js';
import { suiteNamed } from './table.js';

const { suite } = await suiteNamed(process.argv[2] ?? '').load();
// A handle that was left open must not hold the guest until its time limit.
process.exit((await runSuite(suite)) ? 0 : 1);
