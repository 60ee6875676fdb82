/** What was found changed by somebody else at the last look: what of it is repaired now, and what is let stand. */
import {
  type Concessions,
  concede,
  concessionsAfterReload,
  type ServiceConcessions,
  stillConceded,
} from './concession.js';
import { type Drift, explainByDrift, findDrift, type Repairs } from './drift.js';
import type { ObservedService, ObservedTable } from './model.js';
import type { DriftPolicies } from './ownership.js';
import type { Desired, DesiredService, PlanStep } from './plan.js';

type PoliciesOf = (service: string) => DriftPolicies;

const NO_REPAIRS: Repairs = new Map();

export class Tolerance {
  #repairs = NO_REPAIRS;
  readonly #conceded = new Map<string, ServiceConcessions>();

  /** What is let stand, by `serviceText`. */
  get conceded(): Concessions {
    return this.#conceded;
  }

  /** One that goes its own way from here. */
  copy(): Tolerance {
    const copy = new Tolerance();
    copy.#replace(this.#conceded);
    return copy;
  }

  /** What an earlier run let stand, in place of nothing. */
  recall(concessions: Concessions): void {
    this.#replace(concessions);
  }

  /** What is let stand, by the names of the configuration. */
  left(desired: Desired): readonly Drift[] {
    return [...this.#conceded].flatMap(([text, { itself, dests }]) => {
      const service = desired.get(text);
      if (service === undefined) return [];
      const names = { service: service.name, server: undefined };
      const servers = [...dests].flatMap(([dest, all]) =>
        all.map(({ kind, policy, difference }) => {
          return { ...names, server: service.servers.get(dest)?.server, kind, policy, difference };
        }),
      );
      if (itself === undefined) return servers;
      return [
        { ...names, kind: 'service', policy: itself.policy, difference: itself.difference },
        ...servers,
      ];
    });
  }

  /** Compares two looks at the table. @param believed undefined where it is not known: then nothing is drift */
  look(
    desired: Desired,
    believed: ObservedTable | undefined,
    observed: ObservedTable,
    policies: PoliciesOf,
  ): readonly Drift[] {
    this.#repairs = NO_REPAIRS;
    if (believed === undefined) return [];
    const found = findDrift(desired, [believed, observed], policies, this.#conceded);
    this.#repairs = found.repairs;
    this.#replace(found.concessions);
    return found.drift;
  }

  /** All that was found is repaired. */
  settled(): void {
    this.#repairs = NO_REPAIRS;
  }

  /** A new configuration: what was only reported is repaired with it. */
  reload(before: Desired, now: Desired, policies: PoliciesOf): void {
    if (this.#conceded.size > 0) this.#replace(concessionsAfterReload(this.#conceded, before, now, policies));
  }

  #replace(concessions: Concessions): void {
    if (concessions.size === 0 && this.#conceded.size === 0) return;
    const all = [...concessions];
    this.#conceded.clear();
    for (const [text, conceded] of all) this.#conceded.set(text, conceded);
  }

  /** What is wanted of a service after what is let stand; undefined: nothing, it was removed. */
  wanted(
    text: string,
    service: DesiredService,
    observed: ObservedService | undefined,
  ): DesiredService | undefined {
    const conceded = this.#conceded.get(text);
    if (conceded === undefined) return service;
    const kept = stillConceded(conceded, service, observed);
    if (kept === undefined) {
      this.#conceded.delete(text);
      return service;
    }
    this.#conceded.set(text, kept);
    return concede(service, kept);
  }

  /** Gives steps that repair drift that cause. */
  explain(steps: readonly PlanStep[]): readonly PlanStep[] {
    return explainByDrift(steps, this.#repairs);
  }
}
