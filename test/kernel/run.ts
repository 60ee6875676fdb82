/** `node dist/test/kernel/run.js [SUITE...]`: runs suites without tap and prints what they print. */
import { rmSync } from 'node:fs';
import { GUEST_SUITES } from './guest/table.js';
import { findKernel, makeSharedFolder } from './lab.js';
import { runSuites } from './suites.js';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(GUEST_SUITES);
const kernel = findKernel();
if (kernel.kind === 'none') {
  console.log(`skipped: ${kernel.reason}`);
} else {
  const shared = makeSharedFolder();
  const { guest, suites } = await runSuites(names, kernel, shared);
  for (const { name, tap, log, exitCode } of suites) {
    console.log(`# ${name}: exit ${exitCode}\n${tap}`);
    if (log !== '') console.error(log);
  }
  if (guest.end !== 'finished') console.error(`${guest.end}\n${guest.console}`);
  rmSync(shared, { recursive: true, force: true });
  process.exitCode = guest.end === 'finished' && suites.every((suite) => suite.exitCode === 0) ? 0 : 1;
}
