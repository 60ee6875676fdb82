/** Checks by a number in a file of this machine, as keepalived's FILE_CHECK has them. */
import type { Clock } from '../core/ports.js';
import { micros } from '../core/units.js';
import { type FoundNumber, readNumber } from '../files/number.js';
import { beforeDeadline } from './deadline.js';
import type { ProbeResult, Reason } from './model.js';
import type { Prober } from './prober.js';
import { outcomeOf, printable } from './reason.js';
import type { FileCheck } from './spec-program.js';

/** keepalived's bounds of a weight; what comes to the lower one is down. */
const ADDED_MAX = 2_147_483_647;
const ADDED_DOWN = -2_147_483_648;

const DETAIL_MAX = 200;

type Judgement = Pick<ProbeResult, 'reason' | 'weight'>;

function down(why: string): Judgement {
  const reason: Reason = {
    kind: 'rejected',
    phase: 'data',
    code: undefined,
    detail: printable(why, DETAIL_MAX),
  };
  return { reason };
}

/** What a number says. @param why where it comes from, for people */
export function judgeNumber(
  { weight, reverse }: Pick<FileCheck, 'weight' | 'reverse'>,
  value: number,
  why: string,
): Judgement {
  if (weight === undefined) return (value === 0) === reverse ? down(why) : { reason: { kind: 'ok' } };
  const added = value * weight * (reverse ? -1 : 1);
  if (added <= ADDED_DOWN) return down(why);
  // Adding 0 makes -0 a plain 0.
  return {
    reason: { kind: 'ok' },
    weight: { kind: 'offset', value: Math.min(added, ADDED_MAX) + 0 },
  };
}

function judge(spec: FileCheck, found: FoundNumber | undefined): Judgement {
  if (found?.kind === 'number') return judgeNumber(spec, found.value, found.why);
  const errno = found?.errno ?? 'ETIME';
  const detail = printable(found?.text ?? `${spec.path} could not be read in time`, DETAIL_MAX);
  return { reason: { kind: 'local', phase: 'data', errno, detail } };
}

/** Checks by files. A file that cannot be read, or holds something else, says nothing of the server. */
export function fileProber(clock: Clock): Prober<FileCheck> {
  // A file system that hangs holds one reading of each check, not one more with every probe.
  const reading = new WeakMap<FileCheck, Promise<FoundNumber>>();
  const read = (spec: FileCheck): Promise<FoundNumber> => {
    const begun = reading.get(spec) ?? readNumber(spec.path).finally(() => reading.delete(spec));
    reading.set(spec, begun);
    return begun;
  };
  return async (spec, signal) => {
    const started = clock.monotonic();
    const judged = judge(spec, await beforeDeadline(signal, read(spec)));
    const elapsed = micros(Math.round((clock.monotonic() - started) * 1000));
    return { outcome: outcomeOf(judged.reason), phases: [['data', elapsed]], elapsed, ...judged };
  };
}
