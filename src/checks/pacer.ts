/** Keeps the probes of one worker within their budget: by longer intervals, and by turning back what comes too early. */
import { type Millis, millis } from '../core/units.js';
import { rateOf, serverOf, stretchOf } from './budget.js';
import type { Check, Pace } from './model.js';

/** What a pacer keeps with each check. */
export interface Paced {
  readonly check: Check;
  /** How many times as long as configured its intervals are. */
  stretch: number;
  /** That of its server; undefined: nothing limits that. */
  bucket: Bucket | undefined;
  /** It was turned back, and stands in the queue of its bucket. */
  waits: boolean;
}

/**
 * What may come at once, as time: probes have a grid of their own each, and meet by chance. With less of it a check would
 * wait at every turn for one that happens to stand beside it.
 */
const TOLERANCE = 100;

/** Lets probes through at a steady rate (a leaky bucket, as the generic cell rate algorithm of ATM has it). */
export class Bucket {
  /** Probes per second that are wanted, while that is summed up. */
  wanted = 0;
  /** Probes that were turned back and will come again. */
  waiting = 0;
  #gap = 0;
  #tolerance = 0;
  #next = Number.NEGATIVE_INFINITY;
  #takenAt = 0;

  /** What was let through before counts on, at the new rate. @param rate probes per second */
  setRate(rate: number): void {
    const gap = 1000 / rate;
    if (this.#gap > 0) this.#next = this.#takenAt + ((this.#next - this.#takenAt) * gap) / this.#gap;
    this.#gap = gap;
    this.#tolerance = Math.max(TOLERANCE, this.#gap);
  }

  /** When the next probe may begin, monotonic. */
  get opensAt(): number {
    return this.#next - this.#tolerance;
  }

  /** A probe begins. */
  take(now: Millis): void {
    this.#next = Math.max(this.#next, now) + this.#gap;
    this.#takenAt = now;
  }

  /**
   * A probe comes too early.
   * @param isFirst its turn has come, but for a moment; else it waits behind those that wait already
   * @returns how long it waits
   */
  queue(now: Millis, isFirst: boolean): Millis {
    const opens = Math.max(this.opensAt, now);
    const delay = opens - now + (isFirst ? 0 : this.waiting * this.#gap);
    this.waiting += 1;
    return millis(delay);
  }
}

/** What a worker may do is its share by what its checks want. */
export class Pacer {
  #pace: Pace | undefined;
  #all: Bucket | undefined;
  #servers = new Map<string, Bucket>();

  /** Sets the pace for checks that are put from now on; `follow` makes it hold for all. */
  set(pace: Pace | undefined): void {
    this.#pace = pace;
  }

  /** What a check that begins now is stretched by. */
  stretchOf(check: Check): number {
    return stretchOf(this.#pace, check);
  }

  /** Takes the checks there are now into account, all of them. */
  follow(items: Iterable<Paced>): void {
    const pace = this.#pace;
    if (pace === undefined && this.#all === undefined && this.#servers.size === 0) return;
    const before = this.#servers;
    this.#servers = new Map();
    let wanted = 0;
    for (const item of items) {
      item.stretch = stretchOf(pace, item.check);
      item.waits = false;
      item.bucket = pace && this.#bucketFor(item, pace, before);
      wanted += rateOf(item.check.rule) / (item.stretch * Math.min(1, pace?.all ?? 1));
    }
    for (const [server, bucket] of this.#servers)
      bucket.setRate(bucket.wanted * (pace?.servers.get(server) ?? 1));
    this.#all = pace?.all === undefined || wanted === 0 ? undefined : (this.#all ?? new Bucket());
    this.#all?.setRate(wanted * (pace?.all ?? 1));
  }

  #bucketFor({ check }: Paced, pace: Pace, before: ReadonlyMap<string, Bucket>): Bucket | undefined {
    const server = serverOf(check);
    if (!pace.servers.has(server)) return undefined;
    let bucket = this.#servers.get(server);
    if (bucket === undefined) {
      // It goes on counting where it was.
      bucket = before.get(server) ?? new Bucket();
      bucket.wanted = 0;
      bucket.waiting = 0;
      this.#servers.set(server, bucket);
    }
    bucket.wanted += rateOf(check.rule);
    return bucket;
  }

  /** Before this instant, monotonic, nothing begins. */
  get opensAt(): number {
    return this.#all?.opensAt ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * A probe is due, and `opensAt` is past.
   * @returns how long it has to wait for its server's sake; 0: it begins, and is counted
   */
  begin(item: Paced, now: Millis): Millis {
    const hasWaited = item.waits;
    this.forget(item);
    const { bucket } = item;
    // Who comes later never takes the turn of one that waits: that one might wait for ever.
    if (bucket !== undefined && (bucket.opensAt > now || (!hasWaited && bucket.waiting > 0))) {
      item.waits = true;
      return bucket.queue(now, hasWaited);
    }
    bucket?.take(now);
    this.#all?.take(now);
    return millis(0);
  }

  /** It does not wait any more. */
  forget(item: Paced): void {
    if (!item.waits) return;
    item.waits = false;
    if (item.bucket !== undefined) item.bucket.waiting -= 1;
  }
}
