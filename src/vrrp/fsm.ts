/**
 * The state machine of one instance (RFC 5798 6.4, RFC 9568 6.4, RFC 3768 6.4): old state + event + now -> new
 * state and what to do. Beyond the RFC: Fault, sync groups, delays, and what a machine that slept may believe.
 */
import { assert, unreachable } from '../core/assert.js';
import type { Millis } from '../core/units.js';
import { onAdvertAsBackup, onMasterDown, onPriorityAsBackup } from './backup.js';
import { onAdvertAsMaster, onAdvertTimer } from './master.js';
import type { AdvertEvent, InstanceRule, Standing, VrrpEvent, VrrpState } from './model.js';
import { masterDownInterval } from './timers.js';
import {
  becomeMaster,
  begin,
  initialVrrp,
  isFaulty,
  later,
  newBackup,
  OWNER,
  preempts,
  resignation,
  role,
  stay,
  type VrrpStep,
} from './transitions.js';

/** When the machine wants the event `timer`; undefined: never. */
export function nextDeadline(state: VrrpState): Millis | undefined {
  switch (state.kind) {
    case 'initialize':
      return state.startAt;
    case 'backup':
      return state.masterDownAt;
    case 'master':
      return state.advertAt;
    case 'fault':
      return undefined;
    default:
      return unreachable(state);
  }
}

/** Whether this member of a sync group waits for the others to become master with it. */
export function wantsMaster(state: VrrpState): boolean {
  return state.kind === 'backup' && state.masterDownAt === undefined;
}

function onStartup(rule: InstanceRule, state: VrrpState, now: Millis): VrrpStep {
  if (state.kind !== 'initialize' || state.startAt !== undefined) return stay(state);
  // What a predecessor left behind is not ours before we are master, and does not wait for the delay.
  if (rule.startupDelay > 0)
    return stay({ ...state, startAt: later(now, rule.startupDelay) }, { kind: 'drop-addresses' });
  return begin(rule, state, 'startup', now);
}

/**
 * A thread died and the next one goes on: as a master that slept. Members of a sync group wait for each other, which
 * takes no time when all of them resume.
 */
function onResume(rule: InstanceRule, state: VrrpState, now: Millis): VrrpStep {
  const { standing } = state;
  if (state.kind !== 'initialize' || state.startAt !== undefined) return stay(state);
  if (isFaulty(standing)) return begin(rule, state, 'startup', now);
  if (rule.grouped) {
    const backup = newBackup(rule, standing, rule.interval, now);
    return stay({ ...backup, masterDownAt: undefined, because: 'resumed' });
  }
  const step = becomeMaster(rule, state, 'resumed', now);
  if (preempts(rule, standing) || step.state.kind !== 'master') return step;
  // Somebody else may be master by now: keep quiet for one interval and hear.
  const { advertAt } = step.state;
  const effects = step.effects.filter(({ kind }) => kind === 'take-addresses' || kind === 'role');
  return stay({ ...step.state, yieldUntil: advertAt }, ...effects);
}

/** 6.4.2 and 6.4.3: If a Shutdown event is received. */
function onShutdown(state: VrrpState): VrrpStep {
  const { kind, standing } = state;
  const stopped = initialVrrp(standing);
  if (kind === 'initialize') return stay(stopped);
  const left = kind === 'master' ? resignation() : [];
  return stay(stopped, ...left, role(kind, 'initialize', 'shutdown', standing));
}

function onTimer(rule: InstanceRule, state: VrrpState, now: Millis): VrrpStep {
  const deadline = nextDeadline(state);
  if (deadline === undefined || now < deadline) return stay(state);
  switch (state.kind) {
    case 'initialize':
      return begin(rule, state, 'startup', now);
    case 'backup':
      return onMasterDown(rule, state, now);
    case 'master':
      return onAdvertTimer(rule, state, now);
    case 'fault':
      return stay(state);
    default:
      return unreachable(state);
  }
}

