/** The native connector as a port. */
import type { OpenConnector } from '../core/ports.js';
import { loadNative, POLL_READABLE } from './native.js';

/** Opens a connector on this thread's loop. @throws NATIVE where the native part is missing */
export const openConnector: OpenConnector = (slots) => {
  const native = loadNative().openConnector(slots);
  if (typeof native === 'number') return native;
  return {
    start: (rows, slab) => native.start(rows, slab),
    collect: (rows, slab) => native.collect(rows, slab),
    stop: (ended) => native.stop(ended),
    onReady: (listener) => void native.poll(POLL_READABLE, () => listener()),
    close: () => void native.close(),
  };
};
