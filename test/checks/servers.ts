/** Real servers in the foreground, each until its test ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Target } from '../../src/checks/spec-target.js';
import { tcpProber } from '../../src/checks/tcp.js';
import { systemClock } from '../../src/sys/clock.js';

const tcp = tcpProber(systemClock.monotonic);

/** Why the tests of a program are skipped, or false. */
export function missing(program: string, needsRoot = false): string | false {
  if (spawnSync('which', [program]).status !== 0) return `${program} is not installed`;
  return needsRoot && process.getuid?.() !== 0 && `${program} needs root`;
}

/** A folder that servers may read under whatever user they run. */
export function folder(t: Test, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsentry-server-'));
  chmodSync(path, 0o755);
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text, { mode: 0o644 });
  return path;
}

async function takesConnections(target: Target): Promise<boolean> {
  return (await tcp({ type: 'tcp', target }, AbortSignal.timeout(100))).outcome === 'pass';
}

/** Runs a server until the test ends; it is ready when each of its targets takes connections. */
export async function start(
  t: Test,
  targets: Target | readonly [Target, Target],
  command: readonly string[],
): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      said += text.toString();
    });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    // A test may have frozen it.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await exited;
  });
  const waitingFor: Target[] = [targets].flat();
  for (let tries = 0; child.exitCode === null && tries < 1000; tries += 1) {
    while (waitingFor[0] !== undefined && (await takesConnections(waitingFor[0]))) waitingFor.shift();
    if (waitingFor.length === 0) return child;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${program} did not start: ${said}`);
}

const nginxConfig = (dir: string, http: string): string => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${dir}/t1; proxy_temp_path ${dir}/t2; fastcgi_temp_path ${dir}/t3;
  uwsgi_temp_path ${dir}/t4; scgi_temp_path ${dir}/t5;
  ${http}
}
`;

/** Runs an nginx that keeps to its folder. @param http what stands in its `http` block */
export function startNginx(t: Test, ready: Target, dir: string, http: string): Promise<ChildProcess> {
  const path = join(dir, 'conf');
  writeFileSync(path, nginxConfig(dir, http));
  return start(t, ready, ['nginx', '-p', dir, '-c', path, '-e', join(dir, 'error.log')]);
}
