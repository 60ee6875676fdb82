/**
 * `npm run test:soak`: the long forms of what `npm test` does briefly: much bad luck beside a real kernel (two hundred
 * kills, others at the table, reload storms: an hour or so), then a few thousand seeds of the simulation.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { main, ROOT, say } from './lib/process.mjs';
import { setUp } from './setup.mjs';

const SEEDS = 5000;

/** @returns whether it ended well. */
function runs(...words) {
  return spawnSync(process.execPath, words, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

await main(() => {
  installDebianPackages();
  setUp({ tests: true });
  const first = Date.now() >>> 0;
  const seeds = Array.from({ length: SEEDS }, (_, index) => String((first + index) >>> 0));
  say('bad luck beside a kernel; what it does is printed at its end ...');
  const lab = runs(join(ROOT, 'dist/test/kernel/run.js'), 'soak');
  say(`${SEEDS} seeds of the simulation from ${first} on ...`);
  const sim = runs(join(ROOT, 'dist/test/sim/run.js'), '--quiet', ...seeds);
  say(`kernel lab: ${lab ? 'good' : 'NOT GOOD'}; simulation: ${sim ? 'good' : 'NOT GOOD'}`);
  return lab && sim ? 0 : 1;
});
