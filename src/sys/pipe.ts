/** Pipes, over the native part: Node itself gives programs sockets, which they cannot open by /dev/stdout. */
import type { OpenPipe } from '../core/ports.js';
import { loadNative } from './native.js';

/** @throws NATIVE where the native part is missing */
export const openPipe: OpenPipe = () => {
  const ends = new Int32Array(2);
  const result = loadNative().openPipe(ends);
  const [read = -1, write = -1] = ends;
  return result < 0 ? result : { read, write };
};
