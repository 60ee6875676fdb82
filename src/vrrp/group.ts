/**
 * Sync groups: all members are master, or none is. The group is pure and level-based: after every step of a member
 * it looks at all of them and says what the others have to do. It keeps nothing of its own.
 */
import { assert } from '../core/assert.js';
import type { Millis } from '../core/units.js';
import { stepVrrp, wantsMaster } from './fsm.js';
import type { Fault, InstanceRule, VrrpEffect, VrrpEvent, VrrpState } from './model.js';

/** One instance of a group. Its rule says `grouped`. */
export interface GroupMember {
  readonly name: string;
  readonly rule: InstanceRule;
  readonly state: VrrpState;
}

export interface GroupStep {
  /** In the order in which they came. */
  readonly members: readonly GroupMember[];
  /** In the order in which they have to be done, whichever member they belong to. */
  readonly effects: readonly { readonly member: string; readonly effect: VrrpEffect }[];
}

/** Faults come first, then roles, and each settles in one round; one more round finds nothing to do. */
const ROUNDS_MAX = 4;

function ownFaults({ state }: GroupMember): readonly Fault[] {
  return state.standing.faults.filter(({ kind }) => kind !== 'group');
}

function isBroken(member: GroupMember): boolean {
  return ownFaults(member).length > 0 || member.state.standing.source === undefined;
}

/** The faults that `member` should have: its own, and one for each other member that has some. */
function faultsDue(members: readonly GroupMember[], member: GroupMember): readonly Fault[] {
  const others = members.filter((other) => other !== member && isBroken(other));
  return [...ownFaults(member), ...others.map(({ name }) => ({ kind: 'group', name }) as const)];
}

function sameFaults(a: readonly Fault[], b: readonly Fault[]): boolean {
  return (
    a.length === b.length && a.every(({ kind, name }, at) => kind === b[at]?.kind && name === b[at]?.name)
  );
}

/** What the group asks of one member now; undefined: nothing. */
function eventFor(members: readonly GroupMember[], member: GroupMember): VrrpEvent | undefined {
  const faults = faultsDue(members, member);
  if (!sameFaults(faults, member.state.standing.faults)) return { kind: 'faults', faults };
  const isMaster = member.state.kind === 'master';
  const all = members.every(({ state }) => state.kind === 'master' || wantsMaster(state));
  if (all) return isMaster ? undefined : { kind: 'group-take' };
  return isMaster ? { kind: 'group-yield' } : undefined;
}

function settleOnce(before: GroupStep, now: Millis): GroupStep {
  const effects = [...before.effects];
  const members = before.members.map((member) => {
    const event = eventFor(before.members, member);
    if (event === undefined) return member;
    const step = stepVrrp(member.rule, member.state, event, now);
    effects.push(...step.effects.map((effect) => ({ member: member.name, effect })));
    return { ...member, state: step.state };
  });
  return { members, effects };
}

function isSettled({ members }: GroupStep): boolean {
  return members.every((member) => eventFor(members, member) === undefined);
}

/** Makes the group consistent. Of a consistent group it changes nothing. */
export function settleGroup(members: readonly GroupMember[], now: Millis): GroupStep {
  let step: GroupStep = { members, effects: [] };
  for (let round = 0; !isSettled(step); round += 1) {
    assert(round < ROUNDS_MAX, `a sync group settles in ${ROUNDS_MAX} rounds`);
    step = settleOnce(step, now);
  }
  return step;
}

/**
 * One event of one member, and what follows from it for the group.
 * A `faults` event lists the member's own faults; those of the group are added here.
 */
export function stepGroup(
  members: readonly GroupMember[],
  name: string,
  event: VrrpEvent,
  now: Millis,
): GroupStep {
  const member = members.find((candidate) => candidate.name === name);
  assert(member !== undefined, `${name} is a member of its sync group`);
  const groupFaults = member.state.standing.faults.filter(({ kind }) => kind === 'group');
  const whole: VrrpEvent =
    event.kind === 'faults' ? { ...event, faults: [...event.faults, ...groupFaults] } : event;
  const { state, effects } = stepVrrp(member.rule, member.state, whole, now);
  const stepped = members.map((other) => (other === member ? { ...member, state } : other));
  const settled = settleGroup(stepped, now);
  const first = effects.map((effect) => ({ member: name, effect }));
  return { members: settled.members, effects: [...first, ...settled.effects] };
}
