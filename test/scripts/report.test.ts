import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ROOT } from '../house/project.js';

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly bad: readonly string[];
  readonly faults: readonly string[];
}

interface Reporter {
  line(line: string): void;
  finish(): Result;
}

type Run = Result & { readonly code: number };

const { TapReport, afterAgain, sum } = (await import(
  pathToFileURL(join(ROOT, 'scripts/lib/tap-report.mjs')).href
)) as {
  TapReport: new (write: (line: string) => void) => Reporter;
  afterAgain: (first: Run, again: Run) => Run;
  sum: (first: Run, second: Run) => Run;
};

/** As tap 21 prints it for a passing, a skipping, a failing and a crashing file. */
const GOOD = `TAP version 14
1..1
# Subtest: dist/test/a.test.js
    # Subtest: one
        ok 1 - should be equal
        ok 2 - two # SKIP no root
        1..2
    ok 1 - one # time=8.848ms
    
    ok 2 - a kernel # SKIP
    1..2
    # time=16.126ms
ok 1 - dist/test/a.test.js # time=1216.126ms

# No coverage generated
# { total: 3, pass: 1, skip: 2 }
# time=1888.589ms`;

const BAD = `TAP version 14
1..2
# Subtest: dist/test/b.test.js
    # Subtest: two
        ok 1 - fine
        not ok 2 - should be equal
          ---
          diff: |
            -1
            +2
          ...
        
        ok 3 - fine again
        1..3
    not ok 1 - two # time=8.848ms
    1..1
not ok 1 - dist/test/b.test.js # time=16.126ms

# Subtest: dist/test/c.test.js
    1..0 # no tests found
not ok 2 - dist/test/c.test.js # time=700.589ms
  ---
  exitCode: 1
  signal: null
  ...

# { total: 4, pass: 2, fail: 2 }
# time=1888.589ms`;

function report(tap: string): { readonly result: Result; readonly text: readonly string[] } {
  const text: string[] = [];
  const reporter = new TapReport((line) => text.push(line));
  for (const line of tap.split('\n')) reporter.line(line);
  return { result: reporter.finish(), text };
}

t.test('a good run: a line for each file, what was skipped and why, tap’s own summary', async (t) => {
  const { result, text } = report(GOOD);
  t.same(result, { passed: 1, failed: 0, skipped: 2, bad: [], faults: [] });
  t.same(text, [
    'ok   dist/test/a.test.js (1.2 s), 2 skipped',
    '\nskipped (2):',
    '  dist/test/a.test.js > two: no root',
    '  dist/test/a.test.js > a kernel: no reason given',
    '\n# { total: 3, pass: 1, skip: 2 }',
  ]);
});

t.test('a bad run: the failures in full, and nothing of what passed', async (t) => {
  const { result, text } = report(BAD);
  const bad = ['dist/test/b.test.js', 'dist/test/c.test.js'];
  t.same(result, { passed: 2, failed: 2, skipped: 0, bad, faults: [] });
  const whole = text.join('\n');
  t.match(whole, /FAIL dist\/test\/b\.test\.js/);
  t.match(whole, /not ok 2 - should be equal\n.*---\n.*diff: \|\n.*-1\n.*\+2/);
  t.match(whole, /FAIL dist\/test\/c\.test\.js.*\n(.*\n)*.*exitCode: 1/);
  t.notMatch(whole, /fine/);
});

const NO_GOOD: readonly (readonly [string, string, string])[] = [
  ['tap said nothing at all', '', 'tap ended without a summary'],
  ['tap was killed in the middle', GOOD.split('\n').slice(0, 6).join('\n'), 'tap ended without a summary'],
  ['everything was skipped', '# { total: 2, pass: 0, skip: 2 }', 'no test was executed'],
  [
    'a file has no tests, which tap lets pass',
    'ok 1 - dist/test/d.test.js # SKIP no tests found\n\n# { total: 2, pass: 1, skip: 1 }',
    'dist/test/d.test.js has no tests in it',
  ],
];

t.test('a run that proves nothing is not good', async (t) => {
  for (const [name, tap, fault] of NO_GOOD) t.same(report(tap).result.faults, [fault], name);
});

t.test('a whole file that skips itself keeps its reason', async (t) => {
  const { text } = report('ok 1 - dist/test/k.test.js # SKIP no kernel\n\n# { total: 2, pass: 1, skip: 1 }');
  t.ok(text.includes('  dist/test/k.test.js: no kernel'));
});

t.test('two runs are as bad as the worse of them', async (t) => {
  const good = { code: 0, passed: 5, failed: 0, skipped: 1, bad: [], faults: [] };
  const bad = { code: 1, passed: 2, failed: 1, skipped: 0, bad: ['x'], faults: ['y'] };
  const both = { code: 1, passed: 7, failed: 1, skipped: 1, bad: ['x'], faults: ['y'] };
  t.same([sum(good, bad), sum(bad, good)], [both, both]);
});

t.test(
  'what failed among others and passed alone is good; what failed twice, or did not end, is not',
  async (t) => {
    const first = { code: 1, passed: 100, failed: 2, skipped: 3, bad: ['x', 'y'], faults: [] };
    const steady = { code: 0, passed: 40, failed: 0, skipped: 1, bad: [], faults: [] };
    t.same(afterAgain(first, steady), { ...steady, passed: 102, skipped: 3 });
    const broken = { code: 1, passed: 39, failed: 1, skipped: 1, bad: ['y'], faults: [] };
    t.same(afterAgain(first, broken), { ...broken, passed: 101, skipped: 3 });
    const cut = {
      code: 1,
      passed: 0,
      failed: 0,
      skipped: 0,
      bad: [],
      faults: ['tap ended without a summary'],
    };
    t.match(afterAgain(first, cut), { code: 1, faults: cut.faults });
  },
);
