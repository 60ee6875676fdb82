/** Reads server-sent events (WHATWG HTML 9.2) of the daemon. */
import type { Listen } from '../config/model.js';
import { LvsError } from '../core/errors.js';
import { open, unreachable } from './client.js';

/** Characters of one event; the daemon's have fewer. */
const EVENT_LENGTH_MAX = 1024 * 1024;

type OnEvent = (id: string, data: string) => void;

/** Cuts a stream into events. Of the fields only `id` and `data` are used; the daemon writes one line each. */
export class EventReader {
  readonly #onEvent: OnEvent;
  #rest = '';

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** @throws API where what comes is no stream of events, and what `onEvent` throws */
  read(text: string): void {
    this.#rest += text;
    for (let end = this.#rest.indexOf('\n\n'); end >= 0; end = this.#rest.indexOf('\n\n')) {
      const block = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 2);
      this.#readBlock(block);
    }
    if (this.#rest.length > EVENT_LENGTH_MAX)
      throw new LvsError('API', 'what answers there is not lvsentry, or not this version of it');
  }

  #readBlock(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const [, name = '', value = ''] = /^([a-z]*):? ?(.*)$/.exec(line) ?? [];
        return [name, value];
      }),
    );
    const data = fields.get('data');
    if (data !== undefined) this.#onEvent(fields.get('id') ?? '', data);
  }
}

/**
 * Calls for each event until the connection ends.
 * @param last the id behind which the stream begins
 * @throws API (rejects) where there is no such stream, and what `onEvent` throws
 */
export async function followDaemon(
  where: Listen,
  path: string,
  last: string,
  onEvent: OnEvent,
): Promise<void> {
  const headers = { accept: 'text/event-stream', 'last-event-id': last };
  const response = await open(where, path, headers);
  if (response.statusCode !== 200) {
    response.destroy();
    throw unreachable(where, `it answered with status ${response.statusCode}`);
  }
  const reader = new EventReader(onEvent);
  response.setEncoding('utf8');
  try {
    for await (const text of response as AsyncIterable<string>) reader.read(text);
  } finally {
    response.destroy();
  }
}
