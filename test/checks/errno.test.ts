import t from 'tap';
import { reasonOfError } from '../../src/checks/errno.js';
import type { Phase, Reason } from '../../src/checks/model.js';

/** A kernel's error as Node gives it. */
const kernel = (code: string) => Object.assign(new Error(code), { code, errno: -1, syscall: 'connect' });
/** OpenSSL's. */
const openssl = (code: string, reason?: string) => Object.assign(new Error(code), { code, reason });

const ROWS: readonly (readonly [unknown, Phase, Reason])[] = [
  [kernel('ECONNREFUSED'), 'connect', { kind: 'refused', phase: 'connect' }],
  [kernel('ECONNRESET'), 'response', { kind: 'reset', phase: 'response' }],
  [kernel('ECONNRESET'), 'tls', { kind: 'reset', phase: 'tls' }],
  [kernel('ECONNABORTED'), 'connect', { kind: 'reset', phase: 'connect' }],
  [kernel('EPIPE'), 'request', { kind: 'reset', phase: 'request' }],
  [kernel('ETIMEDOUT'), 'connect', { kind: 'timeout', phase: 'connect' }],
  [kernel('EHOSTUNREACH'), 'connect', { kind: 'unreachable', phase: 'connect', errno: 'EHOSTUNREACH' }],
  [kernel('ENETUNREACH'), 'connect', { kind: 'unreachable', phase: 'connect', errno: 'ENETUNREACH' }],
  [kernel('EHOSTDOWN'), 'connect', { kind: 'unreachable', phase: 'connect', errno: 'EHOSTDOWN' }],
  [kernel('ENETDOWN'), 'data', { kind: 'unreachable', phase: 'data', errno: 'ENETDOWN' }],
  ...[
    'EMFILE',
    'ENFILE',
    'ENOBUFS',
    'EADDRNOTAVAIL',
    'ENOMEM',
    'EPERM',
    'EACCES',
    'EADDRINUSE',
    'EINVAL',
  ].map((errno): readonly [unknown, Phase, Reason] => [
    kernel(errno),
    'connect',
    { kind: 'local', phase: 'connect', errno },
  ]),
  [kernel('EMFILE'), 'tls', { kind: 'local', phase: 'tls', errno: 'EMFILE' }],
  [openssl('CERT_HAS_EXPIRED'), 'tls', { kind: 'tls', problem: 'expired', detail: 'CERT_HAS_EXPIRED' }],
  [openssl('CERT_REVOKED'), 'tls', { kind: 'tls', problem: 'handshake', detail: 'CERT_REVOKED' }],
  [
    openssl('ERR_SSL_X', 'no shared cipher'),
    'tls',
    { kind: 'tls', problem: 'handshake', detail: 'no shared cipher' },
  ],
  [
    openssl('ERR_SSL_X', 'certificate required'),
    'response',
    { kind: 'tls', problem: 'handshake', detail: 'certificate required' },
  ],
  // Where OpenSSL fails inside a write, Node says EPROTO and names the system call.
  [kernel('EPROTO'), 'request', { kind: 'tls', problem: 'handshake', detail: 'EPROTO' }],
  [new TypeError('x is not a function'), 'response', { kind: 'local', phase: 'response', errno: 'defect' }],
  [new TypeError('x is not a function'), 'tls', { kind: 'local', phase: 'tls', errno: 'defect' }],
  ['a string', 'connect', { kind: 'local', phase: 'connect', errno: 'defect' }],
  [undefined, 'connect', { kind: 'local', phase: 'connect', errno: 'defect' }],
];

t.test(
  'every error is the network’s, the server’s, or ours; what is ours is never the server’s fault',
  async (t) => {
    for (const [error, phase, reason] of ROWS)
      t.same(reasonOfError(error, phase), reason, `${String(error)} in ${phase}`);
  },
);
