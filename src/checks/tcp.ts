/** TCP check: the server accepts a connection. */
import type { TcpCheck } from './model.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';

/** Passes when the connection stands; it is reset at once, nothing is sent or read. */
export function tcpProber(now: Now): Prober<TcpCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      run.openTcp(spec.target, {
        open: () => run.end({ kind: 'ok' }),
        data: () => undefined,
        end: () => undefined,
      });
    });
}
