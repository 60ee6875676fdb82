import fc from 'fast-check';
import t from 'tap';
import type { Outcome, Reason } from '../../src/checks/model.js';
import { outcomeOf, printable, reasonText } from '../../src/checks/reason.js';
import { micros } from '../../src/core/units.js';

const ROWS: readonly (readonly [Reason, Outcome, string])[] = [
  [{ kind: 'ok' }, 'pass', 'ok'],
  [{ kind: 'refused', phase: 'connect' }, 'fail', 'connection refused in connect'],
  [{ kind: 'reset', phase: 'response' }, 'fail', 'connection reset in response'],
  [{ kind: 'closed', phase: 'greeting' }, 'fail', 'connection closed in greeting'],
  [{ kind: 'timeout', phase: 'response' }, 'fail', 'timeout in response after 1000 ms'],
  [
    { kind: 'unreachable', phase: 'connect', errno: 'EHOSTUNREACH' },
    'fail',
    'unreachable in connect (EHOSTUNREACH)',
  ],
  [
    { kind: 'tls', problem: 'expired', detail: 'CERT_HAS_EXPIRED' },
    'fail',
    'certificate expired: CERT_HAS_EXPIRED',
  ],
  [{ kind: 'tls', problem: 'not-yet-valid', detail: '' }, 'fail', 'certificate not yet valid'],
  [{ kind: 'tls', problem: 'self-signed', detail: '' }, 'fail', 'self-signed certificate'],
  [{ kind: 'tls', problem: 'unknown-authority', detail: '' }, 'fail', 'certificate of an unknown authority'],
  [{ kind: 'tls', problem: 'wrong-name', detail: '' }, 'fail', 'certificate for another name'],
  [
    { kind: 'tls', problem: 'handshake', detail: 'wrong version number' },
    'fail',
    'TLS handshake failed: wrong version number',
  ],
  [{ kind: 'bad-status', status: 500 }, 'fail', 'status 500'],
  [{ kind: 'bad-status', status: 500, at: '/shop' }, 'fail', 'status 500 at /shop'],
  [{ kind: 'timeout', phase: 'response', at: '/\n' }, 'fail', 'timeout in response after 1000 ms at /?'],
  [{ kind: 'ok', at: 'http://x/' }, 'pass', 'ok at http://x/'],
  [
    { kind: 'bad-content', phase: 'response', detail: 'no "alive" in 9 bytes' },
    'fail',
    'wrong content in response: no "alive" in 9 bytes',
  ],
  [
    { kind: 'protocol-error', phase: 'response', detail: 'bad status line' },
    'fail',
    'protocol error in response: bad status line',
  ],
  [{ kind: 'too-long', phase: 'response', limit: 16384 }, 'fail', 'more than 16384 bytes in response'],
  [
    { kind: 'rejected', phase: 'login', code: 530, detail: 'Login incorrect.' },
    'fail',
    'rejected in login with 530: Login incorrect.',
  ],
  [
    { kind: 'local', phase: 'connect', errno: 'EMFILE' },
    'unknown',
    'not probed: local error EMFILE in connect',
  ],
  [
    { kind: 'local', phase: 'run', errno: 'ENOENT', detail: '/x cannot be run: spawn /x ENOENT' },
    'unknown',
    'not probed: /x cannot be run: spawn /x ENOENT',
  ],
  [
    { kind: 'timeout', phase: 'connect', serverIsWell: true },
    'fail',
    'timeout in connect after 1000 ms; the server is well, the path to it is broken',
  ],
];

t.test('every reason has its outcome and its words', async (t) => {
  for (const [reason, outcome, text] of ROWS) {
    t.equal(reasonText(reason, micros(999_700)), text, text);
    t.equal(outcomeOf(reason), outcome, `${text}: ${outcome}`);
  }
  t.equal(
    reasonText({ kind: 'timeout', phase: 'connect' }),
    'timeout in connect',
    'a time that is not known is not named',
  );
});

t.test('foreign text is cut and made harmless', async (t) => {
  t.equal(printable('Login incorrect.'), 'Login incorrect.');
  t.equal(printable('žluť ✓'), 'žluť ✓');
  t.equal(printable('a\r\nb\tc\0d\x1b[31m\x7f\x9b'), 'a??b?c?d?[31m??');
  t.equal(printable('\u202eevil\u2028line\ud800'), '?evil?line?');
  t.equal(printable('x'.repeat(81)), `${'x'.repeat(79)}…`);
  t.equal(printable('x'.repeat(80)), 'x'.repeat(80));
  t.equal(printable('abcdef', 4), 'abc…');
});

t.test(
  'law: printable text is one short line without control characters, and printing it again changes nothing',
  async (t) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = printable(text);
        return shown.length <= 80 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(shown) && printable(shown) === shown;
      }),
      { numRuns: 2000 },
    );
    t.pass();
  },
);
