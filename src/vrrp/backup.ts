/** The rules of the state Backup (RFC 5798 6.4.2, RFC 9568 6.4.2, RFC 3768 6.4.2). */
import { type Millis, millis } from '../core/units.js';
import type { AdvertEvent, InstanceRule, Rival } from './model.js';
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

/** 6.4.2: If an ADVERTISEMENT is received. */
export function onAdvertAsBackup(
  rule: InstanceRule,
  state: Backup,
  advert: AdvertEvent,
  heard: Rival,
): VrrpStep {
  if (advert.priority === 0) return onResignation(rule, state, heard);
  const { standing } = state;
  const now = heard.heardAt;
  const lower = advert.priority < standing.priority;
  const preemptAt = lower ? (state.preemptAt ?? later(now, rule.preemptDelay)) : undefined;
  const free = isReady(rule, standing) && now >= (state.holdUntil ?? now) && now >= (preemptAt ?? now);
  if (lower && preempts(rule, standing) && free)
    return stay({ ...state, heard, preemptAt, because: 'preempted' });
  const masterInterval = intervalOf(rule, advert);
  const next = {
    ...newBackup(rule, standing, masterInterval, now),
    heard,
    preemptAt,
    holdUntil: state.holdUntil,
  };
  if (masterInterval === state.masterInterval) return stay(next);
  return stay(next, report({ kind: 'interval-learned', from: state.masterInterval, to: masterInterval }));
}
