/** The schema of the probe budget. Runs at build time only. */
import type { Static } from 'typebox';
import { integer, optional, section } from './schema-kit.js';

const PROBES_MAX = 1_000_000;

export const probeBudget = section(
  optional({
    total: integer(1, PROBES_MAX, {
      says: 'Probes of all checks together.',
      default: 'no limit',
      example: '5000',
      unit: 'probes per second',
    }),
    'per-server': integer(1, PROBES_MAX, {
      says: 'Probes to one address, whichever services and ports they are for.',
      default: 'no limit',
      example: '100',
      unit: 'probes per second',
    }),
  }),
  {
    says: 'How many probes there may be. Where checks want more, all intervals concerned are stretched by one factor, and the event `probes-stretched` tells it.',
    default: 'as many as the checks say',
    example: '{ total: 5000, per-server: 100 }',
  },
);

export type RawProbeBudget = Static<typeof probeBudget>;
