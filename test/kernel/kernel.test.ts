import { rmSync } from 'node:fs';
import t from 'tap';
import { FAULTY_SUITES, GUEST_SUITES } from './guest/table.js';
import { findKernel, makeSharedFolder } from './lab.js';
import { reportSuites } from './report.js';
import { runSuites, type SuiteResult } from './suites.js';

/** What comes out of a suite that is meant to fail. */
const FAULTS: readonly { name: string; exitCode: number; tap: RegExp; log: RegExp }[] = [
  {
    name: 'failing',
    exitCode: 1,
    tap: /not ok 1 - weights agree[\s\S]*\+ {3}weight: 1[\s\S]*the kernel said no/,
    log: /^$/,
  },
  { name: 'crashing', exitCode: 139, tap: /ok 1 - before the crash\n$/, log: /last words/ },
  { name: 'hanging', exitCode: 137, tap: /ok 1 - before the hang\n$/, log: /^$/ },
];

const faulty = Object.keys(FAULTY_SUITES);
const sound = Object.keys(GUEST_SUITES);
const kernel = findKernel();
if (kernel.kind === 'none') {
  for (const name of sound) t.test(`kernel suite ${name}`, { skip: kernel.reason }, () => undefined);
} else {
  t.setTimeout(280_000);
  const shared = makeSharedFolder();
  t.teardown(() => rmSync(shared, { recursive: true, force: true }));
  t.comment(kernel.kind === 'host' ? 'on the host kernel' : 'in User-Mode Linux');
  const { guest, suites } = await runSuites([...faulty, ...sound], kernel, shared);

  t.test('a suite that fails, crashes or hangs does so alone, with its words', async (t) => {
    const results = new Map(suites.map((suite): [string, SuiteResult] => [suite.name, suite]));
    for (const { name, exitCode, tap, log } of FAULTS) {
      t.match(results.get(name), { exitCode, tap, log }, name);
    }
    t.strictSame(
      FAULTS.map(({ name }) => name),
      faulty,
      'each faulty suite has its expectation',
    );
  });

  await reportSuites(t, { guest, suites: suites.filter(({ name }) => sound.includes(name)) });
}
