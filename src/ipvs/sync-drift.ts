/** What is done about sync daemons that somebody else changed: put right, or let stand while the same is wanted. Pure. */
import type { SyncDaemon, SyncLeft, SyncRole, Tolerated } from './model.js';
import type { DriftPolicy } from './ownership.js';
import { type SyncAim, type SyncStep, syncStepsText } from './sync.js';

/** A change that is let stand. */
export interface SyncConcession {
  readonly policy: Tolerated;
  /** Of its role. Undefined: none should run. */
  readonly wanted: SyncDaemon | undefined;
  /** Undefined: none ran. */
  readonly found: SyncDaemon | undefined;
  readonly difference: string;
}

export type SyncConcessions = ReadonlyMap<SyncRole, SyncConcession>;

/** What is known before a look. */
export interface SyncView {
  readonly aim: SyncAim;
  readonly policy: DriftPolicy;
  /** At the look before all was as it is wanted, or let stand: what is otherwise now was changed by somebody else. */
  readonly wasRight: boolean;
  readonly conceded: SyncConcessions;
}

export interface SyncLook {
  /** What is to be done. */
  readonly steps: readonly SyncStep[];
  /** What somebody changed and is repaired. */
  readonly repaired: readonly SyncStep[];
  /** What somebody changed and is let stand from now on. */
  readonly tolerated: readonly SyncStep[];
  readonly conceded: SyncConcessions;
}

function same(one: SyncDaemon | undefined, other: SyncDaemon | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.interface === other.interface &&
    one.syncId === other.syncId &&
    one.maxLength === other.maxLength &&
    one.group === other.group &&
    one.port === other.port &&
    one.ttl === other.ttl
  );
}

const ofRole = (daemons: readonly SyncDaemon[], its: SyncRole): SyncDaemon | undefined =>
  daemons.find(({ role }) => role === its);

/** A daemon that lost its interface is of no use to anybody. */
function strandedIn(steps: readonly SyncStep[]): ReadonlySet<SyncRole> {
  const lost = steps.filter((step) => step.kind === 'stop' && step.isStranded);
  return new Set(lost.map(({ daemon }) => daemon.role));
}

/** What somebody put right, or changed once more, or what is wanted otherwise by now, is conceded no longer. */
function stillConceded(
  { conceded }: SyncView,
  wanted: readonly SyncDaemon[],
  [seen, steps]: readonly [readonly SyncDaemon[], readonly SyncStep[]],
): Map<SyncRole, SyncConcession> {
  const stranded = strandedIn(steps);
  const isWrong = (role: SyncRole): boolean => steps.some(({ daemon }) => daemon.role === role);
  return new Map(
    [...conceded].filter(
      ([role, its]) =>
        isWrong(role) &&
        !stranded.has(role) &&
        same(its.wanted, ofRole(wanted, role)) &&
        same(its.found, ofRole(seen, role)),
    ),
  );
}

/** @param steps what would bring what was seen to what is wanted, as `planSync` says */
export function judgeSync(view: SyncView, seen: readonly SyncDaemon[], steps: readonly SyncStep[]): SyncLook {
  const { aim, policy, wasRight } = view;
  // Without a role nothing is wanted: what was let stand is judged when there is one.
  if (aim.kind !== 'keep') return { steps, repaired: [], tolerated: [], conceded: view.conceded };
  const conceded = stillConceded(view, aim.daemons, [seen, steps]);
  const isLeft = ({ daemon }: SyncStep): boolean => conceded.has(daemon.role);
  const wrong = steps.filter((step) => !isLeft(step));
  if (!wasRight) return { steps: wrong, repaired: [], tolerated: [], conceded };
  const stranded = strandedIn(wrong);
  const tolerated = policy === 'repair' ? [] : wrong.filter(({ daemon }) => !stranded.has(daemon.role));
  for (const { daemon } of tolerated) {
    const { role } = daemon;
    const difference = syncStepsText(tolerated.filter((step) => step.daemon.role === role));
    const found = ofRole(seen, role);
    if (policy !== 'repair')
      conceded.set(role, { policy, wanted: ofRole(aim.daemons, role), found, difference });
  }
  const rest = wrong.filter((step) => !isLeft(step));
  return { steps: rest, repaired: rest, tolerated, conceded };
}

/** What is let stand. */
export function leftOf(conceded: SyncConcessions): readonly SyncLeft[] {
  return [...conceded].map(([role, { policy, difference }]) => ({ role, policy, difference }));
}

/** What a new configuration leaves: nothing that was only reported; what was accepted where it still says `accept`. */
export function afterReload(conceded: SyncConcessions, policy: DriftPolicy): SyncConcessions {
  return new Map([...conceded].filter(([, its]) => its.policy === 'accept' && policy === 'accept'));
}
