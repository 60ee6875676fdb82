import t from 'tap';
import { FAULTY_SUITES, GUEST_SUITES } from './guest/table.js';
import { kernelTest } from './home.js';
import type { SuiteResult } from './suites.js';

/** These have guests of their own, beside this one: they wait more than they work. */
const ELSEWHERE = ['whole', 'pair', 'ownership', 'trouble', 'chaos', 'drain', 'rails'];

/** It wants a kernel that has loaded nothing yet. */
const FRESH = 'doctor';

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
const others = Object.keys(GUEST_SUITES).filter((name) => ![...ELSEWHERE, FRESH].includes(name));
const sound = [FRESH, ...others];

await kernelTest(t, sound, faulty, (suites) => {
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
});
