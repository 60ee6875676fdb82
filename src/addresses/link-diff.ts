/** From the links that there are to the virtual links that the roles call for. Level-based: run twice, it does nothing. */
import type { LinkSeen, VirtualLink } from './model.js';

/** What is left on links that we made (IFLA_IFALIAS), so that a successor knows them. */
export const LINK_ALIAS = 'lvsentry';

/** enum macvlan_mode: only the macvlan itself hears what comes with its address as source. */
const PRIVATE = 1;

/** A virtual link, and whether its instance is master. */
export interface LinkWanted {
  readonly instance: string;
  readonly link: VirtualLink;
  /** A backup's is down: nothing that bears the virtual MAC may ever leave it. */
  readonly up: boolean;
}

export type LinkOperation =
  | { readonly kind: 'create'; readonly wanted: LinkWanted; readonly parent: number }
  /** Its settings, before it is ever up. */
  | { readonly kind: 'prepare'; readonly wanted: LinkWanted; readonly index: number }
  /** The kernel lowers the MTU with the parent's, and does not raise it. */
  | { readonly kind: 'mtu'; readonly wanted: LinkWanted; readonly index: number; readonly mtu: number }
  | { readonly kind: 'up' | 'down'; readonly wanted: LinkWanted; readonly index: number }
  /** It is ours, and nobody wants it, or not as it is. */
  | { readonly kind: 'remove'; readonly name: string; readonly index: number }
  /** Another link has the name: nothing is done to it. */
  | { readonly kind: 'foreign'; readonly wanted: LinkWanted };

function isAsWanted({ mac, parent, macvlanMode }: LinkSeen, link: VirtualLink, below: LinkSeen): boolean {
  return mac === link.mac && parent === below.index && macvlanMode === PRIVATE;
}

function operationFor(
  wanted: LinkWanted,
  links: ReadonlyMap<string, LinkSeen>,
  prepared: ReadonlySet<number>,
): LinkOperation | undefined {
  const { link, up } = wanted;
  const below = links.get(link.parent);
  const seen = links.get(link.name);
  // With its parent the kernel removes it too; the instance has a fault for that.
  if (below === undefined) return undefined;
  if (seen === undefined) return { kind: 'create', wanted, parent: below.index };
  const { name, index, mtu } = seen;
  if (!isAsWanted(seen, link, below))
    return seen.alias === LINK_ALIAS ? { kind: 'remove', name, index } : { kind: 'foreign', wanted };
  if (!prepared.has(index)) return { kind: 'prepare', wanted, index };
  if (mtu !== below.mtu) return { kind: 'mtu', wanted, index, mtu: below.mtu };
  // A link cannot come up over one that is down.
  if (seen.up === up || (up && !below.up)) return undefined;
  return { kind: up ? 'up' : 'down', wanted, index };
}

/**
 * The next step of each virtual link; those that need none are left out.
 * @param prepared indexes of the links whose settings are made
 */
export function diffLinks(
  wanted: readonly LinkWanted[],
  seen: readonly LinkSeen[],
  prepared: ReadonlySet<number>,
): readonly LinkOperation[] {
  const links = new Map(seen.map((link) => [link.name, link]));
  const names = new Set(wanted.map(({ link }) => link.name));
  const steps = wanted
    .map((each) => operationFor(each, links, prepared))
    .filter((step) => step !== undefined);
  const leftovers = seen
    .filter(({ name, alias, macvlanMode }) => {
      return alias === LINK_ALIAS && macvlanMode === PRIVATE && !names.has(name);
    })
    .map(({ name, index }): LinkOperation => ({ kind: 'remove', name, index }));
  return [...steps, ...leftovers];
}
