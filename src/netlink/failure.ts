/** What can go wrong on a netlink connection, in one shape. */
import { type Errno, errnoName } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { ExtendedAck } from '../wire/netlink.js';

/** Why a request failed. */
export interface NetlinkFailure {
  readonly ok: false;
  /**
   * What the kernel said; or ENOBUFS (its answer was lost: the request may have been carried out), ETIMEDOUT (no
   * answer), EPROTO (an answer that cannot be read), EINTR (a dump that never came through undisturbed),
   * ECANCELED (the connection was closed).
   */
  readonly errno: Errno | `E${number}`;
  /** What is known beyond that: the kernel's own words, where it gave some. */
  readonly text: string | undefined;
}

/** An error number that the connection itself comes to, and what it means. */
const OWN_WORDS = {
  ENOBUFS: 'the kernel’s answer was lost, so the request may have been carried out',
  ETIMEDOUT: 'the kernel did not answer in time',
  EPROTO: 'the kernel’s answer cannot be read',
  EINTR: 'the kernel’s table changed during every try to read it',
  ECANCELED: 'the connection was closed',
} as const satisfies Partial<Record<Errno, string>>;

type OwnErrno = keyof typeof OWN_WORDS;

function ownWords(errno: string): string | undefined {
  return Object.hasOwn(OWN_WORDS, errno) ? OWN_WORDS[errno as OwnErrno] : undefined;
}

/** A failure that the connection itself found. */
export function ownFailure(errno: OwnErrno): NetlinkFailure {
  return { ok: false, errno, text: undefined };
}

/** A failure that the kernel reported. */
export function kernelFailure(errno: number, words?: ExtendedAck): NetlinkFailure {
  return { ok: false, errno: errnoName(errno), text: words?.text };
}

/** The failure behind an error of a connection; undefined for any other error. */
export function failureOf(thrown: unknown): NetlinkFailure | undefined {
  if (!(thrown instanceof LvsError) || (thrown.code !== 'NETLINK' && thrown.code !== 'PERMISSION'))
    return undefined;
  const { errno, text } = thrown.facts;
  if (typeof errno !== 'string') return undefined;
  return { ok: false, errno: errno as Errno, text: typeof text === 'string' ? text : undefined };
}

/** A failure as an error: PERMISSION for EPERM, else NETLINK; facts `errno` and `text`. */
export function failureError({ errno, text }: NetlinkFailure): LvsError {
  const code = errno === 'EPERM' ? 'PERMISSION' : 'NETLINK';
  const words = text ?? ownWords(errno);
  const message = words === undefined ? `netlink: ${errno}` : `netlink: ${errno}, ${words}`;
  return new LvsError(code, message, { errno, text });
}