function onAdvert(rule: InstanceRule, state: VrrpState, advert: AdvertEvent, now: Millis): VrrpStep {
  assert(advert.interval > 0, 'an advert with interval 0 is discarded before it is an event');
  const { source, priority, interval } = advert;
  const rival = { source, priority, interval, heardAt: now };
  if (state.kind === 'backup') return onAdvertAsBackup(rule, state, rival);
  if (state.kind === 'master') return onAdvertAsMaster(rule, state, rival);
  return stay(state);
}

function onPriority(rule: InstanceRule, state: VrrpState, priority: number): VrrpStep {
  if (state.kind === 'backup') return onPriorityAsBackup(rule, state, priority);
  return stay({ ...state, standing: { ...state.standing, priority } });
}

/** Faults or the source address changed: into Fault, out of it, or nothing. */
function onStanding(rule: InstanceRule, state: VrrpState, standing: Standing, now: Millis): VrrpStep {
  const next = { ...state, standing };
  if (state.kind === 'initialize') return stay(next);
  if (state.kind === 'fault') {
    return isFaulty(standing) ? stay(next) : begin(rule, next, 'fault-cleared', now);
  }
  if (!isFaulty(standing)) return stay(next);
  const left = state.kind === 'master' ? resignation() : [];
  return stay({ kind: 'fault', standing }, ...left, role(state.kind, 'fault', 'fault', standing));
}

/** The owner would have been master at once, had it been ready. */
function onReady(rule: InstanceRule, state: VrrpState, now: Millis): VrrpStep {
  const next = { ...state, standing: { ...state.standing, ready: true } };
  const owner = state.standing.priority === OWNER;
  if (next.kind !== 'backup' || !owner || now < (next.holdUntil ?? now)) return stay(next);
  if (rule.grouped) return stay({ ...next, masterDownAt: undefined, because: 'owner' });
  return becomeMaster(rule, next, 'owner', now);
}

function onReconfigured(rule: InstanceRule, state: VrrpState, now: Millis): VrrpStep {
  const { standing } = state;
  if (state.kind === 'master') {
    return stay(
      { ...state, advertAt: later(now, rule.interval) },
      { kind: 'send-advert', priority: standing.priority },
      { kind: 'take-addresses', accept: rule.accept || standing.priority === OWNER },
    );
  }
  if (state.kind !== 'backup') return stay(state);
  const masterInterval = rule.version === 2 ? rule.interval : state.masterInterval;
  const left = state.masterDownAt === undefined && !rule.grouped;
  const masterDownAt = left
    ? later(now, masterDownInterval(rule, standing.priority, masterInterval))
    : state.masterDownAt;
  return stay({ ...state, masterInterval, masterDownAt });
}

function onGroup(rule: InstanceRule, state: VrrpState, event: 'take' | 'yield', now: Millis): VrrpStep {
  if (event === 'take') {
    return state.kind === 'backup' ? becomeMaster(rule, state, state.because, now) : stay(state);
  }
  if (state.kind !== 'master') return stay(state);
  const backup = newBackup(rule, state.standing, rule.interval, now);
  return stay(backup, ...resignation(), role('master', 'backup', 'group', state.standing));
}

/**
 * One step. `now` is monotonic and never before the last one. Pure: the same arguments give the same step.
 * After it, ask `nextDeadline` anew. Effects are performed in the order in which they are listed.
 */
export function stepVrrp(rule: InstanceRule, state: VrrpState, event: VrrpEvent, now: Millis): VrrpStep {
  switch (event.kind) {
    case 'startup':
      return onStartup(rule, state, now);
    case 'resume':
      return onResume(rule, state, now);
    case 'shutdown':
      return onShutdown(state);
    case 'timer':
      return onTimer(rule, state, now);
    case 'advert':
      return onAdvert(rule, state, event, now);
    case 'priority':
      return onPriority(rule, state, event.priority);
    case 'source':
      return onStanding(rule, state, { ...state.standing, source: event.source }, now);
    case 'faults':
      return onStanding(rule, state, { ...state.standing, faults: event.faults }, now);
    case 'ready':
      return onReady(rule, state, now);
    case 'reconfigured':
      return onReconfigured(rule, state, now);
    case 'group-take':
      return onGroup(rule, state, 'take', now);
    case 'group-yield':
      return onGroup(rule, state, 'yield', now);
    default:
      return unreachable(event);
  }
}
