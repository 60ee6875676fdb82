/** The rules of the state Master (RFC 5798 6.4.3, RFC 9568 6.4.3, RFC 3768 6.4.3). */
import { assert } from '../core/assert.js';
import { compareIp } from '../core/ip.js';
import { type Millis, millis } from '../core/units.js';
import type { InstanceRule, Rival, RoleCause, VrrpEffect } from './model.js';
import {
  intervalOf,
  later,
  type Master,
  newBackup,
  OWNER,
  preempts,
  report,
  role,
  stay,
  type VrrpStep,
} from './transitions.js';

/** A lower master is answered at most ten times in one interval, so that a flood of its adverts is not doubled. */
const ANSWERS_PER_INTERVAL = 10;

/** So late that every backup's timer may have run out. */
function overslept(rule: InstanceRule, state: Master, now: Millis): boolean {
  return now - state.advertAt >= Math.max(rule.downAdverts - 1, 1) * rule.interval;
}

/** 6.4.3: If the Adver_Timer fires. */
export function onAdvertTimer(rule: InstanceRule, state: Master, now: Millis): VrrpStep {
  const send: VrrpEffect = { kind: 'send-advert', priority: state.standing.priority };
  const next = later(now, rule.interval);
  if (overslept(rule, state, now)) {
    const slept = report({ kind: 'overslept', by: millis(now - state.advertAt) });
    // Without preemption we may not speak against a new master: keep quiet for one interval and hear.
    if (!preempts(rule, state.standing)) return stay({ ...state, advertAt: next, yieldUntil: next }, slept);
    return stay({ ...state, advertAt: next }, send, { kind: 'announce', cause: 'overslept' }, slept);
  }
  // On the grid of absolute deadlines, so that lateness does not add up.
  const grid = later(state.advertAt, rule.interval);
  return stay({ ...state, advertAt: grid > now ? grid : next, yieldUntil: undefined }, send);
}

/**
 * 6.4.3, and beyond it: one last advert says to a higher master that we were one too. It may not have heard us yet, and
 * hosts that believe us learn better only when it announces the addresses again. One that slept does not speak: it may
 * be the higher one.
 */
function yieldTo(rule: InstanceRule, state: Master, heard: Rival, cause: RoleCause): VrrpStep {
  const { standing } = state;
  const backup = newBackup(rule, standing, intervalOf(rule, heard), heard.heardAt);
  const last: VrrpEffect[] =
    cause === 'overslept' ? [] : [{ kind: 'send-advert', priority: standing.priority }];
  return stay(
    { ...backup, heard },
    ...last,
    { kind: 'silence' },
    { kind: 'drop-addresses' },
    role('master', 'backup', cause, standing),
  );
}

/** RFC 9568 6.4.3: discard it, and say at once who is master. The Adver_Timer goes on. */
function onLowerMaster(rule: InstanceRule, state: Master, rival: Rival): VrrpStep {
  if (rival.heardAt < state.answerAt) return stay(state);
  const told = rival.heardAt < state.reportAt ? [] : [report({ kind: 'lower-master', rival })];
  return stay(
    { ...state, answerAt: later(rival.heardAt, rule.interval / ANSWERS_PER_INTERVAL) },
    { kind: 'send-advert', priority: state.standing.priority },
    { kind: 'announce', cause: 'lower-master' },
    ...told,
  );
}

/** 6.4.3: If an ADVERTISEMENT is received. Preempt_Mode does not matter here, but for one that slept. */
export function onAdvertAsMaster(rule: InstanceRule, state: Master, rival: Rival): VrrpStep {
  const { standing } = state;
  const now = rival.heardAt;
  if (rival.priority === 0) {
    const advertAt = later(now, rule.interval);
    return stay(
      { ...state, advertAt },
      { kind: 'send-advert', priority: standing.priority },
      { kind: 'announce', cause: 'lower-master' },
    );
  }
  const mustYield = now < (state.yieldUntil ?? now) || overslept(rule, state, now);
  if (mustYield && !preempts(rule, standing)) return yieldTo(rule, state, rival, 'overslept');
  if (rival.priority > standing.priority) return yieldTo(rule, state, rival, 'higher-priority');
  if (rival.priority < standing.priority) return onLowerMaster(rule, state, rival);
  assert(standing.source !== undefined, 'a master has an address: without one it is at fault');
  const order = compareIp(rival.source, standing.source);
  const step = order > 0 ? yieldTo(rule, state, rival, 'higher-address') : onLowerMaster(rule, state, rival);
  if (rival.priority !== OWNER) return step;
  return stay(step.state, ...step.effects, report({ kind: 'second-owner', rival }));
}
