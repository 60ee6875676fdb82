/** The keys of checks by files. */
import type { CheckKindSchema } from './schema-check-keys.js';
import { integer, text, yesNo } from './schema-kit.js';

const WEIGHT_MAX = 2_147_483_647;

const FILE_KEYS = {
  'value-file': text(
    {
      expects: 'the absolute path of a file',
      type: 'path',
      pattern: '^/[^\\u0000]*$',
      longest: 4096,
    },
    {
      says: 'A file that holds a whole number. One that is not there holds 0; one that holds anything else says nothing.',
      example: '/etc/lvsentry/out-of-service',
    },
  ),
  weight: integer(-WEIGHT_MAX, WEIGHT_MAX, {
    says: 'What is added to the weight of the server for each 1 of the number; the server is up then.',
    default: 'none: 0 in the file is up, any other number is down',
    example: '-1',
    relation: 'Not 0.',
  }),
  reverse: yesNo({
    says: 'Turns it round: 0 is down, any other number is up; what `weight` adds is taken away.',
    default: 'false',
    example: 'true',
  }),
};

export const file: CheckKindSchema & { readonly keys: typeof FILE_KEYS } = {
  says: 'Passes as a number in a file of this machine says.',
  keys: FILE_KEYS,
  port: 'none',
};
