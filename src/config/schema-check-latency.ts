/** The schema of weights by latency. Runs at build time only. */
import type { Static } from 'typebox';
import { duration, optional, section, text } from './schema-kit.js';

/** Whole percents from 1 to 1000. */
const share = (says: string, standard: string, relation?: string) =>
  text(
    { expects: 'a share from 1% to 1000%', type: 'share', pattern: '^([1-9][0-9]{0,2}|1000)%$', longest: 5 },
    { says, default: standard, example: standard, ...(relation === undefined ? {} : { relation }) },
  );

export const latencyWeight = section(
  {
    target: duration('1ms', '1h', {
      says: 'How long a probe takes, on average, of a server that deserves its whole weight. One that takes twice as long gets half of it.',
      example: '20ms',
    }),
    ...optional({
      'half-life': duration('1s', '1h', {
        says: 'After this long what was measured counts half as much.',
        default: '30s',
        example: '30s',
      }),
      floor: share('No less than this.', '25%'),
      ceiling: share(
        'No more than this; above 100% fast servers get more than their weight.',
        '100%',
        'Not below `floor`.',
      ),
      'maximum-step': share(
        'By how much of the weight the share changes at a time, once a second at most.',
        '10%',
      ),
      'dead-band': share(
        'A share that would change by less than this stays, unless it reaches `floor` or `ceiling`.',
        '5%',
      ),
    }),
  },
  {
    says: 'The weight follows how long probes take: `target` by their average, as a share of it. The quorum does not see it. Servers need weights that have shares, such as 100.',
    default: 'the weight does not depend on it',
    example: '{ target: 20ms, floor: 50% }',
  },
);

export type RawLatencyWeight = Static<typeof latencyWeight>;
