/** Turns what came out of the lab into subtests of the host's tap run. */
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { SuitesRun } from './suites.js';

/** Every suite is a subtest with its own assertions and diagnostics; how it ended is one assertion more. */
export async function reportSuites(t: Test, run: SuitesRun): Promise<void> {
  for (const { name, tap, log, exitCode } of run.suites) {
    await t.test(`kernel suite ${name}`, async (t) => {
      if (tap !== '') await t.stdin(name, { tapStream: Readable.from([tap]) });
      t.ok(exitCode === 0 || exitCode === 1, 'ran to its end', {
        exitCode: exitCode ?? 'none',
        meaning: exitCode === 137 ? 'killed at its time limit' : 'crashed, or never started',
        log,
      });
    });
  }
  t.equal(run.guest.end, 'finished', 'the kernel lab ran to its end', { console: run.guest.console });
}
