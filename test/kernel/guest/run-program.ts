/** Programs of the guest, run to their end. */
import { execFileSync } from 'node:child_process';

/** A table of thousands of services is some megabytes of ipvsadm's text. */
const OUTPUT_MAX = 64 * 1024 * 1024;

/** What a program printed to stdout. @throws with what it printed to stderr where it failed */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: OUTPUT_MAX,
  });
}

/** `ip` with many lines, by one process: on a slow machine a process for each would take its time. */
export function ipAll(host: string, lines: readonly string[]): void {
  execFileSync('ip', ['-n', host, '-batch', '-'], { input: lines.join('\n') });
}

/** `ip` with the words of one line. */
export function ip(line: string): string {
  return run('ip', ...line.split(' '));
}
