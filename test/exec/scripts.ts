/** Real programs for tests: shell scripts in a folder of the test's own. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { millis } from '../../src/core/units.js';
import type { Program } from '../../src/exec/model.js';

const WITHIN_MS = 20_000;

/** Resolves when `holds` does. @throws when it has not for 20 s */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + WITHIN_MS; Date.now() < end; await pause(10)) if (holds()) return;
  throw new Error(`${what}: not within ${WITHIN_MS} ms`);
}

export class Scripts {
  readonly folder = mkdtempSync(join(tmpdir(), 'lvsentry-exec-'));

  constructor(t: Test) {
    // Programs of other users have to get here too.
    chmodSync(this.folder, 0o777);
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What a script has written to a file of the folder; empty where there is none. */
  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  /** A shell script; its working folder is not this one, so `$DIR` names it. */
  write(name: string, body: string): string {
    const path = this.path(name);
    writeFileSync(path, `#!/bin/sh\nDIR=${this.folder}\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** A program that runs such a script. */
  program(name: string, body: string, rest: Partial<Program> = {}): Program {
    const argv = [this.write(name, body)] as const;
    return { argv: [...argv], user: undefined, deadline: millis(15_000), environment: {}, ...rest };
  }
}

/** Whether a process is there and no zombie. */
export function lives(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  try {
    return !/\) Z/.test(readFileSync(stat, 'utf8'));
  } catch {
    return false;
  }
}
