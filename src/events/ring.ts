/** The last events, in memory. */
import { assert } from '../core/assert.js';
import type { EventPage, EventQuery, RecordedEvent } from './model.js';
import { isWanted } from './query.js';

export class EventRing {
  readonly #capacity: number;
  /** The oldest stands at `#start`, once it is full. */
  readonly #events: RecordedEvent[] = [];
  #start = 0;

  constructor(capacity: number) {
    assert(capacity > 0, 'a ring holds something');
    this.#capacity = capacity;
  }

  /** Adds the newest. Its number is above all others. */
  push(event: RecordedEvent): void {
    assert(event.sequence > this.newest, 'the numbers of events count up');
    if (this.#events.length < this.#capacity) {
      this.#events.push(event);
      return;
    }
    this.#events[this.#start] = event;
    this.#start = (this.#start + 1) % this.#capacity;
  }

  /** The number of the oldest event that is here; undefined where there is none. */
  get oldest(): number | undefined {
    return this.#at(0)?.sequence;
  }

  /** The number of the newest; 0 where there is none. */
  get newest(): number {
    return this.#at(this.#events.length - 1)?.sequence ?? 0;
  }

  /** The first events that the query asks for, at most `limit`. */
  page(query: EventQuery, limit: number): EventPage {
    const events: RecordedEvent[] = [];
    for (let index = this.#firstBehind(query.after); index < this.#events.length; index += 1) {
      const event = this.#at(index);
      if (event === undefined || !isWanted(query, event)) continue;
      events.push(event);
      if (events.length === limit) return { events, upTo: event.sequence };
    }
    return { events, upTo: Math.max(query.after, this.newest) };
  }

  #at(index: number): RecordedEvent | undefined {
    return this.#events[(this.#start + index) % this.#capacity];
  }

  /** Numbers count up, but may leave gaps. */
  #firstBehind(sequence: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#at(middle)?.sequence ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
