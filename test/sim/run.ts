/**
 * `npm run sim [-- [--quiet] SEED ...]`: the seeds named, or seed after seed until one finds a fault or it is
 * interrupted. With `--quiet` nothing is said of a seed that finds none.
 */
import { makeScenario } from './scenario.js';
import { describeFailure, simulate } from './simulate.js';

const REPORT_EVERY = 500;

/** Whether all rules held. */
function trySeed(seed: number): boolean {
  const scenario = makeScenario(seed);
  const violation = simulate(scenario);
  if (violation === undefined) return true;
  process.stdout.write(
    `${describeFailure(scenario, violation)}\nkeep it: add ${seed} to test/sim/seeds.txt\n`,
  );
  return false;
}

function tryForEver(first: number): never {
  for (let count = 1; ; count += 1) {
    const seed = (first + count) >>> 0;
    if (!trySeed(seed)) process.exit(1);
    if (count % REPORT_EVERY === 0) process.stdout.write(`${count} seeds up to ${seed}: every rule held\n`);
  }
}

const words = process.argv.slice(2);
const isQuiet = words[0] === '--quiet';
const named = words.slice(isQuiet ? 1 : 0).map(Number);
if (named.length === 0) tryForEver(Date.now() >>> 0);
for (const seed of named) {
  if (!trySeed(seed)) process.exitCode = 1;
  else if (!isQuiet) process.stdout.write(`seed ${seed}: every rule held\n`);
}
