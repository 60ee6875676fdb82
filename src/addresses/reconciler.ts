/**
 * Keeps the virtual IPs of all instances as their roles call for. Level-based: whatever happens, it reads what the kernel
 * told, compares, and repairs the difference; nothing is concluded from what it did itself.
 */
import type { Errno } from '../core/errno.js';
import { errorText } from '../core/errors.js';
import type { Ip } from '../core/ip.js';
import type { Clock, Timer, Timers } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import type { NetlinkResult } from '../netlink/exchange.js';
import type { AddressChange, AddressClient } from './client.js';
import { diffObjects, objectText } from './diff.js';
import type { Notice, ObjectOperation, ObjectWanted, VirtualAddress } from './model.js';
import { NetworkView } from './view.js';

/** One virtual IP of the configuration. */
export interface KeptAddress {
  readonly instance: string;
  readonly address: VirtualAddress;
  /** The interface has it with or without us. */
  readonly native: boolean;
}

export interface KeeperEvents {
  /** Links or addresses changed, by whomever. */
  onNetwork(): void;
  /** Somebody else took these away, and they are back. */
  onPutBack(instance: string, addresses: readonly Ip[]): void;
  /** The kernel refuses an address, or `undefined` where another host has it. Told once until it is there. */
  onRefused(instance: string, address: VirtualAddress, errno: string | undefined): void;
  /** The kernel could not be read; it is tried again. */
  onFailure(text: string): void;
}

export interface KeeperOptions {
  readonly client: AddressClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: KeeperEvents;
}

const RETRY_DELAY = millis(1000);
/** Between two put-backs, so that a fight with another program does not eat the thread. */
const PUT_BACK_GAP = millis(10);
/** Datagrams that are read before anything else gets its turn. */
const NOTICES_MAX = 1024;

/** What is done with the address is done: there already, or gone already. */
const DONE_ALREADY: Readonly<Record<'add' | 'remove', readonly Errno[]>> = {
  add: ['EEXIST'],
  remove: ['EADDRNOTAVAIL', 'ENODEV'],
};

type Change = Extract<ObjectOperation, { kind: 'add' | 'remove' }>;
type AddressOperation = Change & { readonly object: VirtualAddress };

function isAddress(operation: ObjectOperation): operation is AddressOperation {
  return (operation.kind === 'add' || operation.kind === 'remove') && operation.object.kind === 'address';
}

function succeeded({ kind }: Change, result: NetlinkResult | undefined): boolean {
  if (result === undefined || result.ok) return result !== undefined;
  return (DONE_ALREADY[kind] as readonly string[]).includes(result.errno);
}

