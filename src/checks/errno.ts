/** What an error of a socket means: the closed list of reasons. */
import { errorText } from '../core/errors.js';
import type { Phase, Reason, TlsProblem } from './model.js';

/** connect(2), send(2), recv(2). What is not here is our own trouble until somebody knows better. */
const REFUSED = new Set(['ECONNREFUSED']);
const RESET = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']);

/** Verification results of OpenSSL (x509_txt.c, X509_V_ERR_*) by the names that node:tls gives them. */
const CERTIFICATE: Readonly<Record<string, TlsProblem>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  CERT_UNTRUSTED: 'unknown-authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
};

interface SocketError {
  readonly code: string;
  /** There only where the kernel said it. */
  readonly syscall: string | undefined;
  readonly message: string;
}

function socketError(thrown: unknown): SocketError {
  const { code, syscall } = (thrown ?? {}) as NodeJS.ErrnoException;
  return { code: code ?? 'defect', syscall, message: errorText(thrown) };
}

function tlsReason(error: SocketError): Reason {
  const problem = CERTIFICATE[error.code];
  // OpenSSL's text has its own error number and file in front; its last part is the sentence.
  const detail = problem === undefined ? (error.message.trim().split(':').at(-2) ?? error.code) : error.code;
  return { kind: 'tls', problem: problem ?? 'handshake', detail };
}

/**
 * The reason that an error of a socket is, by its `code`; never by its text.
 * An error that is not known says nothing about the server and becomes `local`.
 */
export function reasonOfError(thrown: unknown, phase: Phase): Reason {
  const error = socketError(thrown);
  // node:tls reports an orderly end inside the handshake as a reset, but without a system call.
  if (phase === 'tls' && error.code === 'ECONNRESET' && error.syscall === undefined)
    return { kind: 'closed', phase };
  if (REFUSED.has(error.code)) return { kind: 'refused', phase };
  if (RESET.has(error.code)) return { kind: 'reset', phase };
  if (UNREACHABLE.has(error.code)) return { kind: 'unreachable', phase, errno: error.code };
  if (error.code === 'ETIMEDOUT') return { kind: 'timeout', phase };
  if (phase === 'tls' && error.syscall === undefined) return tlsReason(error);
  return { kind: 'local', phase, errno: error.code };
}
