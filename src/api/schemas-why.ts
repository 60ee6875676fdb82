/** JSON Schemas of `/v1/servers/SERVER/why`. */
import { CHECK_TYPES, type SaidWeight } from '../checks/model.js';
import { amount, choice, count, list, objectOf, orNull, text } from './schema-kit.js';
import { EVENT_SCHEMA, SERVER_SCHEMA } from './schemas.js';
import type { CheckWhy, PhaseWhy, ProbeWhy, ServerWhy, WeightPart, Why } from './why.js';

export const PHASE_SCHEMA = objectOf<PhaseWhy>('One phase of a probe.', {
  phase: text('`connect`, `tls`, `greeting` ...'),
  micros: count('How long it took, in microseconds.'),
});

export const WEIGHT_SCHEMA = objectOf<SaidWeight>('What the server says of its weight; null: nothing.', {
  kind: choice(['absolute', 'percent', 'offset'], 'In place of the configured one, of it, or added to it.'),
  value: { type: 'integer', description: 'How much.' },
});

export const PROBE_SCHEMA = objectOf<ProbeWhy>('One probe.', {
  startedAt: text('When it was started: RFC 3339, UTC.'),
  outcome: choice(
    ['pass', 'fail', 'neutral', 'unknown'],
    '`neutral`: it says nothing of whether the server is up; `unknown`: trouble of our own.',
  ),
  reason: text('`ok`, `status 500`, `timeout in response after 1000 ms`.'),
  micros: count('How long it took, in microseconds.'),
  phases: list(PHASE_SCHEMA, 'The phases that it went through, in their order.'),
  warning: orNull(text('What will be a failure if nobody acts; null: nothing.')),
  words: orNull(text('What a program said that passed; null: nothing, or it is another kind of check.')),
  weight: orNull(WEIGHT_SCHEMA),
  say: orNull(
    choice(['ready', 'drain', 'maint'], 'What the server says of its administrative state; null: nothing.'),
  ),
});

export const CHECK_SCHEMA = objectOf<CheckWhy>('One check of a server.', {
  id: text('`SERVICE/SERVER`.'),
  type: choice(CHECK_TYPES, 'How it is probed.'),
  target: text('What is probed.'),
  interval: text('As in the configuration: `2s`.'),
  fastInterval: orNull(text('In place of it while results speak against the verdict; null: none.')),
  downInterval: orNull(text('In place of it while the verdict is down; null: none.')),
  stretch: amount('How many times as long all of them are, for the sake of the probe budget.'),
  timeout: text('The deadline of a probe.'),
  rise: count('Passes in a row that make it up.'),
  fall: count('Failures in a row that make it down.'),
  verdict: choice(['up', 'down', 'unknown'], 'As of a server.'),
  since: text('When the verdict was reached: RFC 3339, UTC.'),
  reason: text('What the verdict rests on.'),
  held: orNull(
    choice(
      ['up', 'down'],
      'The verdict; while it is unknown, what is assumed. Null, as what follows, where its worker did not answer.',
    ),
  ),
  against: orNull(count('Results in a row that speak against what is held.')),
  needed: orNull(count('How many of them change it: `fall`, or `rise`.')),
  probingSince: orNull(text('When the probe that is under way was started; null: none is.')),
  nextProbeAt: orNull(text('When the next probe is due; null while one is under way.')),
  probes: list(PROBE_SCHEMA, 'The last probes, oldest first, at most ten.'),
});

export const PART_SCHEMA = objectOf<WeightPart>('One thing that a weight is made of.', {
  of: text('`configuration`, `operator`, `maintenance NAME`, `standing`, `table`, `pending`.'),
  weight: orNull(count('The weight that it says; null: none.')),
  text: text('The same in words; of `pending` what is still to be done to the table.'),
});

export const CHAIN_SCHEMA = objectOf<ServerWhy>('One server in one service, and why it stands as it does.', {
  service: text('The name of the service.'),
  server: SERVER_SCHEMA,
  checks: list(CHECK_SCHEMA, 'Its checks; empty: it is thought to be up.'),
  weight: list(PART_SCHEMA, 'What its weight is made of, in the order in which each has its say.'),
  events: list(EVENT_SCHEMA, 'The last events of it, oldest first, at most ten.'),
});

export const WHY_SCHEMA = objectOf<Why>('Servers, and why they stand as they do.', {
  servers: list(CHAIN_SCHEMA, 'Each place of the server: one for each service that has it.'),
});
