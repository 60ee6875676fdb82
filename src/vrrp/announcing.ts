/** Gratuitous ARP and unsolicited neighbour advertisements of all instances, sent in small slices after the adverts. */
import { type Ip, ipFamily } from '../core/ip.js';
import type { Mac } from '../core/mac.js';
import { type Millis, millis } from '../core/units.js';
import { gratuitousArp } from '../wire/arp.js';
import { unsolicitedAdvertisement } from '../wire/ndp.js';
import {
  type Announcer,
  type AnnounceTarget,
  announcePutBack,
  newAnnouncer,
  nextAnnounceAt,
  startAnnouncing,
  stopAnnouncing,
  takeDue,
} from './announce.js';
import type { AnnounceCause } from './model.js';
import type { FrameSocket } from './transport.js';

/** Packets in one slice: some 20 µs each. */
const SLICE_MAX = 16;

/** Where announcements of an interface go out. */
export interface Exit {
  readonly index: number;
  readonly mac: Mac;
}

export interface AnnouncingOptions {
  readonly frames: FrameSocket;
  /** Undefined while the interface is missing. */
  readonly exitOf: (device: string) => Exit | undefined;
  /** Whether this machine forwards IPv6 there: hosts drop a default router that says it is none. */
  readonly forwards: (device: string) => boolean;
  readonly onSent: (instance: string, result: number) => void;
}

function frameFor(address: Ip, mac: Mac, forwards: () => boolean): Uint8Array {
  return ipFamily(address) === 'ipv4'
    ? gratuitousArp(address, mac)
    : unsolicitedAdvertisement(address, mac, forwards());
}

export class Announcing {
  readonly #options: AnnouncingOptions;
  readonly #announcers = new Map<string, Announcer>();

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  #of(device: string): Announcer {
    return this.#announcers.get(device) ?? newAnnouncer(millis(0));
  }

  start(device: string, target: AnnounceTarget, cause: AnnounceCause, now: Millis): void {
    this.#announcers.set(device, startAnnouncing(this.#of(device), target, cause, now));
  }

  putBack(device: string, target: AnnounceTarget, now: Millis): void {
    this.#announcers.set(device, announcePutBack(this.#of(device), target, now));
  }

  stop(device: string, instance: string): void {
    this.#announcers.set(device, stopAnnouncing(this.#of(device), instance));
  }

  nextAt(): Millis | undefined {
    let least: Millis | undefined;
    for (const announcer of this.#announcers.values()) {
      const at = nextAnnounceAt(announcer);
      if (at !== undefined && (least === undefined || at < least)) least = at;
    }
    return least;
  }

  /** Sends one slice of what is due on every interface. */
  send(now: Millis): void {
    for (const [device, announcer] of this.#announcers) {
      const taken = takeDue(announcer, now, SLICE_MAX);
      if (taken.due.length === 0) continue;
      this.#announcers.set(device, taken.announcer);
      const exit = this.#options.exitOf(device);
      if (exit === undefined) continue;
      for (const { instance, address } of taken.due) {
        const frame = frameFor(address, exit.mac, () => this.#options.forwards(device));
        const result = this.#options.frames.send(exit.index, ipFamily(address), frame);
        this.#options.onSent(instance, result);
      }
    }
  }
}
