/** Small instances for the tests of src/vrrp: every member has a plain value, a test names what it is about. */
import { type Ip, ip } from '../../src/core/ip.js';
import { type Millis, millis } from '../../src/core/units.js';
import { stepVrrp } from '../../src/vrrp/fsm.js';
import type {
  AdvertEvent,
  InstanceConfig,
  InstanceRule,
  Standing,
  VrrpEffect,
  VrrpEvent,
  VrrpState,
} from '../../src/vrrp/model.js';
import { initialVrrp, type VrrpStep } from '../../src/vrrp/transitions.js';

export const SELF = ip('10.0.0.2');
export const LOWER = ip('10.0.0.1');
export const HIGHER = ip('10.0.0.3');

export function rule(changes: Partial<InstanceRule> = {}): InstanceRule {
  return {
    version: 3,
    interval: millis(1000),
    downAdverts: 3,
    preempt: true,
    preemptDelay: millis(0),
    startupDelay: millis(0),
    failbackDelay: millis(0),
    waitReady: false,
    accept: true,
    grouped: false,
    ...changes,
  };
}

export function standing(changes: Partial<Standing> = {}): Standing {
  return { priority: 100, source: SELF, faults: [], ready: true, ...changes };
}

export function config(changes: Partial<InstanceConfig> = {}): InstanceConfig {
  return {
    name: 'outside',
    interface: 'eth0',
    family: 'ipv4',
    vrid: 20,
    priority: 100,
    rule: rule(),
    cast: { kind: 'multicast', group: ip('224.0.0.18'), source: undefined },
    auth: { kind: 'none' },
    checksum: 'pseudo-header',
    addresses: [ip('10.10.10.100')],
    announce: {
      repeat: 5,
      delay: millis(5000),
      refresh: millis(0),
      refreshRepeat: 1,
      lowerRepeat: 5,
      lowerDelay: millis(5000),
      spacing: millis(0),
    },
    ...changes,
  };
}

export function advert(priority: number, source: Ip = LOWER, interval = 1000): AdvertEvent {
  return { kind: 'advert', priority, source, interval: millis(interval) };
}

/** One machine that a test drives; all steps are kept. */
export class Machine {
  state: VrrpState;
  /** Of the last step. */
  effects: readonly VrrpEffect[] = [];
  now = 0;

  constructor(
    readonly rule: InstanceRule,
    start: Standing = standing(),
  ) {
    this.state = initialVrrp(start);
  }

  step(event: VrrpEvent, at: number = this.now): VrrpStep {
    this.now = at;
    const step = stepVrrp(this.rule, this.state, event, millis(at));
    this.state = step.state;
    this.effects = step.effects;
    return step;
  }

  /** The words of the last step's effects, for comparing whole lists. */
  get did(): string[] {
    return this.effects.map(effectWord);
  }
}

/** `send 100`, `take`, `drop`, `announce master`, `silence`, `backup>master master-silent`, `report overslept`. */
export function effectWord(effect: VrrpEffect): string {
  switch (effect.kind) {
    case 'send-advert':
      return `send ${effect.priority}`;
    case 'take-addresses':
      return effect.accept ? 'take' : 'take without accepting';
    case 'drop-addresses':
      return 'drop';
    case 'announce':
      return `announce ${effect.cause}`;
    case 'silence':
      return 'silence';
    case 'role':
      return `${effect.from}>${effect.to} ${effect.cause}`;
    case 'report':
      return `report ${effect.report.kind}`;
    default:
      return effect satisfies never;
  }
}

export function backupOf(machineRule: InstanceRule, priority = 100): Machine {
  const machine = new Machine(machineRule, standing({ priority }));
  machine.step({ kind: 'startup' });
  return machine;
}

export function masterOf(machineRule: InstanceRule, priority = 100): Machine {
  const machine = backupOf(machineRule, priority);
  if (machine.state.kind === 'backup') machine.step({ kind: 'timer' }, machine.state.masterDownAt);
  return machine;
}

export function ms(value: number): Millis {
  return millis(value);
}
