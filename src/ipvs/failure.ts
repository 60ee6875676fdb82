/** What an error number means for a request to IPVS, in words for an operator. */
import { unreachable } from '../core/assert.js';
import { LvsError } from '../core/errors.js';
import { entryOf } from './keys.js';
import type { Operation, OperationResult, Service } from './model.js';

/** Error numbers that mean the same for every request. */
const COMMON: Readonly<Record<string, string>> = {
  EPERM: 'it needs CAP_NET_ADMIN in the initial user namespace: run as root',
  ENOMEM: 'the kernel has no memory left for it',
  ENOBUFS: 'the answer was lost: the socket had no room for it',
  ENOSPC: 'the kernel has no room left for it',
  EOPNOTSUPP: 'this kernel does not know the command',
  EAFNOSUPPORT: 'this kernel has no IPv6',
  ENOPROTOOPT: 'the kernel is unloading ip_vs',
  ETIMEDOUT: 'the kernel did not answer in time',
  EPROTO: 'the answer of the kernel cannot be read',
  ECANCELED: 'the table was closed',
};

function missingModule({ settings }: Service): string {
  const engine = settings.persistenceEngine;
  const scheduler = `the kernel has no scheduler "${settings.scheduler}" (module ip_vs_${settings.scheduler})`;
  return engine === undefined ? scheduler : `${scheduler}, or no persistence engine "${engine}"`;
}

function serviceMeaning(
  operation: Operation & { readonly service: Service },
  errno: string,
): string | undefined {
  switch (errno) {
    case 'EEXIST':
      return 'the service is in the table already';
    case 'ESRCH':
      return 'the service is not in the table';
    case 'ENOENT':
      return missingModule(operation.service);
    case 'EINVAL':
      return 'a name is too long, or the persistence prefix does not fit the family';
    default:
      return undefined;
  }
}

function destMeaning(errno: string): string | undefined {
  switch (errno) {
    case 'EEXIST':
      return 'the server is in the service already';
    case 'ESRCH':
      return 'the service is not in the table';
    case 'ENOENT':
      return 'the server is not in the service';
    case 'ERANGE':
      return 'the weight is negative, or the lower threshold is above the upper one';
    case 'EINVAL':
      return 'the address cannot be a server’s, or GUE has no port, or an address of the other family has no tunnel or meets a sync daemon';
    default:
      return undefined;
  }
}

function meaning(operation: Operation, errno: string): string | undefined {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return serviceMeaning(operation, errno);
    case 'delete-service':
      return errno === 'ESRCH' ? 'the service is not in the table' : undefined;
    case 'add-dest':
    case 'edit-dest':
    case 'delete-dest':
      return destMeaning(errno);
    default:
      return unreachable(operation);
  }
}

function subject(operation: Operation): string {
  const [service, dest] = entryOf(operation);
  return dest === undefined ? service : `${dest} of ${service}`;
}

/**
 * The result of a refused operation: `add-dest 192.0.2.2:80 of tcp 192.0.2.1:80: EEXIST, the server is ...`.
 * `words` are the kernel's own, where it gave some.
 */
export function refusal(operation: Operation, errno: string, words?: string): OperationResult {
  const parts = [errno, meaning(operation, errno) ?? COMMON[errno], words].filter(
    (part) => part !== undefined,
  );
  return { ok: false, errno, message: `${operation.kind} ${subject(operation)}: ${parts.join(', ')}` };
}

/** What the single commands of the table are called in errors, and what their error numbers mean. */
const COMMANDS = {
  info: {},
  dump: {},
  read: {},
  apply: {},
  flush: {},
  zero: { ESRCH: 'the service is not in the table' },
  timeouts: {},
  'set-timeouts': { EINVAL: 'a time-out is negative or longer than the kernel can count' },
  'sync-daemons': {},
  'start-sync-daemon': {
    EEXIST: 'a daemon of this role runs already',
    ENODEV: 'there is no such interface',
    ENETUNREACH: 'the interface is down, or has no route for the group',
    EINVAL:
      'the group is not a multicast address, the name is too long, or a service has servers of both families',
  },
  'stop-sync-daemon': { ESRCH: 'no daemon of this role runs' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;

export type TableCommand = keyof typeof COMMANDS;

/** The error of a refused command: PERMISSION for EPERM, else IPVS; facts `operation` and `errno`. */
export function commandError(command: TableCommand, errno: string, words?: string): LvsError {
  const meanings: Readonly<Record<string, string>> = COMMANDS[command];
  const parts = [errno, meanings[errno] ?? COMMON[errno], words].filter((part) => part !== undefined);
  const code = errno === 'EPERM' ? 'PERMISSION' : 'IPVS';
  return new LvsError(code, `${command}: ${parts.join(', ')}`, { operation: command, errno });
}
