/** What exit codes mean, and the words that are shown. */
import fc from 'fast-check';
import t from 'tap';
import { firstLine, type Judgement, judgeExit } from '../../src/checks/contract.js';
import { outcomeOf } from '../../src/checks/reason.js';
import { CONTRACTS, type Contract } from '../../src/checks/spec-program.js';

const OK = { kind: 'ok' } as const;
const failed = (code: number, detail: string): Judgement => ({
  reason: { kind: 'rejected', phase: 'run', code, detail },
});
const unknown = (detail: string): Judgement => ({
  reason: { kind: 'local', phase: 'run', errno: 'UNKNOWN', detail },
});
const weight = (kind: 'absolute' | 'offset', value: number): Judgement => ({
  reason: OK,
  weight: { kind, value },
});

const ROWS: readonly (readonly [Contract, number, string, Judgement])[] = [
  ['exit', 0, 'all is well\n', { reason: OK, words: 'all is well' }],
  ['exit', 0, '', { reason: OK }],
  ['exit', 1, '', failed(1, '')],
  ['exit', 1, 'no route\nat all\n', failed(1, 'no route')],
  ['exit', 255, 'x', failed(255, 'x')],
  ['keepalived', 0, '', weight('offset', 0)],
  ['keepalived', 1, 'gone', failed(1, 'gone')],
  ['keepalived', 2, '', weight('absolute', 0)],
  ['keepalived', 12, 'words', { ...weight('absolute', 10), words: 'words' }],
  ['keepalived', 255, '', weight('absolute', 253)],
  ['nagios', 0, 'TCP OK - 0.1 s|time=0.1s;;;0\n', { reason: OK, words: 'TCP OK - 0.1 s' }],
  ['nagios', 1, 'DISK WARNING - 3% | /=3%\nmore', { reason: OK, warning: 'DISK WARNING - 3%' }],
  ['nagios', 1, '', { reason: OK, warning: 'WARNING' }],
  ['nagios', 2, 'connect: refused | x=1', failed(2, 'connect: refused')],
  ['nagios', 3, 'Usage: ...', unknown('exit code 3: Usage: ...')],
  ['nagios', 127, '', unknown('exit code 127')],
  ['mon', 0, 'never mind', { reason: OK, words: 'never mind' }],
  ['mon', 1, '192.0.2.1\ndetail', failed(1, '192.0.2.1')],
  ['mon', 9, '\n\n', failed(9, '(NO SUMMARY)')],
];

t.test('each contract reads the exit code in its own way', async (t) => {
  for (const [contract, code, output, expected] of ROWS)
    t.same(judgeExit(contract, code, output), expected, `${contract} ${code} ${JSON.stringify(output)}`);
});

t.test('the words are one printable line, and not long', async (t) => {
  t.equal(firstLine('  a\tb\0c\x1b[31m \nx'), 'a?b?c?[31m');
  t.equal(firstLine(''), '');
  t.equal(firstLine('x'.repeat(4096)).length, 160);
});

t.test(
  'law: any output gives printable words; code 0 always passes, 1 never does but for nagios',
  async (t) => {
    const code = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.constantFrom(...CONTRACTS),
        code,
        fc.string({ unit: 'binary' }),
        (contract, of, output) => {
          const { reason, warning, words: said } = judgeExit(contract, of, output);
          const words = `${warning ?? ''}${said ?? ''}${'detail' in reason ? reason.detail : ''}`;
          if (/[\p{C}\p{Zl}\p{Zp}]/u.test(words)) return false;
          const outcome = outcomeOf(reason);
          if (of === 0) return outcome === 'pass';
          return of !== 1 || outcome === (contract === 'nagios' ? 'pass' : 'fail');
        },
      ),
    );
    t.pass('held');
  },
);
