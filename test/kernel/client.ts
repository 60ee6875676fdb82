/** The client of the topology: single requests, and a loop that records what became of each. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientAnswer, ClientOrder } from './guest/client.js';
import type { GuestProcess } from './process.js';
import { type Host, startOn } from './topology.js';

const BUNDLE = process.argv[1] ?? '';

/** The guest is slow, and its first login by FTP the slowest. */
const PATIENCE_MS = 10_000;

export interface Recorded extends ClientAnswer {
  /** When the request was made, in milliseconds since the loop began. */
  readonly atMs: number;
}

/** A loop of requests. */
export interface ClientLoop {
  /** In the order of their ends. */
  readonly recorded: readonly Recorded[];
  /** Makes no further request, waits for the last, and gives all. */
  stop(): Promise<readonly Recorded[]>;
}

export class TestClient {
  readonly #process: GuestProcess;
  readonly #waiting = new Map<number, (answer: ClientAnswer) => void>();
  #id = 0;

  private constructor(process: GuestProcess) {
    this.#process = process;
    process.child.on('message', (answer: ClientAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Starts a client in a host's namespace. */
  static async start(host: Host = 'client'): Promise<TestClient> {
    const started = startOn(host, process.execPath, BUNDLE, 'client');
    await once(started.child, 'message');
    return new TestClient(started);
  }

  /** One request on a new connection. Never rejects: what went wrong is in the answer. */
  ask(order: Omit<ClientOrder, 'id'>): Promise<ClientAnswer> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#process.child.send({ ...order, id });
    });
  }

  http(address: string, port = 80, timeoutMs = PATIENCE_MS): Promise<ClientAnswer> {
    return this.ask({ protocol: 'http', address, port, timeoutMs });
  }

  ftp(address: string, port = 21, timeoutMs = PATIENCE_MS): Promise<ClientAnswer> {
    return this.ask({ protocol: 'ftp', address, port, timeoutMs });
  }

  /** Asks again and again, every so many milliseconds, whether the last request has ended or not. */
  loop(everyMs: number, order: Omit<ClientOrder, 'id'>): ClientLoop {
    const recorded: Recorded[] = [];
    const began = performance.now();
    const pending = new Set<Promise<unknown>>();
    const ask = () => {
      const atMs = performance.now() - began;
      const asked = this.ask(order).then((answer) => {
        recorded.push({ ...answer, atMs });
        pending.delete(asked);
      });
      pending.add(asked);
    };
    const timer = setInterval(ask, everyMs);
    ask();
    return {
      recorded,
      stop: async () => {
        clearInterval(timer);
        await Promise.all(pending);
        return recorded;
      },
    };
  }

  async close(): Promise<void> {
    await this.#process.stop();
  }
}

/** Waits until a condition holds; false where it never did within the time. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 50,
): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end; await pause(everyMs))
    if (await holds()) return true;
  return holds();
}
