/** Events for tests. */
import type { LvsEvent } from '../../src/alerts/model.js';
import { epochMillis } from '../../src/core/units.js';
import { ALL_EVENTS } from '../../src/events/query.js';

export const START = 1_700_000_000_000;

/** The event of that number: a second after the one before. */
export function event(sequence: number, changes: Partial<LvsEvent> = {}): LvsEvent {
  return {
    sequence,
    at: epochMillis(START + sequence * 1000),
    kind: 'server-down',
    service: 'web',
    server: 'web1',
    message: `event ${sequence}`,
    facts: {},
    ...changes,
  };
}

export const behind = (after: number) => ({ ...ALL_EVENTS, after });
