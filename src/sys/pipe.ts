/**
 * What Node cannot do for programs: give them pipes (it gives sockets, which they cannot open by /dev/stdout), and take
 * the exits of those whose thread is gone.
 */
import type { OpenPipe, ReapChild } from '../core/ports.js';
import { loadNative } from './native.js';

/** @throws NATIVE where the native part is missing */
export const openPipe: OpenPipe = () => {
  const ends = new Int32Array(2);
  const result = loadNative().openPipe(ends);
  const [read = -1, write = -1] = ends;
  return result < 0 ? result : { read, write };
};

/** @throws NATIVE where the native part is missing */
export const reapChild: ReapChild = (pid) => loadNative().reapChild(pid) === 0;
