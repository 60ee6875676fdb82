/** `npm run demo -- kernel`: the demo beside a real IPVS table, in the kernel lab of the tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, Stop, say } from '../lib/process.mjs';
import { bundleDaemon } from '../setup.mjs';

const LAB = join(ROOT, 'dist/test/kernel/lab.js');
const LIMIT_MS = 300_000;

/** @throws Stop where there is no kernel with IPVS, or the demo fails in it */
export async function runKernelDemo() {
  if (!existsSync(LAB)) throw new Stop('lvsentry is not built yet: run `npm run setup`');
  const { findKernel, runInGuest } = await import(pathToFileURL(LAB).href);
  const kernel = findKernel();
  if (kernel.kind === 'none')
    throw new Stop(
      `no kernel with IPVS can be used: ${kernel.reason}. As root on Debian: apt-get install user-mode-linux kmod iproute2 ipvsadm`,
    );
  // Hostfs is slow for each file: in one piece the daemon starts many times sooner.
  bundleDaemon();
  say(
    kernel.kind === 'host'
      ? 'on this kernel, in namespaces of its own'
      : 'in a guest (User-Mode Linux), which boots in a few seconds',
  );
  const ctrlC = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ctrlC.abort());
  const command = `exec '${process.execPath}' scripts/demo/kernel-steps.mjs`;
  const run = await runInGuest({ command, timeoutMs: LIMIT_MS, onLine: say, signal: ctrlC.signal }, kernel);
  if (run.end === 'aborted') return 130;
  if (run.end !== 'finished') throw new Stop(`the guest did not finish (${run.end}):\n${run.console}`);
  return run.exitCode ?? 1;
}
