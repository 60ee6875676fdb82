/**
 * Keeps the virtual IPs of all instances as their roles call for. Level-based: whatever happens, it reads what the kernel
 * told, compares, and repairs the difference; nothing is concluded from what it did itself.
 */
import type { Errno } from '../core/errno.js';
import { errorText } from '../core/errors.js';
import { ipFamily } from '../core/ip.js';
import type { Clock, Sysctls, Timer, Timers } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import type { NetlinkFailure } from '../netlink/failure.js';
import type { AddressClient, ObjectChange } from './client.js';
import { addressAdded } from './codec.js';
import { diffObjects } from './diff.js';
import type { LinkSeen, Notice, ObjectOperation, ObjectWanted, VirtualObject } from './model.js';
import { nameOf, objectText } from './names.js';
import { Pace } from './pace.js';
import { type Refusal, refusalText } from './texts.js';
import { NetworkView } from './view.js';
import { type KeptLink, VirtualLinks } from './virtual-links.js';

/** One virtual object of the configuration. */
export interface KeptObject {
  readonly instance: string;
  readonly object: VirtualObject;
  /** The interface has it with or without us. */
  readonly native: boolean;
  /** As in ObjectWanted. */
  readonly keepLast?: boolean;
}

/** Why objects are in place only now: somebody else took them away, or they were refused at first. */
export type RestoredCause = 'put-back' | 'late';

export interface KeeperEvents {
  /** Links or addresses changed, by whomever. */
  onNetwork(): void;
  /** These are in place again, or at last: hosts have to be told. */
  onRestored(instance: string, objects: readonly VirtualObject[], cause: RestoredCause): void;
  /** It cannot be in place, and why. Told once until it is; it is tried again every second. */
  onRefused(instance: string, what: string, why: string): void;
  /** The kernel could not be read; it is tried again. */
  onFailure(text: string): void;
}

export interface KeeperOptions {
  readonly client: AddressClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sysctls: Sysctls;
  readonly events: KeeperEvents;
}

const RETRY_DELAY = millis(1000);
/** Datagrams that are read before anything else gets its turn. */
const NOTICES_MAX = 1024;

/** What a removal is answered with when the object, or its link, is gone already: addresses, links, routes, rules. */
const GONE: readonly string[] = ['EADDRNOTAVAIL', 'ENODEV', 'ESRCH', 'ENOENT'] satisfies readonly Errno[];

/** Something of an instance that is master. */
type Owned = Pick<KeptObject, 'instance' | 'object'>;

interface Awaited extends Owned {
  /** The reason was told. */
  readonly told: boolean;
}

type Change = Extract<ObjectOperation, { kind: 'add' | 'remove' }>;

function isGone({ kind }: Change, { errno }: NetlinkFailure): boolean {
  return kind === 'remove' && GONE.includes(errno);
}

/** What a refused change is told as where no answer came. */
const SILENCE: NetlinkFailure = { ok: false, errno: 'ETIMEDOUT', text: undefined };

/**
 * Whether the kernel can have the object on this link now. Links that are down lose their IPv6 addresses and all their
 * routes.
 */
function isPossible({ kind, object }: Change, link: LinkSeen): boolean {
  if (kind === 'remove' || link.up) return true;
  return object.kind === 'address' && ipFamily(object.address) === 'ipv4';
}

/** The interface that an object cannot be without. */
function deviceOf(object: VirtualObject): string | undefined {
  return object.kind === 'rule' ? undefined : object.device;
}

export class AddressKeeper {
  readonly view = new NetworkView();
  readonly #options: KeeperOptions;
  readonly #links: VirtualLinks;
  #kept: readonly KeptObject[] = [];
  readonly #masters = new Set<string>();
  /** What is in place by our doing: if it is missing, somebody took it away. */
  readonly #held = new Set<string>();
  /** What cannot be used yet: refused, another host's, or under duplicate address detection. */
  readonly #awaited = new Map<string, Awaited>();
  readonly #pace = new Pace();
  #lost = true;
  /** Routes and rules have to be read anew. */
  #routesLost = true;
  /** Some are configured. */
  #hasRoutes = false;
  #dirty = false;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #retryAt: Millis | undefined;
  #closed = false;

  constructor(options: KeeperOptions) {
    const { client, clock, sysctls, events } = options;
    this.#options = options;
    const { view } = this;
    const onRefused = events.onRefused.bind(events);
    this.#links = new VirtualLinks({ client, clock, sysctls, view, onRefused });
    options.client.onNotice(() => void this.look());
  }

  /** Replaces the set of virtual objects and links. The next look puts those of masters in place. */
  configure(kept: readonly KeptObject[], links: readonly KeptLink[] = []): void {
    this.#kept = kept;
    this.#links.configure(links);
    this.#hasRoutes = kept.some(({ object }) => object.kind !== 'address');
    this.#routesLost ||= this.#hasRoutes;
    this.#pace.forgetAll();
  }

