/** The schema of `hooks:` and of `vrrp.NAME.notify`. */
import { duration, optional, section, text } from './schema-kit.js';
import { programUser, programWords } from './schema-program.js';

const KEYS = optional({
  program: programWords(
    'Run for each change of role, with four more arguments as from keepalived: `INSTANCE` or `GROUP`, the name, the state (`MASTER`, `BACKUP`, `FAULT` or `STOP`), the priority.',
    '[/usr/local/sbin/role-changed]',
  ),
  fifo: text(
    {
      expects: 'the absolute path of a FIFO',
      type: 'path',
      pattern: '^/[^\\u0000]*$',
      longest: 4096,
    },
    {
      says: 'Gets a line for each change of role, as from keepalived: `INSTANCE "outside" MASTER 150`. Where there is none it is made, for the user of lvsentry alone.',
      default: 'none',
      example: '/run/lvsentry.fifo',
    },
  ),
  deadline: duration('100ms', '1h', {
    says: 'How long the program may take. Then it is ended.',
    default: '10s',
    example: '3s',
  }),
  user: programUser,
});

export const hooks = section(KEYS, {
  says: 'Who is told of changes of role, of all virtual routers and sync groups.',
  default: 'nobody',
  example: '{ program: [/usr/local/sbin/role-changed] }',
  relation: 'At least one of `program` and `fifo`.',
});

export const notify = section(KEYS, {
  says: 'Who is told of changes of role of this virtual router, beside `hooks`.',
  default: 'nobody',
  example: '{ fifo: /run/outside.fifo }',
  relation: 'At least one of `program` and `fifo`.',
});
