/** Reads files that hold a whole number, as operators write them: bounded, and with distrust. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorText } from '../core/errors.js';
import { CONTENT_MAX, numberIn } from '../tracks/content.js';
import { errorCode } from './disk.js';

/** What was found: a number, or why there is none. */
export type FoundNumber =
  | { readonly kind: 'number'; readonly value: number; readonly why: string }
  | { readonly kind: 'problem'; readonly errno: string; readonly text: string };

/** The start of a file, or an errno with words for what it is instead. */
type Start = { readonly text: string } | { readonly errno: string; readonly problem: string };

/** Not opened for writing, never waiting for a writer; at most one byte more than allowed is read. */
async function readStart(path: string): Promise<Start> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return { errno: 'EINVAL', problem: 'is not a regular file' };
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CONTENT_MAX + 1), 0, CONTENT_MAX + 1, 0);
    if (bytesRead > CONTENT_MAX) return { errno: 'EFBIG', problem: `has more than ${CONTENT_MAX} bytes` };
    return { text: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    await handle.close();
  }
}

/** The number in a file. One that is not there holds 0, as for keepalived. Never rejects. */
export async function readNumber(path: string): Promise<FoundNumber> {
  try {
    const start = await readStart(path);
    if ('problem' in start) return { kind: 'problem', errno: start.errno, text: `${path}: ${start.problem}` };
    const value = numberIn(start.text);
    if (value !== undefined) return { kind: 'number', value, why: `${path} holds ${value}` };
    return { kind: 'problem', errno: 'EINVAL', text: `${path} holds no whole number` };
  } catch (thrown) {
    const errno = errorCode(thrown);
    if (errno === 'ENOENT') return { kind: 'number', value: 0, why: `${path} is not there` };
    return { kind: 'problem', errno: errno === '' ? 'defect' : errno, text: `${path}: ${errorText(thrown)}` };
  }
}