  /** Resolves when the kernel has what the instance's role calls for, or refused it. */
  async want(instance: string, want: 'present' | 'absent'): Promise<void> {
    if (want === 'present') this.#masters.add(instance);
    else this.#masters.delete(instance);
    // A new role is a new try.
    this.#links.retry(instance);
    for (const { instance: owner, object } of this.#kept)
      if (owner === instance) this.#pace.forget(objectText(object));
    await this.look();
  }

  /** Whether every address of an instance that is master was refused: there is nothing that it could serve. */
  hasNothing(instance: string): boolean {
    if (!this.#masters.has(instance)) return false;
    const own = this.#kept.filter((kept) => kept.instance === instance && kept.object.kind === 'address');
    const keys = own.map(({ object }) => objectText(object));
    return (
      keys.length > 0 && keys.every((key) => !this.#held.has(key) && this.#awaited.get(key)?.told === true)
    );
  }

  /** Why the virtual link of this name cannot be used. */
  linkTrouble(name: string): string | undefined {
    return this.#links.trouble(name);
  }

  /** Looks again, and repairs what is to be repaired. */
  look(): Promise<void> {
    this.#dirty = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#options.client.onNotice(undefined);
    this.#options.client.close();
  }

  async #run(): Promise<void> {
    // Whoever asks in the same turn is served by the same look.
    await Promise.resolve();
    while (this.#dirty && !this.#closed) {
      this.#dirty = false;
      try {
        await this.#once();
      } catch (thrown) {
        if (this.#closed) return;
        this.#lost = true;
        this.#routesLost = true;
        this.#options.events.onFailure(errorText(thrown));
        this.#again(RETRY_DELAY);
      }
    }
  }

  /** Looks again after `delay`, or before where that was asked for. */
  #again(delay: Millis): void {
    const at = millis(this.#options.clock.monotonic() + delay);
    if (this.#retryAt !== undefined && this.#retryAt < at) return;
    this.#retry?.cancel();
    this.#retryAt = at;
    this.#retry = this.#options.timers.after(delay, () => {
      this.#retryAt = undefined;
      void this.look();
    });
  }

  async #once(): Promise<void> {
    const { client } = this.#options;
    if (this.#lost) {
      this.#lost = false;
      this.view.reset(await client.links(), await client.addresses());
      this.#options.events.onNetwork();
    }
    this.#drain();
    // What was read is no picture of the kernel any more.
    if (this.#lost) return;
    if (await this.#stepLinks()) return;
    if (this.#routesLost) await this.#readRoutes();
    const seen = this.view.objects();
    const operations = diffObjects(this.#wanted(), seen, this.#held);
    const pending = seen.filter(({ tentative }) => tentative).map(({ object }) => objectText(object));
    this.#settle(operations, new Set(pending));
    await this.#perform(this.#due(operations));
  }

  /** Virtual links come before what is on them, and go down before it. @returns whether one was changed */
  async #stepLinks(): Promise<boolean> {
    const { changed, wait, stale, troubles } = await this.#links.step(this.#masters);
    this.#lost ||= stale;
    if (changed) this.#dirty = true;
    if (wait !== undefined) this.#again(wait);
    if (troubles) this.#options.events.onNetwork();
    return changed;
  }

  /**
   * The kernel does not tell of all routes that it drops: those of a link that goes down, and those from an address
   * that is removed, are gone without a word.
   */
  async #readRoutes(): Promise<void> {
    const { client } = this.#options;
    if (this.#hasRoutes) client.listenToRoutes();
    this.#routesLost = false;
    this.view.resetRoutes(await client.routes(), await client.rules());
  }

  /** Takes in what the kernel told. What was told has to be looked at. */
  #drain(): void {
    let news = false;
    const all = this.#options.client.drain(NOTICES_MAX, (notice: Notice) => {
      this.#routesLost ||= notice.kind === 'routes' || this.#hasRoutes || this.view.hasRoutes;
      if (notice.kind === 'routes') return;
      news = true;
      if (notice.kind === 'lost') this.#lost = true;
      else this.view.take(notice);
    });
    if (!all || this.#lost) this.#dirty = true;
    if (news && !this.#lost) this.#options.events.onNetwork();
  }

  #wanted(): ObjectWanted[] {
    return this.#kept.map((kept) => {
      const want = this.#masters.has(kept.instance) ? 'present' : 'absent';
      return { ...kept, want };
    });
  }

