/** One reader of server-sent events (WHATWG HTML 9.2): it keeps a place in the journal, not a queue of its own. */
import type { ServerResponse } from 'node:http';
import type { Timer } from '../core/ports.js';
import { seconds } from '../core/units.js';
import { eventJson } from '../events/line.js';
import type { EventQuery, RecordedEvent } from '../events/model.js';
import { cursorText } from '../events/query.js';
import type { ApiSource } from './source.js';

/** Events that are written at once. */
const PAGE_LENGTH = 100;
/** Below the time after which the server ends a silent connection. */
const HEARTBEAT = seconds(5);
/** Milliseconds after which a reader that lost its connection comes back. */
const RETRY = 2000;

const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies of nginx's kind would hold events back.
  'x-accel-buffering': 'no',
};

export class EventStream {
  readonly #source: ApiSource;
  readonly #query: EventQuery;
  readonly #response: ServerResponse;
  #after: number;
  #stopListening: (() => void) | undefined;
  #heartbeat: Timer | undefined;
  #pumping = false;
  #ended = false;

  constructor(source: ApiSource, query: EventQuery, response: ServerResponse) {
    this.#source = source;
    this.#query = query;
    this.#after = query.after;
    this.#response = response;
  }

  start(): void {
    this.#response.writeHead(200, HEAD);
    this.#response.write(`retry: ${RETRY}\n\n`);
    this.#stopListening = this.#source.events.onRecord(() => this.#pump());
    this.#beat();
    this.#pump();
  }

  /** The connection is gone. */
  end(): void {
    this.#ended = true;
    this.#heartbeat?.cancel();
    this.#stopListening?.();
  }

  /** A reader that takes nothing is not written to; its connection ends by the server's own limit. */
  #beat(): void {
    this.#heartbeat = this.#source.timers.after(HEARTBEAT, () => {
      if (!this.#response.writableNeedDrain) this.#response.write(':\n\n');
      this.#beat();
    });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#pumpAll()
      .catch(() => this.#response.destroy())
      .finally(() => {
        this.#pumping = false;
        // What came in just now may not have been seen.
        if (!this.#ended && this.#after < this.#source.events.newest) this.#pump();
      });
  }

  async #pumpAll(): Promise<void> {
    while (!this.#ended && this.#after < this.#source.events.newest) {
      const { events, upTo } = await this.#source.events.page(
        { ...this.#query, after: this.#after },
        PAGE_LENGTH,
      );
      this.#after = upTo;
      const text = events.map((event) => this.#frame(event)).join('');
      if (this.#ended || text === '' || this.#response.write(text)) continue;
      await this.#drained();
    }
  }

  #frame(event: RecordedEvent): string {
    const id = cursorText({ journal: this.#source.events.name, sequence: event.sequence });
    return `id: ${id}\ndata: ${eventJson(event)}\n\n`;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#response.once('drain', resolve);
      this.#response.once('close', resolve);
    });
  }
}
