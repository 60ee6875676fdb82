/** Running other programs. Node's built-ins only: these scripts run before anything is installed. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A reason to stop that a person can act upon: printed as one line, without a stack. */
export class Stop extends Error {}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * Runs a program to its end without a terminal to ask at.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{show?: boolean, env?: Record<string, string>, timeout?: number, detached?: boolean}} options `show`: its
 * output goes to ours; `detached`: Ctrl-C does not reach it
 * @returns {{status: number, output: string}} status 127 where the program does not exist
 */
export function run(command, args, { show = false, env = {}, timeout = 600_000, detached = false } = {}) {
  const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  const done = spawnSync(command, args, {
    cwd: ROOT,
    detached,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
    stdio,
    timeout,
  });
  if (done.error !== undefined) {
    const missing = done.error.code === 'ENOENT';
    return { status: missing ? 127 : 1, output: missing ? `${command}: not found` : String(done.error) };
  }
  return { status: done.status ?? 1, output: `${done.stdout ?? ''}${done.stderr ?? ''}`.trim() };
}

/** Runs the main function of a script: a Stop becomes one line on stderr and exit code 1. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = 1;
  }
}
