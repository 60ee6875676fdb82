/** The command line in this process, with everything outside of it in the test's hands. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CliContext } from '../../src/cli/context.js';
import { runCli } from '../../src/cli/program.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { IpvsTable } from '../../src/ipvs/model.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { openPipe } from '../../src/sys/pipe.js';
import { FakeTime } from '../fakes/time.js';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface FakeContext extends CliContext {
  readonly lines: string[];
  readonly errors: string[];
}

export function context(changes: Partial<CliContext> = {}): FakeContext {
  const time = new FakeTime();
  const [lines, errors]: [string[], string[]] = [[], []];
  return {
    lines,
    errors,
    out: (line) => lines.push(line),
    err: (line) => errors.push(line),
    isTerminal: false,
    clock: time,
    timers: time,
    openOrigin: () => -38,
    openSocket: openPacketSocket,
    openPipe,
    openKernelTable: () => Promise.resolve(new MemoryTable()),
    trialFile: '/nonexistent/lvsentry-apply.json',
    connectionsFile: '/nonexistent/ip_vs_conn',
    onInterrupt: () => () => undefined,
    openRealServer: () => Promise.reject(new Error('this test has no real server')),
    examine: () => Promise.reject(new Error('nothing is examined here')),
    runDaemon: () => Promise.resolve(0),
    ...changes,
  };
}

/** Runs one command. */
export async function cli(words: readonly string[], changes: Partial<CliContext> = {}): Promise<CliRun> {
  const its = context(changes);
  const code = await runCli(words, its);
  return { code, out: its.lines.join('\n'), err: its.errors.join('\n') };
}

/** A way to open a table that outlives the command, so that the test can look at it afterwards. */
export function lend(table: IpvsTable, closed: () => void = () => undefined): CliContext['openKernelTable'] {
  const lent: Pick<IpvsTable, 'kind' | 'info' | 'dump' | 'apply' | 'syncDaemons' | 'timeouts' | 'close'> = {
    kind: table.kind,
    info: () => table.info(),
    dump: () => table.dump(),
    apply: (operations) => table.apply(operations),
    syncDaemons: () => table.syncDaemons(),
    timeouts: () => table.timeouts(),
    close: closed,
  };
  return () => Promise.resolve(lent as IpvsTable);
}

/** A configuration in a folder of its own, for one test. */
export function file(t: Test, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lvsentry.yaml');
  writeFileSync(path, text);
  return path;
}

export const CONFIG = `name: director-a
table: kernel
api: { listen: 127.0.0.1:8405 }
services:
  web:
    address: 192.0.2.1:80
    scheduler: wlc
    forward: direct
    check: { type: tcp }
    servers: [{ name: web1, address: 192.0.2.2 }, { name: web2, address: 192.0.2.3, weight: 3 }]
`;
