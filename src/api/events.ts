/** `/v1/events`: the journal, once as JSON, or for as long as somebody listens as server-sent events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { eventJson } from '../events/line.js';
import type { EventPage } from '../events/model.js';
import { cursorText, resumeAfter } from '../events/query.js';
import { type EventRequest, eventRequest } from './event-query.js';
import { EventStream } from './event-stream.js';
import { sendError } from './failure.js';
import type { ApiSource } from './source.js';

export interface EventStatus {
  readonly sequence: number;
  readonly time: string;
  readonly kind: string;
  readonly service: string | null;
  readonly server: string | null;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface EventsStatus {
  readonly events: readonly EventStatus[];
  readonly next: string;
}

/** Each holds a connection for as long as its reader likes; other requests need some, too. */
const STREAMS_MAX = 50;

/** What a stream begins behind: where its reader stopped, else what `since` says, else now. */
function beginningOf({ query, begins }: EventRequest, request: FastifyRequest, source: ApiSource): number {
  const last = request.headers['last-event-id'];
  const resumed = typeof last === 'string' ? resumeAfter(last, source.events.name) : undefined;
  return resumed ?? (begins ? query.after : source.events.newest);
}

export class EventRoute {
  #streams = 0;

  async answer(source: ApiSource, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const given = request.query as Readonly<Record<string, unknown>>;
    const asked = eventRequest(given, source.events.name);
    if (!asked.ok) return sendError(reply, 400, 'BAD_REQUEST', asked.problem);
    if (request.headers.accept?.includes('text/event-stream') === true)
      return this.#stream(source, asked.value, request, reply);
    const { query, limit, begins } = asked.value;
    const { events } = source;
    const page = await (begins ? events.page(query, limit) : events.tail(query, limit));
    return reply.type('application/json; charset=utf-8').send(pageJson(page, events.name));
  }

  #stream(
    source: ApiSource,
    asked: EventRequest,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    if (this.#streams >= STREAMS_MAX)
      return sendError(reply, 503, 'BUSY', `${STREAMS_MAX} streams of events are open already`);
    const after = beginningOf(asked, request, source);
    reply.hijack();
    this.#streams += 1;
    const stream = new EventStream(source, { ...asked.query, after }, reply.raw);
    reply.raw.once('close', () => {
      this.#streams -= 1;
      stream.end();
    });
    stream.start();
    return reply;
  }
}

function pageJson({ events, upTo }: EventPage, journal: string): string {
  const next = JSON.stringify(cursorText({ journal, sequence: upTo }));
  return `{"events":[${events.map(eventJson).join(',')}],"next":${next}}`;
}
