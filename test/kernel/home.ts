/** Host side of kernel tests: one guest for some suites, whose results become subtests. */
import { rmSync } from 'node:fs';
import type { Test } from 'tap';
import { findKernel, makeSharedFolder } from './lab.js';
import { reportSuites } from './report.js';
import { runSuites, type SuiteResult } from './suites.js';

/** The suites together may take this long, boot included. */
const LIMIT_MS = 1_200_000;

/**
 * Runs the named suites in one guest and reports each as a subtest; skipped with the reason where no kernel has IPVS.
 * @param beside suites to run before them, whose results are given to `look` and not reported
 */
export async function kernelTest(
  t: Test,
  names: readonly string[],
  beside: readonly string[] = [],
  look: (results: readonly SuiteResult[]) => void = () => undefined,
): Promise<void> {
  const kernel = findKernel();
  if (kernel.kind === 'none') {
    for (const name of names) t.test(`kernel suite ${name}`, { skip: kernel.reason }, () => undefined);
    return;
  }
  t.setTimeout(LIMIT_MS);
  const shared = makeSharedFolder();
  t.teardown(() => rmSync(shared, { recursive: true, force: true }));
  t.comment(kernel.kind === 'host' ? 'on the host kernel' : 'in User-Mode Linux');
  const { guest, suites } = await runSuites([...beside, ...names], kernel, shared);
  look(suites.filter(({ name }) => beside.includes(name)));
  await reportSuites(t, { guest, suites: suites.filter(({ name }) => names.includes(name)) });
}
