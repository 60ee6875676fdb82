/**
 * A small test framework for the guest: it prints TAP 14, which the host's tap reads. tap itself is a thousand
 * files, and hostfs is slow per file.
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { writeSync } from 'node:fs';
import type { Assertions } from '../../contract/assertions.js';

const STACK_LINES_MAX = 8;

/** Where TAP goes: one call for each line. */
export type PrintLine = (line: string) => void;

const printToStdout: PrintLine = (line) => {
  writeSync(1, `${line}\n`);
};

function escapeName(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('#', '\\#').replaceAll('\n', ' ');
}

function block(key: string, text: string): string[] {
  return [`${key}: |`, ...text.split('\n').map((line) => `  ${line}`)];
}

function diagnostics(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return block('thrown', String(thrown));
  // The message stands at the head of the stack; the frames of the framework itself say nothing.
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const stack = frames.filter((line) => !line.includes('harness.')).slice(0, STACK_LINES_MAX);
  const facts = 'facts' in thrown ? block('facts', JSON.stringify(thrown.facts)) : [];
  return [...block('message', thrown.message), ...facts, ...block('stack', stack.join('\n'))];
}

class Level implements Assertions {
  #count = 0;
  #failed = 0;

  constructor(readonly print: PrintLine) {}

  #point(passed: boolean, name: string, details: readonly string[], directive = ''): boolean {
    this.#count += 1;
    if (!passed) this.#failed += 1;
    this.print(`${passed ? 'ok' : 'not ok'} ${this.#count} - ${escapeName(name)}${directive}`);
    if (details.length > 0) for (const line of ['---', ...details, '...']) this.print(`  ${line}`);
    return passed;
  }

  #check(name: string, check: () => void): boolean {
    try {
      check();
    } catch (thrown) {
      return this.#point(false, name, diagnostics(thrown));
    }
    return this.#point(true, name, []);
  }

  ok(value: unknown, name = 'is true'): boolean {
    return this.#check(name, () => strictEqual(Boolean(value), true));
  }

  equal(actual: unknown, expected: unknown, name = 'is equal'): boolean {
    return this.#check(name, () => strictEqual(actual, expected));
  }

  strictSame(actual: unknown, expected: unknown, name = 'is the same'): boolean {
    return this.#check(name, () => deepStrictEqual(actual, expected));
  }

  comment(text: string): void {
    for (const line of text.split('\n')) this.print(`# ${line}`);
  }

  async test(name: string, body: (t: Assertions) => Promise<void>): Promise<boolean> {
    this.print(`# Subtest: ${escapeName(name)}`);
    const started = performance.now();
    const child = new Level((line) => this.print(`    ${line}`));
    const passed = await child.run(body);
    return this.#point(passed, name, [], ` # time=${Math.round(performance.now() - started)}ms`);
  }

  /** Runs a body on this level and closes it with its plan. */
  async run(body: (t: Assertions) => Promise<void>): Promise<boolean> {
    try {
      await body(this);
    } catch (thrown) {
      this.#point(false, 'runs to its end', diagnostics(thrown));
    }
    if (this.#count === 0) this.#point(false, 'has at least one assertion', []);
    this.print(`1..${this.#count}`);
    return this.#failed === 0;
  }
}

/** Runs a suite and prints it; true where everything passed. */
export async function runSuite(
  body: (t: Assertions) => Promise<void>,
  print: PrintLine = printToStdout,
): Promise<boolean> {
  print('TAP version 14');
  return new Level(print).run(body);
}
