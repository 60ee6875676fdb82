/** Whether links count as up for each instance: a change has to last as long as the instance's configuration wants. */
import type { NetworkView } from '../addresses/view.js';
import type { Millis } from '../core/units.js';
import { type DebounceState, newDebounce, seeLink, settleLink } from './debounce.js';
import type { Instance } from './instance.js';

export class Links {
  readonly #view: NetworkView;
  /** Instances for which some link is not as it counts. */
  readonly #pending = new Map<Instance, Millis>();

  constructor(view: NetworkView) {
    this.#view = view;
  }

  /** Looks at a link for an instance. One that is gone, or was never seen before, counts at once. */
  isUp(instance: Instance, device: string, now: Millis): boolean {
    const link = this.#view.link(device);
    const known = instance.links.get(device);
    const state: DebounceState =
      link === undefined || known === undefined
        ? newDebounce(link?.usable === true)
        : seeLink(instance.config.debounce, settleLink(known, now), link.usable, now);
    instance.links.set(device, state);
    this.#note(instance);
    return state.up;
  }

  #note(instance: Instance): void {
    let first: Millis | undefined;
    for (const { changesAt } of instance.links.values())
      if (changesAt !== undefined && (first === undefined || changesAt < first)) first = changesAt;
    if (first === undefined) this.#pending.delete(instance);
    else this.#pending.set(instance, first);
  }

  /** When the next change counts. */
  nextAt(): Millis | undefined {
    let least: Millis | undefined;
    for (const at of this.#pending.values()) if (least === undefined || at < least) least = at;
    return least;
  }

  /** Instances for which a change counts now: they have to be looked at. */
  due(now: Millis): readonly Instance[] {
    if (this.#pending.size === 0) return [];
    return [...this.#pending].filter(([, at]) => at <= now).map(([instance]) => instance);
  }

  /** Forgets an instance that leaves. */
  forget(instance: Instance): void {
    this.#pending.delete(instance);
  }
}
