/** Makes, sets and removes the links of virtual MACs. The keeper lets it go before it looks at addresses. */
import { unreachable } from '../core/assert.js';
import type { Errno } from '../core/errno.js';
import type { Clock, Sysctls } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import type { NetlinkResult } from '../netlink/exchange.js';
import type { AddressClient, LinkChange } from './client.js';
import { diffLinks, LINK_ALIAS, type LinkOperation, type LinkWanted } from './link-diff.js';
import type { VirtualLink } from './model.js';
import { Pace } from './pace.js';
import type { NetworkView } from './view.js';

/** The virtual link of one instance. */
export interface KeptLink {
  readonly instance: string;
  readonly link: VirtualLink;
}

export interface VirtualLinksOptions {
  readonly client: AddressClient;
  readonly clock: Clock;
  readonly sysctls: Sysctls;
  readonly view: NetworkView;
  readonly onRefused: (instance: string, what: string, why: string) => void;
}

/** What came of a look. */
export interface LinkStep {
  /** Something was changed: the kernel has to be looked at before anything else is concluded. */
  readonly changed: boolean;
  /** Something waits for so long. */
  readonly wait: Millis | undefined;
  /** The links are not as they were seen: they have to be read anew. */
  readonly stale: boolean;
  /** There is a trouble more, or less. */
  readonly troubles: boolean;
}

/** The link, or its parent, is gone; or there is one already. While a link goes, it is told to be down before. */
const STALE: readonly string[] = ['ENODEV', 'EEXIST'] satisfies readonly Errno[];

const STEPS: readonly LinkOperation['kind'][] = [
  'create',
  'prepare',
  'mtu',
  'up',
  'down',
  'remove',
  'foreign',
];

type Setting = readonly [path: string, value: string];

/**
 * What makes exactly one link answer for a virtual IP, and take in what comes for it, whatever its source. The effective
 * value of rp_filter is the higher one of `all` and the link, and 2 (loose) is higher than 1 (strict).
 */
function settingsOf({ name, parent, ipv6 }: VirtualLink, sysctls: Sysctls): readonly Setting[] {
  const copied = (family: string): Setting[] => {
    const value = sysctls.read(`${family}/conf/${parent}/forwarding`);
    return value === undefined ? [] : [[`${family}/conf/${name}/forwarding`, value]];
  };
  const strict = sysctls.read('ipv4/conf/all/rp_filter') !== '0';
  const four: readonly Setting[] = [
    [`ipv4/conf/${name}/arp_ignore`, '1'],
    [`ipv4/conf/${name}/accept_local`, '1'],
    [`ipv4/conf/${name}/rp_filter`, strict ? '2' : '0'],
    [`ipv4/conf/${name}/promote_secondaries`, '1'],
    ...copied('ipv4'),
  ];
  if (sysctls.read(`ipv6/conf/${name}/disable_ipv6`) === undefined) return four;
  if (!ipv6) return [...four, [`ipv6/conf/${name}/disable_ipv6`, '1']];
  return [
    ...four,
    [`ipv6/conf/${name}/disable_ipv6`, '0'],
    // No link-local address from the virtual MAC: all directors would have the same (RFC 5798 section 7.4).
    [`ipv6/conf/${name}/addr_gen_mode`, '1'],
    [`ipv6/conf/${name}/accept_ra`, '0'],
    [`ipv6/conf/${name}/autoconf`, '0'],
    ...copied('ipv6'),
  ];
}

/** The change that an operation asks for; undefined for one that changes nothing in itself. */
function changeOf(operation: LinkOperation): LinkChange | undefined {
  switch (operation.kind) {
    case 'create':
      return { kind: 'create', link: operation.wanted.link, parent: operation.parent };
    case 'prepare':
      return { kind: 'change', index: operation.index, alias: LINK_ALIAS };
    case 'mtu':
      return { kind: 'change', index: operation.index, mtu: operation.mtu };
    case 'up':
    case 'down':
      return { kind: 'change', index: operation.index, up: operation.kind === 'up' };
    case 'remove':
      return { kind: 'remove', index: operation.index };
    case 'foreign':
      return undefined;
    default:
      return unreachable(operation);
  }
}

function nameOf(operation: LinkOperation): string {
  return operation.kind === 'remove' ? operation.name : operation.wanted.link.name;
}

/** Each kind of step is paced for itself: what is done after another is not kept waiting by it. */
function paceKey(operation: LinkOperation): string {
  return `${operation.kind} ${nameOf(operation)}`;
}

export class VirtualLinks {
  readonly #options: VirtualLinksOptions;
  #kept: readonly KeptLink[] = [];
  readonly #prepared = new Set<number>();
  readonly #troubles = new Map<string, string>();
  #isStale = false;
  readonly #pace = new Pace();
  /** arp_ignore of parents as it was before us. */
  readonly #parents = new Map<string, string>();

  constructor(options: VirtualLinksOptions) {
    this.#options = options;
  }

  configure(kept: readonly KeptLink[]): void {
    this.#kept = kept;
    this.#pace.forgetAll();
  }

