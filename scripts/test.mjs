/** `npm test`: sets up, checks the text of the project, runs every test, and ends with the numbers on one line. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installDebianPackages } from './lib/debian.mjs';
import { main, ROOT, run, Stop, say } from './lib/process.mjs';
import { TapReport } from './lib/tap-report.mjs';
import { setUp } from './setup.mjs';

const ALL_TESTS = ['dist/test/**/*.test.js'];

/** @returns {Promise<{code: number, passed: number, failed: number, skipped: number, faults: string[]}>} */
async function runTap(files) {
  const runner = join(ROOT, 'node_modules/tap/dist/esm/run.mjs');
  const child = spawn(process.execPath, [runner, '--reporter=tap', '--no-color', ...files], {
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

async function testAll(named) {
  installDebianPackages();
  setUp({ tests: true });
  const clean = check();
  const result = await runTap(named.length > 0 ? named : ALL_TESTS);
  if (!clean) result.faults.push('npm run check failed, see above');
  return result;
}

await main(async () => {
  let result = { code: 1, passed: 0, failed: 0, skipped: 0, faults: [] };
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
