/** Machines with one rule broken on purpose: the simulation has to find each of them. */
import { millis } from '../../src/core/units.js';
import { stepVrrp } from '../../src/vrrp/fsm.js';
import type { VrrpEffect } from '../../src/vrrp/model.js';
import { stay } from '../../src/vrrp/transitions.js';
import type { RuleName } from './checker.js';
import type { StepFunction } from './world.js';

export interface Broken {
  readonly name: string;
  readonly step: StepFunction;
  /** Any of these rules may be the first that does not hold. */
  readonly found: readonly RuleName[];
}

function without(kind: VrrpEffect['kind']): StepFunction {
  return (rule, state, event, now) => {
    const { state: next, effects } = stepVrrp(rule, state, event, now);
    return { state: next, effects: effects.filter((effect) => effect.kind !== kind) };
  };
}

export const BROKEN: readonly Broken[] = [
  {
    name: 'a master does not yield to a higher priority',
    step: (rule, state, event, now) =>
      state.kind === 'master' && event.kind === 'advert' && event.priority > state.standing.priority
        ? stay(state)
        : stepVrrp(rule, state, event, now),
    found: ['two-masters'],
  },
  {
    name: 'a tie is never broken',
    step: (rule, state, event, now) =>
      state.kind === 'master' && event.kind === 'advert' && event.priority === state.standing.priority
        ? stay(state)
        : stepVrrp(rule, state, event, now),
    found: ['two-masters'],
  },
  {
    name: 'a tie is broken against both',
    step: (rule, state, event, now) =>
      state.kind === 'master' && event.kind === 'advert' && event.priority === state.standing.priority
        ? stepVrrp(rule, state, { ...event, priority: 255 }, now)
        : stepVrrp(rule, state, event, now),
    found: ['no-master', 'unsettled', 'two-masters', 'too-early'],
  },
  { name: 'the addresses are kept on yielding', step: without('drop-addresses'), found: ['addresses'] },
  { name: 'the addresses are never taken', step: without('take-addresses'), found: ['addresses'] },
  { name: 'adverts are never sent', step: without('send-advert'), found: ['two-masters'] },
  {
    name: 'a lower master is preempted without leave',
    step: (rule, state, event, now) => stepVrrp({ ...rule, preempt: true }, state, event, now),
    found: ['too-early'],
  },
  {
    name: 'two missed adverts are enough',
    step: (rule, state, event, now) => stepVrrp({ ...rule, downAdverts: 2 }, state, event, now),
    found: ['too-early'],
  },
  {
    name: 'the interval is not learned',
    step: (rule, state, event, now) =>
      stepVrrp(rule, state, event.kind === 'advert' ? { ...event, interval: rule.interval } : event, now),
    found: ['too-early'],
  },
  {
    name: 'the skew is forgotten',
    step: (rule, state, event, now) => {
      const step = stepVrrp(rule, state, event, now);
      if (step.state.kind !== 'backup' || step.state.masterDownAt === undefined) return step;
      if (state.kind === 'backup' && state.masterDownAt === step.state.masterDownAt) return step;
      const unit = rule.version === 2 ? 1000 : step.state.masterInterval;
      const skew = unit - (unit * step.state.standing.priority) / 256;
      return { ...step, state: { ...step.state, masterDownAt: millis(step.state.masterDownAt - skew) } };
    },
    found: ['too-early'],
  },
  {
    name: 'a silent master is never replaced',
    step: (rule, state, event, now) =>
      state.kind === 'backup' && event.kind === 'timer'
        ? stay({ ...state, masterDownAt: millis(now + 1000) })
        : stepVrrp(rule, state, event, now),
    found: ['no-master'],
  },
  {
    name: 'a higher backup leaves a lower master alone',
    step: (rule, state, event, now) =>
      stepVrrp(state.kind === 'backup' ? { ...rule, preempt: false } : rule, state, event, now),
    found: ['wrong-master'],
  },
  {
    name: 'a resignation is answered at once, without the skew',
    step: (rule, state, event, now) =>
      state.kind === 'backup' && event.kind === 'advert' && event.priority === 0
        ? stepVrrp(rule, { ...state, masterDownAt: now }, { kind: 'timer' }, now)
        : stepVrrp(rule, state, event, now),
    found: ['too-early'],
  },
  {
    name: 'the advert timer is not set again',
    step: (rule, state, event, now) => {
      const step = stepVrrp(rule, state, event, now);
      return state.kind === 'master' && event.kind === 'timer' ? { ...step, state } : step;
    },
    found: ['deadline'],
  },
];

/** Machines of a sync group that do not know of each other. */
export const UNGROUPED: StepFunction = (rule, state, event, now) =>
  stepVrrp({ ...rule, grouped: false }, state, event, now);
