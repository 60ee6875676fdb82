/** What the exit code and the output of a program say of a server. */
import { unreachable } from '../core/assert.js';
import type { ProbeResult, Reason } from './model.js';
import { printable } from './reason.js';
import type { Contract } from './spec-program.js';

/** Characters of a program's words that are shown. */
const WORDS_MAX = 160;

/** What is said of a server: the outcome follows from the reason. */
export type Judgement = { readonly reason: Reason } & Pick<ProbeResult, 'warning' | 'words' | 'weight'>;

const OK: Reason = { kind: 'ok' };

/** The first line of an output, for people. */
export function firstLine(output: string): string {
  return printable((output.split('\n', 1)[0] ?? '').trim(), WORDS_MAX);
}

function passed(words: string): Judgement {
  return words === '' ? { reason: OK } : { reason: OK, words };
}

function failed(code: number, detail: string): Judgement {
  return { reason: { kind: 'rejected', phase: 'run', code, detail } };
}

/** Code 0 leaves the server its configured weight, 2 to 255 give it one: keepalived's MISC_CHECK with misc_dynamic. */
function keepalivedJudgement(code: number, output: string): Judgement {
  if (code === 1) return failed(code, firstLine(output));
  const weight =
    code === 0 ? ({ kind: 'offset', value: 0 } as const) : ({ kind: 'absolute', value: code - 2 } as const);
  return { weight, ...passed(firstLine(output)) };
}

/** Monitoring Plugins Development Guidelines, 2.3 and 2.6: behind `|` stand figures for machines. */
function nagiosJudgement(code: number, output: string): Judgement {
  const words = firstLine(output.split('\n', 1)[0]?.split('|', 1)[0] ?? '');
  if (code === 0) return passed(words);
  if (code === 1) return { reason: OK, warning: words === '' ? 'WARNING' : words };
  if (code === 2) return failed(code, words);
  const detail = `exit code ${code}${words === '' ? '' : `: ${words}`}`;
  return { reason: { kind: 'local', phase: 'run', errno: 'UNKNOWN', detail } };
}

/** What an exit code says. @param output the beginning of what was written */
export function judgeExit(contract: Contract, code: number, output: string): Judgement {
  switch (contract) {
    case 'exit':
      return code === 0 ? passed(firstLine(output)) : failed(code, firstLine(output));
    case 'mon':
      return code === 0 ? passed(firstLine(output)) : failed(code, firstLine(output) || '(NO SUMMARY)');
    case 'keepalived':
      return keepalivedJudgement(code, output);
    case 'nagios':
      return nagiosJudgement(code, output);
    default:
      return unreachable(contract);
  }
}
