/** What an error of a socket means: the closed list of reasons. */
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
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  CERT_UNTRUSTED: 'unknown-authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
};

/** What Node and OpenSSL put into an error; all of it may be missing. */
interface SocketError {
  readonly code?: string;
  /** There only where the kernel said it. */
  readonly syscall?: string;
  /** OpenSSL's own sentence. */
  readonly reason?: string;
  /** What is missing on our side. */
  readonly detail?: string;
}

function tlsReason(code: string, error: SocketError, phase: Phase): Reason | undefined {
  const problem = CERTIFICATE[code];
  if (problem !== undefined) return { kind: 'tls', problem, detail: code };
  // In TLS 1.3 a server may refuse us after the handshake, in any later phase.
  const isHandshake =
    code.startsWith('ERR_SSL_') || code === 'EPROTO' || (phase === 'tls' && error.syscall === undefined);
  return isHandshake ? { kind: 'tls', problem: 'handshake', detail: error.reason ?? code } : undefined;
}

/**
 * The reason that an error of a socket is, by its `code`; never by its text.
 * An error that is not known says nothing about the server and becomes `local`; `defect` is an error without a code.
 */
export function reasonOfError(thrown: unknown, phase: Phase): Reason {
  const error = (thrown ?? {}) as SocketError;
  const { code, detail } = error;
  if (detail !== undefined) return { kind: 'local', phase, errno: code ?? 'defect', detail };
  if (code === undefined) return { kind: 'local', phase, errno: 'defect' };
  if (REFUSED.has(code)) return { kind: 'refused', phase };
  if (RESET.has(code)) return { kind: 'reset', phase };
  if (UNREACHABLE.has(code)) return { kind: 'unreachable', phase, errno: code };
  if (code === 'ETIMEDOUT') return { kind: 'timeout', phase };
  return tlsReason(code, error, phase) ?? { kind: 'local', phase, errno: code };
}