  /** An instance has a new role, which is a new try. */
  retry(instance: string): void {
    for (const { instance: owner, link } of this.#kept)
      if (owner === instance) for (const kind of STEPS) this.#pace.forget(`${kind} ${link.name}`);
  }

  /** Why a virtual link cannot be used. */
  trouble(name: string): string | undefined {
    return this.#troubles.get(name);
  }

  /** One step of each link that is not as it has to be. @throws NETLINK (rejects) */
  async step(masters: ReadonlySet<string>): Promise<LinkStep> {
    const { clock, view } = this.#options;
    const before = [...this.#troubles.keys()].join();
    const links = view.links();
    const wanted = this.#kept.map(({ instance, link }): LinkWanted => {
      return { instance, link, up: masters.has(instance) };
    });
    const operations = diffLinks(wanted, links, this.#prepared);
    this.#forget(operations, new Set(links.map(({ index }) => index)));
    const now = clock.monotonic();
    const waits = operations.map((operation) => this.#pace.wait(paceKey(operation), now));
    const due = operations.filter((_, at) => waits[at] === 0);
    const changed = await this.#perform(due);
    const waiting = waits.filter((wait) => wait > 0);
    const wait = waiting.length === 0 ? undefined : millis(Math.min(...waiting));
    const stale = this.#isStale;
    this.#isStale = false;
    return { changed, wait, stale, troubles: before !== [...this.#troubles.keys()].join() };
  }

  /** Troubles that are over, links that are gone, and parents that nobody uses any more. */
  #forget(operations: readonly LinkOperation[], indexes: ReadonlySet<number>): void {
    for (const index of this.#prepared) if (!indexes.has(index)) this.#prepared.delete(index);
    const open = new Set(operations.map(nameOf));
    for (const name of this.#troubles.keys()) if (!open.has(name)) this.#troubles.delete(name);
    const parents = new Set(this.#kept.map(({ link }) => link.parent));
    for (const [parent, value] of this.#parents) {
      if (parents.has(parent)) continue;
      this.#options.sysctls.write(`ipv4/conf/${parent}/arp_ignore`, value);
      this.#parents.delete(parent);
    }
  }

  async #perform(operations: readonly LinkOperation[]): Promise<boolean> {
    const done: LinkOperation[] = [];
    const changes: LinkChange[] = [];
    for (const operation of operations) {
      if (operation.kind === 'prepare') this.#prepare(operation.wanted, operation.index);
      const change = changeOf(operation);
      if (change === undefined) this.#refuse(operation, 'another link has this name');
      else {
        done.push(operation);
        changes.push(change);
      }
    }
    if (changes.length === 0) return false;
    const results = await this.#options.client.applyLinks(changes);
    for (const [at, operation] of done.entries()) this.#note(operation, results[at]);
    return true;
  }

  /** Writes the settings of the link and of its parent; what cannot be written is told, and the link used all the same. */
  #prepare({ instance, link }: LinkWanted, index: number): void {
    const { sysctls, onRefused } = this.#options;
    this.#prepared.add(index);
    const ofParent = `ipv4/conf/${link.parent}/arp_ignore`;
    const before = sysctls.read(ofParent);
    const settings = [...settingsOf(link, sysctls)];
    if (before === '0') {
      settings.push([ofParent, '1']);
      this.#parents.set(link.parent, before);
    }
    const refused = settings.flatMap(([path, value]) => {
      const error = sysctls.write(path, value);
      return error === undefined ? [] : [`net/${path}=${value} (${error})`];
    });
    if (refused.length > 0) onRefused(instance, `settings of ${link.name}`, refused.join(', '));
  }

  #note(operation: LinkOperation, result: NetlinkResult | undefined): void {
    if (operation.kind === 'prepare' && result?.ok === true) this.#see(operation.index);
    const isStale = result?.ok === false && STALE.includes(result.errno);
    this.#isStale ||= isStale;
    if (result?.ok === true || isStale) {
      // A fight with somebody who undoes it is not fought without a pause.
      this.#pace.fought(paceKey(operation), this.#options.clock.monotonic());
      return;
    }
    const words = result?.text === undefined ? '' : `: ${result.text}`;
    this.#refuse(operation, `the kernel says ${result?.errno ?? 'ETIMEDOUT'}${words}`);
  }

  /** The kernel tells of a new alias only where the link is up (do_setlink of net/core/rtnetlink.c). */
  #see(index: number): void {
    const { view } = this.#options;
    const link = view.links().find((each) => each.index === index);
    if (link !== undefined) view.take({ kind: 'link', link: { ...link, alias: LINK_ALIAS }, gone: false });
  }

  #refuse(operation: LinkOperation, why: string): void {
    const name = nameOf(operation);
    this.#pace.refused(paceKey(operation), this.#options.clock.monotonic());
    if (this.#troubles.has(name) || operation.kind === 'remove') return;
    this.#troubles.set(name, why);
    this.#options.onRefused(operation.wanted.instance, `virtual MAC link ${name}`, why);
  }
}
