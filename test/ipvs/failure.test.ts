import t from 'tap';
import { commandError, refusal, type TableCommand } from '../../src/ipvs/failure.js';
import type { Operation } from '../../src/ipvs/model.js';
import { dest, key, service } from './build.js';

const addDest: Operation = { kind: 'add-dest', service: key(), dest: dest('192.0.2.2') };

/** Operation, error number, the kernel's words, and the whole message. */
const REFUSALS: readonly (readonly [Operation, string, string | undefined, string])[] = [
  [
    { kind: 'add-service', service: service() },
    'EEXIST',
    undefined,
    'add-service tcp 192.0.2.1:80: EEXIST, the service is in the table already',
  ],
  [
    { kind: 'edit-service', service: service() },
    'ESRCH',
    undefined,
    'edit-service tcp 192.0.2.1:80: ESRCH, the service is not in the table',
  ],
  [
    { kind: 'edit-service', service: service(key(), { scheduler: 'xyz' }) },
    'ENOENT',
    undefined,
    'edit-service tcp 192.0.2.1:80: ENOENT, the kernel has no scheduler "xyz" (module ip_vs_xyz)',
  ],
  [
    { kind: 'add-service', service: service(key(), { scheduler: 'rr', persistenceEngine: 'abc' }) },
    'ENOENT',
    undefined,
    'add-service tcp 192.0.2.1:80: ENOENT, the kernel has no scheduler "rr" (module ip_vs_rr), or no persistence engine "abc"',
  ],
  [
    { kind: 'delete-service', key: { kind: 'fwmark', family: 'ipv6', mark: 7 } },
    'ESRCH',
    undefined,
    'delete-service fwmark 7 ipv6: ESRCH, the service is not in the table',
  ],
  [
    { kind: 'delete-service', key: key() },
    'EPERM',
    undefined,
    'delete-service tcp 192.0.2.1:80: EPERM, it needs CAP_NET_ADMIN in the initial user namespace: run as root',
  ],
  [
    addDest,
    'EEXIST',
    undefined,
    'add-dest 192.0.2.2:80 of tcp 192.0.2.1:80: EEXIST, the server is in the service already',
  ],
  [
    { ...addDest, kind: 'edit-dest' },
    'ERANGE',
    undefined,
    'edit-dest 192.0.2.2:80 of tcp 192.0.2.1:80: ERANGE, the weight is negative, or the lower threshold is above the upper one',
  ],
  [
    { kind: 'delete-dest', service: key(), dest: dest('192.0.2.2').key },
    'ENOENT',
    undefined,
    'delete-dest 192.0.2.2:80 of tcp 192.0.2.1:80: ENOENT, the server is not in the service',
  ],
  [
    addDest,
    'ETIMEDOUT',
    undefined,
    'add-dest 192.0.2.2:80 of tcp 192.0.2.1:80: ETIMEDOUT, the kernel did not answer in time',
  ],
  [
    addDest,
    'E200',
    'Attribute failed policy validation',
    'add-dest 192.0.2.2:80 of tcp 192.0.2.1:80: E200, Attribute failed policy validation',
  ],
];

t.test('a refusal says which operation, on what, and what the error number means for it', async (t) => {
  for (const [operation, errno, words, message] of REFUSALS)
    t.strictSame(refusal(operation, errno, words), { ok: false, errno, message });
});

/** Command, error number, code, message. */
const COMMANDS: readonly (readonly [TableCommand, string, string, string])[] = [
  ['zero', 'ESRCH', 'IPVS', 'zero: ESRCH, the service is not in the table'],
  ['stop-sync-daemon', 'ESRCH', 'IPVS', 'stop-sync-daemon: ESRCH, no daemon of this role runs'],
  ['start-sync-daemon', 'ENODEV', 'IPVS', 'start-sync-daemon: ENODEV, there is no such interface'],
  [
    'dump',
    'EPERM',
    'PERMISSION',
    'dump: EPERM, it needs CAP_NET_ADMIN in the initial user namespace: run as root',
  ],
  ['flush', 'E200', 'IPVS', 'flush: E200'],
];

t.test('a refused command is an error with its operation and its error number as facts', async (t) => {
  for (const [command, errno, code, message] of COMMANDS)
    t.match(commandError(command, errno), { code, message, facts: { operation: command, errno } });
  t.equal(commandError('flush', 'EIO', 'in its own words').message, 'flush: EIO, in its own words');
});
