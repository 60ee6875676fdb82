/** Folders for tests: ordinary ones, and a disk that is soon full. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsentry-files-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function mount(path: string, kilobytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'ignore' });
}

function unmount(path: string): void {
  execFileSync('umount', ['-l', path]);
}

function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'lvsentry-mount-'));
  try {
    mount(path, 4);
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** For tests of disks: why they are skipped, or false. */
export const NO_DISK = !mayMount() && 'this user may not mount a file system';

/** A file system of so many kilobytes in memory. */
export function smallDisk(t: Test, kilobytes: number): string {
  const path = folder(t);
  mount(path, kilobytes);
  t.teardown(() => unmount(path));
  return path;
}

/** Makes such a disk read-only, or writable again. */
export function remount(path: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, path]);
}
