/** The keys of checks by programs. */
import { CONTRACTS } from '../checks/spec-program.js';
import type { CheckKindSchema } from './schema-check-keys.js';
import { mapping } from './schema-check-web.js';
import { choice } from './schema-kit.js';
import { programUser, programWords } from './schema-program.js';

const KEYS = {
  program: programWords(
    `The program and its arguments. In these \`\${address}\`, \`\${port}\`, \`\${name}\` and \`\${service}\` stand for what is probed; the name is that of the server.`,
    `[/usr/lib/nagios/plugins/check_tcp, -H, '\${address}', -p, '\${port}']`,
  ),
  contract: choice(CONTRACTS, {
    says: 'What its exit code means. `exit`: 0 is up, all else is down. `keepalived`: 0 is up, 1 is down, 2 to 255 are up with the weight code - 2. `nagios`: 0 is up, 1 degraded, 2 down, all else unknown. `mon`: as `exit`, and it is called as mon calls its monitors.',
    default: 'exit',
    example: 'nagios',
  }),
  'run-as': programUser,
  environment: mapping<string>(
    {
      names: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$', 'x-expects': 'the name of an environment variable' },
      values: {
        type: 'string',
        maxLength: 4096,
        pattern: '^[^\\u0000]*$',
        'x-expects': 'text without zero bytes',
        'x-secret': true,
      },
      most: 64,
    },
    {
      says: 'Environment variables of the program, beside PATH and LANG. Values may refer to secrets.',
      expects: 'a mapping of at most 64 names to text',
      example: `{ PGPASSWORD: '\${file:/etc/lvsentry/pg-password}' }`,
    },
  ),
};

export const exec: CheckKindSchema & { readonly keys: typeof KEYS } = {
  says: 'Passes as a program of this machine says.',
  keys: KEYS,
  origin: 'none',
};
