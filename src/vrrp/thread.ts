/** Main's side of the VRRP thread: it is started when there is something to run, and again when it dies. */
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { unreachable } from '../core/assert.js';
import { errorText, LvsError } from '../core/errors.js';
import type { Timer, Timers } from '../core/ports.js';
import { millis } from '../core/units.js';
import type { Observation } from './model.js';
import type { FromVrrp, RoleChange, ToVrrp, VrrpNotice } from './protocol.js';
import type { RouterConfig, VrrpDigest } from './status.js';

export interface VrrpThreadOptions {
  /** The compiled `vrrp/worker.js`. */
  readonly workerFile: URL;
  readonly timers: Timers;
  readonly onRole: (change: RoleChange) => void;
  readonly onNotice: (notice: VrrpNotice) => void;
  readonly onDigest: (digest: VrrpDigest) => void;
  /**
   * Code WORKER. The virtual IPs stay; the next thread goes on where this one was master, and takes away the rest.
   * `again`: it has done nothing since it died of the same cause.
   */
  readonly onDied: (error: LvsError, again: boolean) => void;
}

const RESTART_DELAYS = [0, 100, 200, 500, 1000].map(millis);
const CLOSE_LIMIT = millis(3000);

/** The thread itself never waits for main; all calls return at once. */
export class VrrpThread {
  readonly #options: VrrpThreadOptions;
  #routers: readonly RouterConfig[] = [];
  readonly #observed = new Map<string, Observation>();
  readonly #masters = new Set<string>();
  #ready = false;
  #thread: Worker | undefined;
  #restart: Timer | undefined;
  #cause: string | undefined;
  #deaths = 0;
  #closing = false;

  constructor(options: VrrpThreadOptions) {
    this.#options = options;
  }

  /** Makes `routers` the whole of what is run. Without any no thread is started. */
  configure(routers: readonly RouterConfig[]): void {
    if (isDeepStrictEqual(routers, this.#routers)) return;
    this.#routers = routers;
    if (this.#thread === undefined) this.#masters.clear();
    if (this.#thread !== undefined) this.#send({ kind: 'configure', routers, resumed: [] });
    else if (routers.length > 0 && this.#restart === undefined) this.#start();
  }

  /** What is known of a tracked object, such as `services web`. */
  observe(what: string, seen: Observation): void {
    if (isDeepStrictEqual(this.#observed.get(what), seen)) return;
    this.#observed.set(what, seen);
    this.#send({ kind: 'observed', what, seen });
  }

  /** The first verdicts are in: who should be master may become it. */
  ready(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#send({ kind: 'ready' });
  }

  /** Resigns, takes the virtual IPs away and ends the thread; 3 s at most. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#restart?.cancel();
    const thread = this.#thread;
    if (thread === undefined) return;
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const limit = this.#options.timers.after(CLOSE_LIMIT, () => void thread.terminate());
    this.#send({ kind: 'stop' });
    await exited;
    limit.cancel();
  }

  #send(message: ToVrrp): void {
    this.#thread?.postMessage(message);
  }

  #start(): void {
    this.#restart = undefined;
    const thread = new Worker(this.#options.workerFile, { name: 'vrrp' });
    thread.on('message', (message: FromVrrp) => this.#onMessage(message));
    let cause: string | undefined;
    thread.on('error', (error) => {
      cause ??= errorText(error);
    });
    thread.once('exit', (code) => this.#onExit(cause ?? `exit code ${code}`));
    this.#thread = thread;
    // Whoever could not go on at once goes on no more: somebody else is master by now.
    const resumed = this.#deaths <= 1 ? [...this.#masters] : [];
    this.#masters.clear();
    this.#send({ kind: 'configure', routers: this.#routers, resumed });
    for (const [what, seen] of this.#observed) this.#send({ kind: 'observed', what, seen });
    if (this.#ready) this.#send({ kind: 'ready' });
  }

  #onMessage(message: FromVrrp): void {
    switch (message.kind) {
      case 'role':
        if (message.change.to === 'master') this.#masters.add(message.change.instance);
        else this.#masters.delete(message.change.instance);
        this.#options.onRole(message.change);
        break;
      case 'notice':
        this.#options.onNotice(message.notice);
        break;
      case 'digest':
        this.#deaths = 0;
        this.#options.onDigest(message.digest);
        break;
      default:
        unreachable(message);
    }
  }

  #onExit(cause: string): void {
    this.#thread = undefined;
    if (this.#closing) return;
    const again = this.#deaths > 0 && cause === this.#cause;
    this.#cause = cause;
    const delay = RESTART_DELAYS[Math.min(this.#deaths, RESTART_DELAYS.length - 1)] ?? millis(0);
    this.#deaths += 1;
    this.#restart = this.#options.timers.after(delay, () => this.#start());
    this.#options.onDied(new LvsError('WORKER', `the VRRP thread ended: ${cause}`, { cause }), again);
  }
}
