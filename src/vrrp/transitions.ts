/** The transitions of one instance, and what every state's rules share. */
import { type Millis, millis } from '../core/units.js';
import type {
  InstanceRule,
  Rival,
  Role,
  RoleCause,
  Standing,
  VrrpEffect,
  VrrpReport,
  VrrpState,
} from './model.js';
import { masterDownInterval } from './timers.js';

/** The priority of the router whose own addresses the virtual IPs are (5.2.4). */
export const OWNER = 255;

export interface VrrpStep {
  readonly state: VrrpState;
  /** To be done in this order. */
  readonly effects: readonly VrrpEffect[];
}

export type Backup = Extract<VrrpState, { kind: 'backup' }>;
export type Master = Extract<VrrpState, { kind: 'master' }>;

/** A step that ends in `state`, with what has to be done on the way. */
export function stay(state: VrrpState, ...effects: readonly VrrpEffect[]): VrrpStep {
  return { state, effects };
}

/** A line for the journal. */
export function report(what: VrrpReport): VrrpEffect {
  return { kind: 'report', report: what };
}

/** The change of role as everybody else is told it; the last effect of a transition. */
export function role(from: Role, to: Role, cause: RoleCause, { priority }: Standing): VrrpEffect {
  return { kind: 'role', from, to, cause, priority };
}

/** `delay` milliseconds after `now`. */
export function later(now: Millis, delay: number): Millis {
  return millis(now + delay);
}

/** Whether the instance cannot take part. */
export function isFaulty(standing: Standing): boolean {
  return standing.faults.length > 0 || standing.source === undefined;
}

/** RFC 5798 6.1: the owner preempts whatever Preempt_Mode says. */
export function preempts(rule: InstanceRule, standing: Standing): boolean {
  return rule.preempt || standing.priority === OWNER;
}

/** Whether the first verdicts are in, or nobody waits for them. */
export function isReady(rule: InstanceRule, standing: Standing): boolean {
  return !rule.waitReady || standing.ready;
}

/** The interval of another router as its adverts tell it. In version 2 it is equal everywhere. */
export function intervalOf(rule: InstanceRule, { interval }: Rival): Millis {
  return rule.version === 2 ? rule.interval : interval;
}

/** The state of an instance before start-up. Priority 255 makes it the owner. */
export function initialVrrp(standing: Standing): VrrpState {
  return { kind: 'initialize', standing, startAt: undefined };
}

/** A backup that has just heard `masterInterval`, or fallen back to its own: the whole Master_Down_Interval lies ahead. */
export function newBackup(
  rule: InstanceRule,
  standing: Standing,
  masterInterval: Millis,
  now: Millis,
): Backup {
  return {
    kind: 'backup',
    standing,
    masterInterval,
    masterDownAt: later(now, masterDownInterval(rule, standing.priority, masterInterval)),
    because: 'master-silent',
    holdUntil: undefined,
    preemptAt: undefined,
    graced: false,
    heard: undefined,
  };
}

/** 6.4.1 for the owner, 6.4.2 where the timer fires: the advert goes first, for others wait for it. */
export function becomeMaster(rule: InstanceRule, from: VrrpState, cause: RoleCause, now: Millis): VrrpStep {
  const { standing } = from;
  const accept = rule.accept || standing.priority === OWNER;
  return stay(
    {
      kind: 'master',
      standing,
      advertAt: later(now, rule.interval),
      answerAt: now,
      reportAt: later(now, rule.interval),
      yieldUntil: undefined,
    },
    { kind: 'send-advert', priority: standing.priority },
    { kind: 'take-addresses', accept },
    { kind: 'announce', cause: 'master' },
    role(from.kind, 'master', cause, standing),
  );
}

/** 6.4.1, at start-up and again whenever the last fault clears. */
export function begin(rule: InstanceRule, from: VrrpState, cause: RoleCause, now: Millis): VrrpStep {
  const { kind, standing } = from;
  // Addresses that a predecessor left behind when it died are not ours before we are master. A start-up delay
  // began with dropping them.
  const fresh = kind === 'initialize' && from.startAt === undefined;
  const leftovers: readonly VrrpEffect[] = fresh ? [{ kind: 'drop-addresses' }] : [];
  if (isFaulty(standing)) {
    return stay({ kind: 'fault', standing }, ...leftovers, role(kind, 'fault', 'fault', standing));
  }
  const unhindered = isReady(rule, standing) && rule.failbackDelay === 0 && !rule.grouped;
  if (standing.priority === OWNER && unhindered) return becomeMaster(rule, from, 'owner', now);
  const backup = {
    ...newBackup(rule, standing, rule.interval, now),
    holdUntil: rule.failbackDelay > 0 ? later(now, rule.failbackDelay) : undefined,
  };
  return stay(backup, ...leftovers, role(kind, 'backup', cause, standing));
}

/** What a master does before it is none: priority 0 first, so that the others need not wait. */
export function resignation(): readonly VrrpEffect[] {
  return [{ kind: 'send-advert', priority: 0 }, { kind: 'silence' }, { kind: 'drop-addresses' }];
}
