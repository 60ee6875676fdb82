/** Gratuitous ARP and unsolicited neighbour advertisements of all instances, sent in small slices after the adverts. */
import { type Ip, ipFamily } from '../core/ip.js';
import type { Mac } from '../core/mac.js';
import type { Millis } from '../core/units.js';
import { arpProbe, gratuitousArp } from '../wire/arp.js';
import { neighborProbe, unsolicitedAdvertisement } from '../wire/ndp.js';
import {
  type Announcement,
  type Announcer,
  type AnnounceTarget,
  announcePutBack,
  askAround,
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

/** Frames that are kept: far more than a director has virtual IPs. */
const WRITTEN_MAX = 4096;

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

export class Announcing {
  readonly #options: AnnouncingOptions;
  /** By interface; those that have something to send, the one that waited longest first. */
  readonly #announcers = new Map<string, Announcer>();
  /** Gratuitous ARPs by what they say: each is sent ten times when its instance becomes master. */
  readonly #written = new Map<string, Uint8Array>();
  /** The earliest instant of all; `stale` where it has to be found anew. */
  #nextAt: Millis | undefined | 'stale';

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  #change(device: string, change: (announcer: Announcer) => Announcer): void {
    const announcer = change(this.#announcers.get(device) ?? newAnnouncer());
    this.#announcers.set(device, announcer);
    this.#nextAt = 'stale';
  }

  start(device: string, target: AnnounceTarget, cause: AnnounceCause, now: Millis): void {
    this.#change(device, (announcer) => startAnnouncing(announcer, target, cause, now));
  }

  putBack(device: string, target: AnnounceTarget, now: Millis): void {
    this.#change(device, (announcer) => announcePutBack(announcer, target, now));
  }

  /** Asks who else has the addresses, so many times a second apart. */
  ask(device: string, target: AnnounceTarget, times: number, now: Millis): void {
    this.#change(device, (announcer) => askAround(announcer, target, times, now));
  }

  stop(device: string, instance: string): void {
    if (this.#announcers.has(device))
      this.#change(device, (announcer) => stopAnnouncing(announcer, instance));
  }

  nextAt(): Millis | undefined {
    if (this.#nextAt !== 'stale') return this.#nextAt;
    let least: Millis | undefined;
    for (const announcer of this.#announcers.values()) {
      const at = nextAnnounceAt(announcer);
      if (at !== undefined && (least === undefined || at < least)) least = at;
    }
    this.#nextAt = least;
    return least;
  }

  /** Sends one slice of what is due, of all interfaces together. */
  send(now: Millis): void {
    const nextAt = this.nextAt();
    if (nextAt === undefined || nextAt > now) return;
    let room = SLICE_MAX;
    for (const [device, announcer] of this.#announcers) {
      if (room === 0) break;
      const taken = takeDue(announcer, now, room);
      if (taken.due.length === 0) continue;
      room -= taken.due.length;
      // Behind those that wait, and looked at again while there is room.
      this.#announcers.delete(device);
      this.#announcers.set(device, taken.announcer);
      this.#sendAll(device, taken.due);
    }
    this.#nextAt = 'stale';
  }

  #sendAll(device: string, due: readonly Announcement[]): void {
    const exit = this.#options.exitOf(device);
    if (exit === undefined) return;
    for (const each of due) {
      const frame = this.#frameFor(each, device, exit.mac);
      const result = this.#options.frames.send(exit.index, ipFamily(each.address), frame);
      if (result < 0 || !each.asks) this.#options.onSent(each.instance, result);
    }
  }

  #frameFor({ address, asks }: Announcement, device: string, mac: Mac): Uint8Array {
    if (ipFamily(address) === 'ipv4')
      return asks ? arpProbe(address, mac) : this.#gratuitousArp(address, mac);
    if (asks) return neighborProbe(address, mac);
    return unsolicitedAdvertisement(address, mac, this.#options.forwards(device));
  }

  #gratuitousArp(address: Ip, mac: Mac): Uint8Array {
    const key = `${address} ${mac}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    if (this.#written.size >= WRITTEN_MAX) this.#written.clear();
    const frame = gratuitousArp(address, mac);
    this.#written.set(key, frame);
    return frame;
  }
}
