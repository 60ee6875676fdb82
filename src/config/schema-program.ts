/** The schema of a program, wherever one is configured. */
import { listOf, text } from './schema-kit.js';

/** Zero ends an argument (execve(2)). */
const ARGUMENT_PATTERN = '^[^\\u0000]*$';
const ARGUMENTS_MAX = 64;
const ARGUMENT_LENGTH_MAX = 4096;

export const programWords = (says: string, example: string) =>
  listOf(
    text(
      {
        expects: 'text without zero bytes',
        type: 'word',
        pattern: ARGUMENT_PATTERN,
        longest: ARGUMENT_LENGTH_MAX,
      },
      { says: 'The path of the program, or an argument.', example: '/usr/local/sbin/check' },
    ),
    ARGUMENTS_MAX,
    {
      says,
      example,
      relation: 'The path is absolute; no shell reads the arguments.',
    },
    false,
  );

export const programUser = text(
  {
    expects: 'a user, or user:group, by name or number',
    type: 'user',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$',
    longest: 65,
  },
  { says: 'As whom the program runs.', default: 'as lvsentry itself', example: 'nobody' },
);
