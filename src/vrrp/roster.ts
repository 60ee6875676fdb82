/** The instances of this director, found by name, by what a packet says, and by sync group, without a search. */
import { assert } from '../core/assert.js';
import type { Family } from '../core/ip.js';
import type { Instance } from './instance.js';
import type { RouterConfig } from './status.js';

/** What makes it the same virtual router with other settings, and not another one. */
export function identity({ instance, group, virtualLink }: RouterConfig): string {
  const { name, vrid, family, rule, cast } = instance;
  return [
    name,
    instance.interface,
    vrid,
    family,
    rule.version,
    cast.kind,
    group ?? '',
    virtualLink?.name,
  ].join(' ');
}

type ByVrid = Map<number, Instance>;

export class Roster {
  readonly #byName = new Map<string, Instance>();
  readonly #byGroup = new Map<string, Instance[]>();
  readonly #byDevice: Readonly<Record<Family, Map<string, ByVrid>>> = { ipv4: new Map(), ipv6: new Map() };

  /** An instance whose name, and whose id on its interface and family, nobody has. */
  add(instance: Instance): void {
    const { name, interface: device, family, vrid } = instance.config.instance;
    assert(!this.#byName.has(name), `${name} is there once`);
    const known = this.#byDevice[family].get(device);
    assert(known?.has(vrid) !== true, `id ${vrid} on ${device} (${family}) is there once`);
    if (known === undefined) this.#byDevice[family].set(device, new Map([[vrid, instance]]));
    else known.set(vrid, instance);
    this.#byName.set(name, instance);
    const { group } = instance.config;
    if (group !== undefined) this.#byGroup.set(group, [...this.membersOf(group), instance]);
  }

  remove(instance: Instance): void {
    const { name, interface: device, family, vrid } = instance.config.instance;
    this.#byName.delete(name);
    const known = this.#byDevice[family].get(device);
    known?.delete(vrid);
    if (known?.size === 0) this.#byDevice[family].delete(device);
    const { group } = instance.config;
    if (group === undefined) return;
    const left = this.membersOf(group).filter((member) => member !== instance);
    if (left.length === 0) this.#byGroup.delete(group);
    else this.#byGroup.set(group, left);
  }

  get(name: string): Instance | undefined {
    return this.#byName.get(name);
  }

  get size(): number {
    return this.#byName.size;
  }

  /** In the order in which they came. */
  all(): Iterable<Instance> {
    return this.#byName.values();
  }

  /** Whom a packet of `vrid` on this interface and family concerns. */
  find(family: Family, device: string, vrid: number): Instance | undefined {
    return this.#byDevice[family].get(device)?.get(vrid);
  }

  /** The members of a sync group, in the order in which they came. */
  membersOf(group: string): readonly Instance[] {
    return this.#byGroup.get(group) ?? [];
  }
}
