/** Which checks are alike, and so are probed as one: by the same rule, of the same kind, at the same target. */
import { isDeepStrictEqual } from 'node:util';
import { Likeness } from '../core/likeness.js';
import { finish, type Steps } from '../core/steps.js';
import type { Check, CheckId } from './model.js';

/** What is probed, for one check or for several that are alike. */
interface Unit {
  /** Under the name of the unit, which is the id of the check that it began with. */
  readonly check: Check;
  readonly likeness: number;
  /** Undefined: for one check alone, that of the same name. Nearly all are so, and cost no map. */
  members: Map<CheckId, Check> | undefined;
}

/** A check that is probed from now on by what was there before it. */
export interface Joined {
  readonly id: CheckId;
  /** A check that shared the unit already. */
  readonly beside: CheckId;
}

function isAlike(one: Check, other: Check): boolean {
  return (
    one === other ||
    (one.tellsPasses === other.tellsPasses &&
      isDeepStrictEqual(one.probe, other.probe) &&
      isDeepStrictEqual(one.rule, other.rule))
  );
}

/** Units by their likeness, while checks are placed. */
class Crowd {
  readonly #likeness = new Likeness();
  readonly #units = new Map<number, Unit[]>();

  likenessOf({ rule, probe }: Check): number {
    return this.#likeness.of([rule, probe]);
  }

  add(unit: Unit): void {
    const alike = this.#units.get(unit.likeness);
    if (alike === undefined) this.#units.set(unit.likeness, [unit]);
    else alike.push(unit);
  }

  find(likeness: number, check: Check): Unit | undefined {
    return this.#units.get(likeness)?.find((unit) => isAlike(unit.check, check));
  }
}

/** Keeps units from one configuration to the next: a unit stays as long as one of its checks does. */
export class UnitBook {
  readonly #units = new Map<CheckId, Unit>();
  /** The units of checks that share one, or whose unit has another name. */
  readonly #shared = new Map<CheckId, Unit>();
  #checks = 0;
  #renamed = 0;

  /** How many checks there are. */
  get checks(): number {
    return this.#checks;
  }

  /** Whether any two of them are probed as one. */
  get isShared(): boolean {
    return this.#shared.size > 0;
  }

  /** What is to be probed for them, each under the name of its unit. */
  get units(): readonly Check[] {
    return Array.from(this.#units.values(), ({ check }) => check);
  }

  /** Makes `checks`, of which no two have the same id, the whole. @returns those that joined a unit that was there */
  take(checks: readonly Check[]): readonly Joined[] {
    return finish(this.takeInSteps(checks));
  }

  /** The same in short steps; between them each check is of one unit, or of none yet. */
  *takeInSteps(checks: readonly Check[]): Steps<readonly Joined[]> {
    const homeless: Check[] = [];
    for (const check of checks) {
      if (!this.#stays(check)) homeless.push(check);
      yield;
    }
    if (checks.length - homeless.length < this.#checks) yield* this.#keepAllBut(checks, homeless);
    this.#checks = checks.length;
    if (homeless.length === 0) return [];
    const joined: Joined[] = [];
    const crowd = new Crowd();
    for (const unit of this.#units.values()) yield crowd.add(unit);
    const added = new Set<Unit>();
    for (const check of homeless) {
      const likeness = crowd.likenessOf(check);
      const unit = crowd.find(likeness, check);
      if (unit === undefined) {
        const fresh = this.#begin(check, likeness);
        crowd.add(fresh);
        added.add(fresh);
      } else {
        const beside = this.#join(unit, check);
        if (!added.has(unit)) joined.push({ id: check.id, beside });
      }
      yield;
    }
    return joined;
  }

  /** The checks that a unit is for; undefined: the one of its name. */
  membersOf(name: CheckId): readonly CheckId[] | undefined {
    const members = this.#units.get(name)?.members;
    return members && [...members.keys()];
  }

  /** The name of the unit of a check; undefined: there is no such check. */
  unitOf(id: CheckId): CheckId | undefined {
    return this.#find(id)?.check.id;
  }

  #stays(check: Check): boolean {
    const unit = this.#find(check.id);
    return unit !== undefined && isAlike(unit.members?.get(check.id) ?? unit.check, check);
  }

  #find(id: CheckId): Unit | undefined {
    const shared = this.#shared.get(id);
    if (shared !== undefined) return shared;
    const unit = this.#units.get(id);
    return unit?.members === undefined ? unit : undefined;
  }

  *#keepAllBut(checks: readonly Check[], homeless: readonly Check[]): Steps<void> {
    const stay = new Set<CheckId>();
    for (const { id } of checks) yield void stay.add(id);
    for (const { id } of homeless) stay.delete(id);
    // First what is shared: a unit that is left to one check may be without any in the end.
    for (const [id, unit] of this.#shared) {
      if (!stay.has(id)) this.#leave(unit, id);
      yield;
    }
    for (const [name, { members }] of this.#units) {
      if (members === undefined && !stay.has(name)) this.#units.delete(name);
      yield;
    }
  }

  #leave(unit: Unit, id: CheckId): void {
    const { members, check } = unit;
    this.#shared.delete(id);
    members?.delete(id);
    if (members?.size === 0) this.#units.delete(check.id);
    if (members?.size !== 1 || !members.has(check.id)) return;
    this.#shared.delete(check.id);
    unit.members = undefined;
  }

  #begin(check: Check, likeness: number): Unit {
    const name = this.#nameFor(check.id);
    const unit: Unit = {
      check: name === check.id ? check : { ...check, id: name },
      likeness,
      members: undefined,
    };
    this.#units.set(name, unit);
    if (name !== check.id) {
      unit.members = new Map([[check.id, check]]);
      this.#shared.set(check.id, unit);
    }
    return unit;
  }

  /** A unit keeps its name when the check that it began with goes elsewhere. */
  #nameFor(id: CheckId): CheckId {
    if (!this.#units.has(id)) return id;
    this.#renamed += 1;
    return `${id} (${this.#renamed})`;
  }

  /** @returns a check that was there before */
  #join(unit: Unit, check: Check): CheckId {
    const { id } = unit.check;
    unit.members ??= new Map([[id, unit.check]]);
    const [first = id] = unit.members.keys();
    this.#shared.set(first, unit);
    unit.members.set(check.id, check);
    this.#shared.set(check.id, unit);
    return first;
  }
}
