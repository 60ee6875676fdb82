/** The rules of the state Backup (RFC 5798 6.4.2, RFC 9568 6.4.2, RFC 3768 6.4.2). */
import { type Millis, millis } from '../core/units.js';
import type { InstanceRule, Rival } from './model.js';
import { skewTime } from './timers.js';
import {
  type Backup,
  becomeMaster,
  intervalOf,
  isReady,
  later,
  newBackup,
  preempts,
  report,
  stay,
  type VrrpStep,
} from './transitions.js';

/** 6.4.2: If the Master_Down_Timer fires. */
export function onMasterDown(rule: InstanceRule, state: Backup, now: Millis): VrrpStep {
  const by = millis(now - (state.masterDownAt ?? now));
  if (by >= state.masterInterval && !state.graced) {
    // We slept, so the silence may be ours. Listen for one advert more before we take what may be somebody's.
    const skew = skewTime(rule, state.standing.priority, state.masterInterval);
    const masterDownAt = later(now, state.masterInterval + skew);
    return stay({ ...state, masterDownAt, graced: true }, report({ kind: 'overslept', by }));
  }
  if (rule.grouped) return stay({ ...state, masterDownAt: undefined });
  return becomeMaster(rule, state, state.because, now);
}

/** 6.4.2: If the Priority in the ADVERTISEMENT is zero. */
function onResignation(rule: InstanceRule, state: Backup, heard: Rival): VrrpStep {
  // 5.2.4: zero says that the current master leaves. Of anybody else it says nothing about our master.
  const fromMaster = state.heard === undefined || state.heard.source === heard.source;
  if (state.masterDownAt === undefined || !fromMaster) return stay(state);
  const skew = skewTime(rule, state.standing.priority, state.masterInterval);
  return stay({ ...state, heard, masterDownAt: later(heard.heardAt, skew), because: 'master-resigned' });
}

/** 6.4.2: the advert counts; learn, recompute, and set the timer anew from when it was heard. */
function follow(rule: InstanceRule, state: Backup, heard: Rival): Backup {
  const fresh = newBackup(rule, state.standing, intervalOf(rule, heard), heard.heardAt);
  return { ...fresh, heard, preemptAt: state.preemptAt, holdUntil: state.holdUntil };
}

/** 6.4.2: If an ADVERTISEMENT is received. */
export function onAdvertAsBackup(rule: InstanceRule, state: Backup, heard: Rival): VrrpStep {
  if (heard.priority === 0) return onResignation(rule, state, heard);
  const { standing } = state;
  const now = heard.heardAt;
  const lower = heard.priority < standing.priority;
  const preemptAt = lower ? (state.preemptAt ?? later(now, rule.preemptDelay)) : undefined;
  const free = isReady(rule, standing) && now >= (state.holdUntil ?? now) && now >= (preemptAt ?? now);
  if (lower && preempts(rule, standing) && free)
    return stay({ ...state, heard, preemptAt, because: 'preempted' });
  const next = follow(rule, { ...state, preemptAt }, heard);
  if (next.masterInterval === state.masterInterval) return stay(next);
  return stay(
    next,
    report({ kind: 'interval-learned', from: state.masterInterval, to: next.masterInterval }),
  );
}

/**
 * The effective priority changed. A running timer holds one skew: it moves by the difference. Where the new priority
 * is no longer above that of the master whose adverts did not count, the last of them does.
 */
export function onPriorityAsBackup(rule: InstanceRule, state: Backup, priority: number): VrrpStep {
  const standing = { ...state.standing, priority };
  const { heard, masterDownAt } = state;
  const passedBy = heard !== undefined && heard.priority < state.standing.priority;
  if (passedBy && heard.priority >= priority)
    return stay({ ...follow(rule, { ...state, standing }, heard), preemptAt: undefined });
  if (masterDownAt === undefined) return stay({ ...state, standing });
  const skew = (of: number): number => skewTime(rule, of, state.masterInterval);
  const shift = skew(priority) - skew(state.standing.priority);
  return stay({ ...state, standing, masterDownAt: later(masterDownAt, shift) });
}
