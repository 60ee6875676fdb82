/** One error class, one table of codes. `docs/errors.md` is generated from this table. */

/** What each code means and what an operator does about it. */
export const ERROR_CODES = {
  INTERNAL: 'An invariant of lvsentry is broken: a defect. Report it with the stack.',
  CONFIG: 'The configuration is wrong. The message names file, line and column; nothing was applied.',
  USAGE: 'The command line is wrong. See `lvsentry help`.',
  TRUNCATED: 'A message ended before a field that it must have. The sender is broken or the message was cut.',
  MALFORMED: 'A message holds a value that its format does not allow.',
  NETLINK: 'The kernel refused a netlink request, or did not answer it in time. `errno` says why.',
  IPVS_ABSENT:
    'The kernel has no IPVS. Load it with `modprobe ip_vs`, or set `table: memory` to try lvsentry out.',
  IPVS: 'The kernel refused a change of the IPVS table. `operation` and `errno` say which and why.',
  PERMISSION: 'The process may not do this. Run as root or with CAP_NET_ADMIN.',
  NATIVE:
    'The native part is missing or does not load. Build it with `npm run build:native` (needs a C compiler).',
  VRRP: 'A virtual router cannot open its sockets or set its addresses. The message names instance and interface.',
  API: 'The daemon cannot listen on, or be reached at, its API address.',
  REFUSED: 'The daemon understood a request and does not do it. The message is what it says.',
  WORKER: 'A worker thread ended or did not answer. It is restarted at once.',
  ALERT: 'An alert could not be delivered. `target` and `cause` say which and why.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts about an error, for logs and JSON. Values are plain data. */
export type ErrorFacts = Readonly<Record<string, unknown>>;

/** Every error that leaves a function of lvsentry on purpose. */
export class LvsError extends Error {
  override readonly name = 'LvsError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly facts: ErrorFacts = {},
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}

/** The text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