  /** What needs no change of the kernel. @param pending what the kernel has and may not use yet */
  #settle(operations: readonly ObjectOperation[], pending: ReadonlySet<string>): void {
    const open = new Set<string>();
    for (const operation of operations) {
      const key = objectText(operation.object);
      if (operation.kind === 'adopt') this.#held.add(key);
      else open.add(key);
    }
    for (const { instance, object } of this.#kept)
      if (!this.#masters.has(instance)) this.#held.delete(objectText(object));
    this.#await(open, pending);
  }

  /** Tells of what is in place at last. @param open keys of what is yet to be done */
  #await(open: ReadonlySet<string>, pending: ReadonlySet<string>): void {
    for (const { instance, object } of this.#kept) {
      const key = objectText(object);
      if (this.#held.has(key) && !this.#awaited.has(key) && pending.has(key))
        this.#awaited.set(key, { instance, object, told: false });
    }
    const late = new Map<string, VirtualObject[]>();
    for (const [key, { instance, object }] of this.#awaited) {
      if (open.has(key) || pending.has(key)) continue;
      this.#awaited.delete(key);
      if (this.#held.has(key)) late.set(instance, [...(late.get(instance) ?? []), object]);
    }
    for (const [instance, objects] of late) this.#options.events.onRestored(instance, objects, 'late');
  }

  /** The changes whose turn has come; for the rest it looks again in time. */
  #due(operations: readonly ObjectOperation[]): Change[] {
    const now = this.#options.clock.monotonic();
    const due: Change[] = [];
    let soonest = Number.POSITIVE_INFINITY;
    for (const operation of operations) {
      if (operation.kind === 'adopt') continue;
      const key = objectText(operation.object);
      const wait = this.#pace.wait(key, now);
      if (wait > 0) soonest = Math.min(soonest, wait);
      else if (operation.kind === 'conflict') due.push(...this.#contest(operation));
      else due.push(operation);
    }
    if (Number.isFinite(soonest)) this.#again(millis(soonest));
    return due;
  }

  /** Another host has the address. It is taken away and set again, so that the kernel looks whether this is still so. */
  #contest({ instance, object }: Extract<ObjectOperation, { kind: 'conflict' }>): Change[] {
    const isNew = this.#awaited.get(objectText(object))?.told !== true;
    this.#refuse({ instance, object }, undefined);
    if (isNew) return [];
    return ['remove', 'add'].map((kind) => ({ kind, instance, object, cause: 'changed' }) as Change);
  }

  /** The change as the client wants it; undefined while the link for it is missing or down. */
  #changeOf(operation: Change): ObjectChange | undefined {
    const { kind, object } = operation;
    const device = deviceOf(object);
    if (device === undefined || (kind === 'remove' && object.kind === 'route'))
      return { kind, object, index: undefined };
    const link = this.view.link(device);
    // The instance has a fault for that; the link's return is heard of.
    return link === undefined || !isPossible(operation, link)
      ? undefined
      : { kind, object, index: link.index };
  }

  async #perform(operations: readonly Change[]): Promise<void> {
    const now = this.#options.clock.monotonic();
    const changes: ObjectChange[] = [];
    const done: Change[] = [];
    for (const operation of operations) {
      const change = this.#changeOf(operation);
      if (change === undefined) continue;
      if (operation.kind === 'add' && operation.cause !== 'master')
        this.#pace.fought(objectText(operation.object), now);
      changes.push(change);
      done.push(operation);
    }
    if (changes.length === 0) return;
    const results = await this.#options.client.apply(changes);
    const back = new Map<string, VirtualObject[]>();
    for (const [at, change] of changes.entries()) {
      const operation = done[at];
      if (operation === undefined) continue;
      const result = results[at] ?? SILENCE;
      if (result.ok || isGone(operation, result)) this.#done(operation, change, back);
      else this.#notDone(operation, result);
    }
    for (const [instance, objects] of back) this.#options.events.onRestored(instance, objects, 'put-back');
    // What came of it is looked at like all else.
    this.#dirty = true;
  }

  /** @param back what was put back, by instance */
  #done(
    { kind, object, instance, cause }: Change,
    { index }: ObjectChange,
    back: Map<string, VirtualObject[]>,
  ): void {
    const key = objectText(object);
    if (object.kind !== 'address' || index === undefined) this.#routesLost = true;
    else this.view.take({ kind: 'address', address: addressAdded(object, index), gone: kind === 'remove' });
    if (kind === 'remove') {
      this.#held.delete(key);
      return;
    }
    this.#held.add(key);
    if (cause !== 'put-back' || instance === undefined || this.#awaited.has(key)) return;
    back.set(instance, [...(back.get(instance) ?? []), object]);
  }

  #notDone(operation: Change, result: NetlinkFailure): void {
    const { kind, object, instance } = operation;
    const key = objectText(object);
    const now = this.#options.clock.monotonic();
    if (kind === 'add' && object.kind === 'address' && result.errno === 'EEXIST') {
      // It is there, and was not seen. If that does not change there is no haste.
      this.#lost = true;
      this.#pace.fought(key, now);
    } else if (instance !== undefined) this.#refuse({ instance, object }, result);
    else this.#pace.refused(key, now);
  }

  #refuse({ instance, object }: Owned, refusal: Refusal | undefined): void {
    const key = objectText(object);
    this.#pace.refused(key, this.#options.clock.monotonic());
    if (this.#awaited.get(key)?.told === true) return;
    this.#awaited.set(key, { instance, object, told: true });
    const device = deviceOf(object);
    const link = device === undefined ? undefined : this.view.link(device);
    this.#options.events.onRefused(instance, nameOf(object), refusalText(object, refusal, link));
  }
}
