/** `npm test`: sets up, checks the text of the project, runs every test, and ends with the numbers on one line. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { installDebianPackages } from './lib/debian.mjs';
import { main, ROOT, run, Stop, say } from './lib/process.mjs';
import { afterAgain, sum, TapReport } from './lib/tap-report.mjs';
import { setUp } from './setup.mjs';

/** Where a second counts: beside other tests a director takes over, or servers fail, for a good reason. */
const ALONE = /^dist\/test\/(interop\/.*|demo-directors\.test\.js|kernel\/(pair|rails|whole)\.test\.js)$/;

/**
 * A few files that fail are run once more, alone and with the machine to themselves, and named at the end: a stall of
 * the machine in the middle of a protocol's second is no defect, and what is broken fails again.
 */
const AGAIN_MAX = 3;

/** @returns {string[]} all test files below a folder, from the project's root */
function testFiles(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** @returns {Promise<{code: number, passed: number, failed: number, skipped: number, bad: string[], faults: string[]}>} */
async function runTap(files, jobs) {
  const runner = join(ROOT, 'node_modules/tap/dist/esm/run.mjs');
  const child = spawn(process.execPath, [runner, '--reporter=tap', '--no-color', ...jobs, ...files], {
    cwd: ROOT,
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const report = new TapReport(say);
  for await (const line of createInterface({ input: child.stdout })) report.line(line);
  return { code: await ended, ...report.finish() };
}

function check() {
  say('checking format, lint and dead code (npm run check) ...');
  const { status, output } = run('npm', ['run', '--silent', 'check']);
  if (status !== 0) say(`${output}\nnpm run check failed`);
  return status === 0;
}

/** All at three a time, but for those that are to be alone. */
async function runOnce() {
  const files = testFiles('dist/test');
  const together = await runTap(
    files.filter((file) => !ALONE.test(file)),
    [],
  );
  const alone = await runTap(
    files.filter((file) => ALONE.test(file)),
    ['--jobs=1'],
  );
  return sum(together, alone);
}

async function runAll() {
  const first = await runOnce();
  if (first.bad.length === 0 || first.bad.length > AGAIN_MAX || first.faults.length > 0) return first;
  say(`\nonce more, alone: ${first.bad.join(', ')}`);
  const again = await runTap(first.bad, ['--jobs=1']);
  const unsteady = first.bad.filter((file) => !again.bad.includes(file));
  if (unsteady.length > 0) say(`unsteady, passed only when alone: ${unsteady.join(', ')}`);
  return afterAgain(first, again);
}

async function testAll(named) {
  installDebianPackages();
  setUp({ tests: true });
  const clean = check();
  const result = named.length > 0 ? await runTap(named, []) : await runAll();
  if (!clean) result.faults.push('npm run check failed, see above');
  return result;
}

await main(async () => {
  let result = { code: 1, passed: 0, failed: 0, skipped: 0, bad: [], faults: [] };
  try {
    result = await testAll(process.argv.slice(2));
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown;
    result.faults.push(thrown.message);
  }
  const { code, passed, failed, skipped, faults } = result;
  for (const fault of faults) say(`not good: ${fault}`);
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return code === 0 && failed === 0 && faults.length === 0 ? 0 : 1;
});
