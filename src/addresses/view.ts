/** The kernel's links, addresses, and our routes and rules, as last read and told. */
import type { Ip } from '../core/ip.js';
import type { AddressSeen, LinkSeen, Notice, ObjectSeen, RouteSeen } from './model.js';

function addressKey({ index, address, prefix }: AddressSeen): string {
  return `${index} ${address}/${prefix}`;
}

export class NetworkView {
  #links = new Map<number, LinkSeen>();
  #addresses = new Map<string, AddressSeen>();
  #routes: readonly RouteSeen[] = [];
  #rules: readonly ObjectSeen[] = [];

  /** Replaces links and addresses by what was read. */
  reset(links: readonly LinkSeen[], addresses: readonly AddressSeen[]): void {
    this.#links = new Map(links.map((link) => [link.index, link]));
    this.#addresses = new Map(addresses.map((address) => [addressKey(address), address]));
  }

  /** Replaces routes and rules by what was read. */
  resetRoutes(routes: readonly RouteSeen[], rules: readonly ObjectSeen[]): void {
    this.#routes = routes;
    this.#rules = rules;
  }

  /** Whether any of our routes and rules is known. */
  get hasRoutes(): boolean {
    return this.#routes.length > 0 || this.#rules.length > 0;
  }

  /** Notices may repeat what was read already: the last one about a thing is right. */
  take(notice: Exclude<Notice, { kind: 'lost' | 'routes' }>): void {
    if (notice.kind === 'link') {
      if (notice.gone) this.#links.delete(notice.link.index);
      else this.#links.set(notice.link.index, notice.link);
    } else if (notice.gone) this.#addresses.delete(addressKey(notice.address));
    else this.#addresses.set(addressKey(notice.address), notice.address);
  }

  link(name: string): LinkSeen | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  links(): readonly LinkSeen[] {
    return [...this.#links.values()];
  }

  /** The addresses of one link, in the kernel's order. */
  addressesOf(index: number): readonly AddressSeen[] {
    return [...this.#addresses.values()].filter((address) => address.index === index);
  }

  /** Whether any link has it, ready for use. */
  hasAddress(wanted: Ip): boolean {
    for (const { address, tentative } of this.#addresses.values())
      if (address === wanted && !tentative) return true;
    return false;
  }

  /** Every address with the name of its link, and our routes and rules. */
  objects(): readonly ObjectSeen[] {
    const addresses = [...this.#addresses.values()].flatMap((address) => {
      const link = this.#links.get(address.index);
      return link === undefined ? [] : [address.seen(link.name)];
    });
    const routes = this.#routes.map(({ index, seen }) =>
      seen(index === undefined ? undefined : this.#links.get(index)?.name),
    );
    return [...addresses, ...routes, ...this.#rules];
  }
}
