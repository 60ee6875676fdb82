/**
 * Files that only this program writes: replaced whole or not at all, and read with distrust. Nothing here blocks.
 * Problems are values that complete "FILE ...".
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText } from '../core/errors.js';
import { type EpochMillis, epochMillis } from '../core/units.js';

/** Readable for this user alone: names of servers and addresses are nobody else's business. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'cannot be written: no space left on the device',
  EDQUOT: 'cannot be written: the quota is used up',
  EROFS: 'cannot be written: the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of the path is no folder',
  ELOOP: 'is a symbolic link, which is not followed here',
};

/** Of an error of node:fs. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** What went wrong with a file, in words. */
export function diskProblem(thrown: unknown): string {
  return PROBLEMS[errorCode(thrown)] ?? errorText(thrown);
}

/** A write that was torn by a full disk or a kill can only have hit this name. */
const besides = (path: string): string => `${path}.new`;

async function writeAll(handle: FileHandle, parts: Iterable<string>): Promise<void> {
  for (const part of parts) await handle.writeFile(part);
}

/** Makes a rename last over a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Replaces a file: whoever looks sees the old one or the new one, whole, whatever happens in between.
 * @param parts written one after the other; other work runs between them
 * @throws what node:fs throws (rejects); the old file stands then
 */
export async function replaceFile(path: string, parts: Iterable<string>): Promise<void> {
  const name = besides(path);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const handle = await open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);
  try {
    await writeAll(handle, parts);
    await handle.sync();
  } catch (thrown) {
    await handle.close();
    // On a full disk half a file helps nobody.
    await unlink(name).catch(() => undefined);
    throw thrown;
  }
  await handle.close();
  await rename(name, path);
  await syncFolder(dirname(path));
}

/** What reading a file comes to. */
export type ReadFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string; readonly modifiedAt: EpochMillis }
  | { readonly kind: 'refused'; readonly problem: string };

const refused = (problem: string): ReadFile => ({ kind: 'refused', problem });

async function readTrusted(handle: FileHandle, bytesMax: number): Promise<ReadFile> {
  const stats = await handle.stat();
  if (!stats.isFile()) return refused('is not a regular file');
  if (stats.uid !== process.geteuid?.()) return refused(`belongs to another user (${stats.uid})`);
  if (stats.size > bytesMax) return refused(`has ${stats.size} bytes; more than ${bytesMax} are not read`);
  const bytes = await handle.readFile();
  if (bytes.length > bytesMax) return refused(`has more than ${bytesMax} bytes`);
  return { kind: 'text', text: bytes.toString('utf8'), modifiedAt: epochMillis(stats.mtimeMs) };
}

/** Reads a file that this program wrote: a regular one, of this user, not larger than it can be. Never rejects. */
export async function readOwnFile(path: string, bytesMax: number): Promise<ReadFile> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK a FIFO in its place would hold us.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    return errorCode(thrown) === 'ENOENT' ? { kind: 'absent' } : refused(diskProblem(thrown));
  }
  try {
    return await readTrusted(handle, bytesMax);
  } catch (thrown) {
    return refused(diskProblem(thrown));
  } finally {
    await handle.close();
  }
}

/**
 * Gets a file that cannot be used out of the way, for a person to look at. An older one of that name gives way.
 * @returns what was done, to complete "FILE ..."
 */
export async function setAside(path: string): Promise<string> {
  try {
    await rename(path, `${path}.aside`);
    return `it was set aside as ${path}.aside`;
  } catch (thrown) {
    return `it could not be set aside: ${diskProblem(thrown)}`;
  }
}

/** What tells this boot of the machine from all others (random(4)); undefined where the kernel does not say. */
export async function bootId(): Promise<string | undefined> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return undefined;
  }
}

/** Makes the folder where it is missing. @returns the problem, if there is one; it completes "PATH ..." */
export async function prepareFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    const stats = await stat(path);
    if (!stats.isDirectory()) return 'is not a folder';
    // Others could put files in our files' place; a sticky bit does not keep them from new names.
    return (stats.mode & 0o002) === 0 ? undefined : 'may be written by everybody: `chmod o-w` it';
  } catch (thrown) {
    return errorCode(thrown) === 'EEXIST' ? 'is not a folder' : diskProblem(thrown);
  }
}
