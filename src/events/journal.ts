/** The event journal: numbers that go on over restarts, the last events in memory, and all that the disk still has. */
import type { LvsEvent } from '../alerts/model.js';
import type { JournalFiles } from './files.js';
import { eventJson } from './line.js';
import type { EventPage, EventQuery, RecordedEvent } from './model.js';
import { isWanted } from './query.js';
import { EventRing } from './ring.js';

/** Events in memory. */
const RING_LENGTH = 1000;

export class EventJournal {
  readonly #ring = new EventRing(RING_LENGTH);
  readonly #files: JournalFiles | undefined;
  readonly #listeners = new Set<() => void>();
  #name: string;
  #opened = false;
  /** Added to the numbers of this run. */
  #base = 0;
  /** Reading the files takes memory: one reader after the other. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param name of this journal unless the files have one; letters and digits @param files undefined: memory alone */
  constructor(name: string, files: JournalFiles | undefined) {
    this.#name = name;
    this.#files = files;
  }

  /** Takes over what the files hold. Never rejects. @returns what was wrong with them; sentences */
  async open(): Promise<readonly string[]> {
    const found = await this.#files?.open(RING_LENGTH);
    this.#opened = true;
    if (found === undefined) return [];
    for (const event of found.events) this.#ring.push(event);
    this.#name = found.journal;
    this.#base = found.last;
    return found.problems;
  }

  /** Tells journals apart: the numbers of another one mean nothing here. */
  get name(): string {
    return this.#name;
  }

  /** The number of the newest event; 0 where there is none. */
  get newest(): number {
    return this.#ring.newest;
  }

  /**
   * Keeps an event under a number of the journal. Never waits, never throws for a disk.
   * @returns the event with that number
   */
  record(event: LvsEvent): LvsEvent {
    const kept = { ...event, sequence: this.#base + event.sequence };
    this.#ring.push(kept);
    if (this.#opened) this.#files?.append(`${eventJson(kept)}\n`);
    for (const listener of this.#listeners) listener();
    return kept;
  }

  /** Calls after each event, until the result is called. The listener must not throw. */
  onRecord(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first events that the query asks for, at most `limit`; older ones than memory has come from the disk. */
  async page(query: EventQuery, limit: number): Promise<EventPage> {
    if (this.#files === undefined || this.#isInMemory(query)) return this.#ring.page(query, limit);
    const before = this.#ring.oldest ?? 1;
    const events = await this.#older(query, before, (found) => found.length < limit);
    if (events.length === limit) return { events, upTo: events.at(-1)?.sequence ?? query.after };
    const rest = this.#ring.page({ ...query, after: before - 1 }, limit - events.length);
    return { events: [...events, ...rest.events], upTo: rest.upTo };
  }

  /** The last events that the query asks for, at most `limit`, oldest first. */
  async tail(query: EventQuery, limit: number): Promise<EventPage> {
    const { events, upTo } = this.#ring.page(query, RING_LENGTH);
    const missing = limit - events.length;
    if (missing <= 0 || this.#isInMemory(query)) return { events: events.slice(-limit), upTo };
    const last: RecordedEvent[] = [];
    await this.#older(query, this.#ring.oldest ?? 1, (found) => {
      last.push(...found.splice(0));
      if (last.length > missing) last.splice(0, last.length - missing);
      return true;
    });
    return { events: [...last, ...events], upTo };
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#files?.close();
  }

  /** Whether memory holds everything that the query may ask for. */
  #isInMemory({ after, since }: EventQuery): boolean {
    const oldest = this.#ring.oldest;
    if (this.#files === undefined || oldest === undefined || oldest === 1 || after >= oldest - 1) return true;
    const first = this.#ring.page({ after: 0, since: undefined, kinds: undefined, service: undefined }, 1)
      .events[0];
    return since !== undefined && first !== undefined && since > first.at;
  }

  /** Wanted events on disk with numbers below `before`, for as long as `goOn` says so. */
  #older(
    query: EventQuery,
    before: number,
    goOn: (found: RecordedEvent[]) => boolean,
  ): Promise<RecordedEvent[]> {
    const read = async (): Promise<RecordedEvent[]> => {
      const found: RecordedEvent[] = [];
      for await (const event of this.#files?.read() ?? []) {
        if (event.sequence >= before) break;
        if (!isWanted(query, event)) continue;
        found.push(event);
        if (!goOn(found)) break;
      }
      return found;
    };
    const result = this.#reading.then(read);
    this.#reading = result.catch(() => undefined);
    return result;
  }
}
