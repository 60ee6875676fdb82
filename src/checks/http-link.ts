/** A connection of HTTP/1.0 or 1.1 over which requests go one after the other. */
import type { Socket } from 'node:net';
import { Answer, type Expected } from './http-answer.js';
import type { Visit } from './http-redirect.js';
import type { Reason } from './model.js';
import type { LinkHandlers, ProbeRun } from './probe-run.js';

/** What was heard of an answer that has come far enough to be judged. */
export interface Heard {
  readonly reason: Reason;
  readonly status: number | undefined;
  readonly location: string | undefined;
  /** The rest of the answer is on its way, and the connection of use again after it. */
  readonly endsSoon: boolean;
}

/** A request, in parts and in the bytes of HTTP/1, and what its answer must be. */
export interface Request {
  readonly visit: Visit;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | undefined;
  readonly bytes: Uint8Array;
  readonly expected: Expected;
}

/** Who asks, and hears what came of it. */
export interface Asker {
  /** Called again with every piece of an answer whose end is waited for. */
  onHeard(heard: Heard): void;
  /** A connection that was used before was closed in place of an answer: that says nothing about the request. */
  onStale(): void;
}

/** A connection to a web server. */
export interface WebLink extends LinkHandlers {
  /** Whether another request may go over it. */
  readonly isFree: boolean;
  /** Sends another request; the link must be free. */
  ask(request: Request): void;
  /** Gives the connection up. */
  close(): void;
}

export class HttpLink implements WebLink {
  readonly #run: ProbeRun;
  readonly #asker: Asker;
  #socket: Socket | undefined;
  #request: Request;
  #answer: Answer;
  /** Bytes of the answer were heard. */
  #heard = false;
  #count = 1;
  #closed = false;

  constructor(run: ProbeRun, asker: Asker, first: Request) {
    this.#run = run;
    this.#asker = asker;
    this.#request = first;
    this.#answer = new Answer(first.expected);
  }

  get isFree(): boolean {
    return !this.#closed && this.#answer.leavesConnection;
  }

  ask(request: Request): void {
    this.#request = request;
    this.#answer = new Answer(request.expected);
    this.#heard = false;
    this.#count += 1;
    this.#send();
  }

  close(): void {
    this.#closed = true;
    if (this.#socket !== undefined) this.#run.drop(this.#socket);
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#send();
  }

  data(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#heard = true;
    this.#run.enter('response');
    this.#answer.push(bytes);
    this.#tell();
  }

  end(): void {
    if (this.#closed) return;
    this.#run.enter('response');
    if (this.#count > 1 && !this.#heard) {
      this.#asker.onStale();
      return;
    }
    this.#answer.finish();
    this.#tell();
  }

  #send(): void {
    const request = this.#request;
    this.#run.enter('request');
    this.#socket?.write(request.bytes, () => {
      if (request === this.#request && !this.#closed) this.#run.enter('response');
    });
  }

  #tell(): void {
    const { reason, status, location, endsSoon } = this.#answer;
    if (reason !== undefined) this.#asker.onHeard({ reason, status, location, endsSoon });
  }
}
