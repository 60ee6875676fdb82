/** What a client sees of the VIP while directors come and go: connections that live on, and who answers for it. */
import { once } from 'node:events';
import type { ObserverOrder, ObserverReport } from './guest/observer.js';
import type { GuestProcess } from './process.js';
import { startOn, VIP } from './topology.js';

const BUNDLE = process.argv[1] ?? '';

/** The longest pause between instants in their order. */
function longestPause(instants: readonly number[]): number {
  return Math.max(0, ...instants.slice(1).map((at, index) => at - (instants[index] ?? at)));
}

/** One long connection through the VIP. */
export class Talk {
  /** Of this connection on the client's side. */
  port = 0;
  /** Who is at its other end. */
  server = '';
  /** When what was said came back, in the observer's milliseconds, in order. */
  readonly echoes: number[] = [];
  /** Whether nothing was lost or came twice. */
  isWhole = true;
  /** Why it ended; undefined while it lives. */
  ended: string | undefined;

  hear(report: Exclude<ObserverReport, { kind: 'holders' | 'answer' }>): void {
    if (report.kind === 'opened') {
      this.port = report.port;
      this.server = report.server ?? '';
    } else if (report.kind === 'echo') {
      this.isWhole &&= report.count === this.echoes.length + 1;
      this.echoes.push(report.atMs);
    } else this.ended ??= report.why;
  }

  /** The longest silence since `mark` echoes had come back. */
  silenceSince(mark: number): number {
    return longestPause(this.echoes.slice(Math.max(mark - 1, 0)));
  }
}

type Answer = Extract<ObserverReport, { kind: 'answer' }>;

export class Observer {
  /** What became of new requests, in order. They stop only while it rests. */
  readonly answers: Answer[] = [];
  readonly #process: GuestProcess;
  readonly #talks: Talk[] = [];
  #holders: ((macs: readonly string[]) => void) | undefined;

  private constructor(process: GuestProcess) {
    this.#process = process;
    process.child.on('message', (report: ObserverReport) => {
      if (report.kind === 'holders') this.#holders?.(report.macs);
      else if (report.kind === 'answer') this.answers.push(report);
      else this.#talks[report.id]?.hear(report);
    });
  }

  static async start(): Promise<Observer> {
    const started = startOn('client', process.execPath, BUNDLE, 'observer', VIP);
    await once(started.child, 'message');
    return new Observer(started);
  }

  #order(order: ObserverOrder): void {
    this.#process.child.send(order);
  }

  /** Begins a connection, on which nothing is ever said where it is silent; it opens in its own time. */
  talk(kind: 'talk' | 'dial' = 'talk'): Talk {
    const talk = new Talk();
    this.#order({ kind, id: this.#talks.push(talk) - 1 });
    return talk;
  }

  /** Ends a connection from the client's side. */
  hangUp(talk: Talk): void {
    this.#order({ kind: 'hang-up', id: this.#talks.indexOf(talk) });
  }

  /** Makes no new requests, or makes them again. */
  rest(isResting = true): void {
    this.#order({ kind: 'rest', isResting });
  }

  /** The MAC addresses that answer for the VIP. One question at a time. */
  whoHas(): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#holders = resolve;
      this.#order({ kind: 'who-has' });
    });
  }

  /** The servers that answered since `mark` requests were; what failed has none. */
  serversSince(mark: number): ReadonlySet<string> {
    return new Set(
      this.answers.slice(mark).map(({ status, server }) => (status === 200 ? server : 'failed')),
    );
  }

  /** The longest time without a request that succeeded, since `mark` were answered. */
  pauseSince(mark: number): number {
    const answered = this.answers.slice(Math.max(mark - 1, 0)).filter(({ status }) => status === 200);
    return longestPause(answered.map(({ atMs }) => atMs));
  }
}
