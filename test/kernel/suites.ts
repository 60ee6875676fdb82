/** Runs suites of the table beside a kernel with IPVS: one boot for all of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForGuest } from './bundle.js';
import { type GuestSuite, suiteNamed } from './guest/table.js';
import { type GuestRun, type KernelHome, PROJECT, runInGuest } from './lab.js';

const BOOT_SECONDS = 60;

export interface SuiteResult {
  readonly name: string;
  /** Empty where the suite never started. */
  readonly tap: string;
  /** What it wrote to stderr. */
  readonly log: string;
  /** 0 passed, 1 failed, 137 killed at its time limit; undefined where the suite never ended. */
  readonly exitCode: number | undefined;
}

export interface SuitesRun {
  readonly guest: GuestRun;
  readonly suites: readonly SuiteResult[];
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function readResult(shared: string, name: string): SuiteResult {
  const exit = readOr(join(shared, `${name}.exit`), '').trim();
  return {
    name,
    tap: readOr(join(shared, `${name}.tap`), ''),
    log: readOr(join(shared, `${name}.log`), ''),
    exitCode: exit === '' ? undefined : Number(exit),
  };
}

/**
 * Runs the named suites in the order given. One that crashes or hangs fails alone.
 * @throws where a name is not in the table, or the kernel cannot be started.
 */
export async function runSuites(
  names: readonly string[],
  kernel: KernelHome,
  shared: string,
): Promise<SuitesRun> {
  const suites = names.map((name): readonly [string, GuestSuite] => [name, suiteNamed(name)]);
  const bundle = join(shared, 'main.mjs');
  await bundleForGuest(fileURLToPath(new URL('./guest/main.js', import.meta.url)), bundle);
  const runner = join(PROJECT, 'test/kernel/guest/suite.sh');
  const limits = suites.reduce((sum, [, suite]) => sum + suite.limitSeconds, 0);
  const guest = await runInGuest(
    {
      command: suites
        .map(([name, suite]) => `bash '${runner}' '${bundle}' ${name} ${suite.limitSeconds}`)
        .join('\n'),
      timeoutMs: (limits + BOOT_SECONDS) * 1000,
      shared,
    },
    kernel,
  );
  return { guest, suites: names.map((name) => readResult(shared, name)) };
}