export class AddressKeeper {
  readonly view = new NetworkView();
  readonly #options: KeeperOptions;
  #kept: readonly KeptAddress[] = [];
  readonly #masters = new Set<string>();
  /** What is in place by our doing: if it is missing, somebody took it away. */
  readonly #held = new Set<string>();
  readonly #refused = new Set<string>();
  #lost = true;
  #dirty = false;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #putBackAt = millis(Number.NEGATIVE_INFINITY);
  #closed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    options.client.onNotice(() => void this.look());
  }

  /** Replaces the set of virtual IPs; those of instances that are master are put in place. */
  configure(kept: readonly KeptAddress[]): void {
    this.#kept = kept;
  }

  /** Resolves when the kernel has what the instance's role calls for, or refused it. */
  async want(instance: string, want: 'present' | 'absent'): Promise<void> {
    if (want === 'present') this.#masters.add(instance);
    else this.#masters.delete(instance);
    await this.look();
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
        this.#options.events.onFailure(errorText(thrown));
        this.#again(RETRY_DELAY);
      }
    }
  }

  #again(delay: Millis): void {
    this.#retry?.cancel();
    this.#retry = this.#options.timers.after(delay, () => void this.look());
  }

  async #once(): Promise<void> {
    const { client } = this.#options;
    if (this.#lost) {
      this.#lost = false;
      this.view.reset(await client.links(), await client.addresses());
      this.#options.events.onNetwork();
    }
    if (!this.#drain()) {
      this.#dirty = true;
      if (this.#lost) return;
    }
    const operations = diffObjects(this.#wanted(), this.view.objects(), this.#held);
    this.#settle(operations);
    const wait = this.#fighting(operations);
    if (wait > 0) this.#again(wait);
    else await this.#perform(operations);
  }

  /** How long put-backs have to wait for the last one's gap. */
  #fighting(operations: readonly ObjectOperation[]): Millis {
    if (!operations.some((operation) => operation.kind === 'add' && operation.cause === 'put-back'))
      return millis(0);
    const now = this.#options.clock.monotonic();
    const wait = millis(this.#putBackAt + PUT_BACK_GAP - now);
    if (wait <= 0) this.#putBackAt = now;
    return wait;
  }

  /** @returns whether nothing is left to be read */
  #drain(): boolean {
    let news = false;
    const all = this.#options.client.drain(NOTICES_MAX, (notice: Notice) => {
      news = true;
      if (notice.kind === 'lost') this.#lost = true;
      else this.view.take(notice);
    });
    if (news && !this.#lost) this.#options.events.onNetwork();
    return all && !this.#lost;
  }

  #wanted(): ObjectWanted[] {
    return this.#kept.map(({ instance, address, native }) => {
      const want = this.#masters.has(instance) ? 'present' : 'absent';
      return { instance, object: address, want, native };
    });
  }

  /** What needs no change of the kernel. */
  #settle(operations: readonly ObjectOperation[]): void {
    for (const operation of operations) {
      const key = objectText(operation.object);
      if (operation.kind === 'adopt') this.#held.add(key);
      if (operation.kind === 'conflict') this.#refuse(operation.instance, operation.object, undefined);
    }
    for (const { instance, address } of this.#kept)
      if (!this.#masters.has(instance)) this.#held.delete(objectText(address));
  }

  async #perform(operations: readonly ObjectOperation[]): Promise<void> {
    const changes: AddressChange[] = [];
    const done: AddressOperation[] = [];
    for (const operation of operations) {
      if (!isAddress(operation)) continue;
      const link = this.view.link(operation.object.device);
      // Without its link there is no address to change; the instance has a fault for that.
      if (link === undefined) continue;
      changes.push({ kind: operation.kind, address: operation.object, index: link.index });
      done.push(operation);
    }
    if (changes.length === 0) return;
    const results = await this.#options.client.apply(changes);
    const back = new Map<string, Ip[]>();
    for (const [index, operation] of done.entries()) this.#note(operation, results[index], back);
    this.#drain();
    for (const [instance, addresses] of back) this.#options.events.onPutBack(instance, addresses);
  }

  #note(operation: AddressOperation, result: NetlinkResult | undefined, back: Map<string, Ip[]>): void {
    const { kind, object, cause } = operation;
    const key = objectText(object);
    if (!succeeded(operation, result)) {
      if (operation.instance !== undefined)
        this.#refuse(operation.instance, object, result?.ok === false ? result.errno : 'ETIMEDOUT');
      else this.#again(RETRY_DELAY);
      return;
    }
    if (kind === 'remove') {
      this.#held.delete(key);
      return;
    }
    this.#held.add(key);
    this.#refused.delete(key);
    if (cause !== 'put-back' || operation.instance === undefined) return;
    const known = back.get(operation.instance);
    if (known === undefined) back.set(operation.instance, [object.address]);
    else known.push(object.address);
  }

  #refuse(instance: string, object: ObjectOperation['object'], errno: string | undefined): void {
    this.#again(RETRY_DELAY);
    const key = objectText(object);
    if (object.kind !== 'address' || this.#refused.has(key)) return;
    this.#refused.add(key);
    this.#options.events.onRefused(instance, object, errno);
  }
}
