/**
 * When virtual IPs are announced, as data: bursts, the delayed bursts behind them and refreshes, with a spacing that
 * all instances of an interface share. The caller sends what is due in small slices, after its adverts.
 */
import type { Ip } from '../core/ip.js';
import { type Millis, millis, seconds } from '../core/units.js';
import type { AnnounceCause, AnnounceRule } from './model.js';

/** From one answer to a lower master to the next: one that does not hear us goes on speaking. */
const ANSWER_INTERVAL = seconds(1);
/** RFC 5227 1.1: PROBE_MIN. */
const PROBE_INTERVAL = seconds(1);

interface Job {
  readonly instance: string;
  /** `probe`: asks who else has an address. `answer`: to a lower master, with its second burst. */
  readonly kind: 'probe' | 'burst' | 'second' | 'answer' | 'refresh' | 'put-back';
  readonly addresses: readonly Ip[];
  /** Not before. */
  readonly at: Millis;
  /** Packets for each address in one run. */
  readonly repeat: number;
  /** Packets of this run that are sent. */
  readonly sent: number;
  /** From the start of one run to the next; undefined: one run. */
  readonly every: Millis | undefined;
  /** After each packet the interface is left alone for this long. */
  readonly spacing: Millis;
}

/** The announcements of one interface. */
export interface Announcer {
  /** No packet before. */
  readonly freeAt: Millis;
  readonly jobs: readonly Job[];
  /** By instance: a lower master is not answered before. */
  readonly answerAt: ReadonlyMap<string, Millis>;
}

export interface Announcement {
  readonly instance: string;
  readonly address: Ip;
  /** It does not say where the address is, but asks who has it. */
  readonly asks: boolean;
}

/** Whose addresses are to be announced. */
export interface AnnounceTarget {
  readonly instance: string;
  readonly addresses: readonly Ip[];
  readonly rule: AnnounceRule;
}

export function newAnnouncer(): Announcer {
  return { freeAt: millis(Number.NEGATIVE_INFINITY), jobs: [], answerAt: new Map() };
}

function without(announcer: Announcer, instance: string, kinds: readonly Job['kind'][]): readonly Job[] {
  return announcer.jobs.filter((job) => job.instance !== instance || !kinds.includes(job.kind));
}

function withJobs(announcer: Announcer, kept: readonly Job[], added: readonly Job[]): Announcer {
  const worth = added.filter(({ addresses, repeat }) => addresses.length > 0 && repeat > 0);
  return { ...announcer, jobs: [...kept, ...worth] };
}

function jobOf({ instance, addresses, rule }: AnnounceTarget, kind: Job['kind'], at: Millis): Job {
  const { repeat, spacing } = rule;
  return { instance, kind, addresses, at, repeat, sent: 0, every: undefined, spacing };
}

function bursts(
  target: AnnounceTarget,
  { repeat, delay }: { readonly repeat: number; readonly delay: Millis },
  now: Millis,
): Job[] {
  const burst: Job = { ...jobOf(target, 'burst', now), repeat };
  if (delay === 0) return [burst];
  return [burst, { ...burst, kind: 'second', at: millis(now + delay) }];
}

function refreshes(target: AnnounceTarget, now: Millis): Job[] {
  const { delay, refresh, refreshRepeat: repeat } = target.rule;
  if (refresh === 0) return [];
  return [{ ...jobOf(target, 'refresh', millis(now + delay + refresh)), repeat, every: refresh }];
}

/**
 * One burst and a second one, in place of those of the answer before. What becoming master began goes on beside it: its
 * second burst may come seconds too late for hosts that believe the lower master now.
 */
function answerLower(announcer: Announcer, target: AnnounceTarget, now: Millis): Announcer {
  const { instance, rule } = target;
  if (now < (announcer.answerAt.get(instance) ?? now)) return announcer;
  // The one that we took over from says a last time that it was master, often before our first packet is out.
  if (announcer.jobs.some((job) => job.instance === instance && job.kind === 'burst' && job.sent === 0))
    return announcer;
  const answer = bursts(target, { repeat: rule.lowerRepeat, delay: rule.lowerDelay }, now);
  const jobs = answer.map((job): Job => ({ ...job, kind: 'answer' }));
  const answerAt = new Map(announcer.answerAt).set(instance, millis(now + ANSWER_INTERVAL));
  return { ...withJobs(announcer, without(announcer, instance, ['answer']), jobs), answerAt };
}

/** Begins what an effect `announce` asks for; a lower master is answered once a second at most. */
export function startAnnouncing(
  announcer: Announcer,
  target: AnnounceTarget,
  cause: AnnounceCause,
  now: Millis,
): Announcer {
  if (cause === 'lower-master') return answerLower(announcer, target, now);
  const { instance, rule } = target;
  const kept = stopAnnouncing(announcer, instance).jobs;
  return withJobs(announcer, kept, [...bursts(target, rule, now), ...refreshes(target, now)]);
}

/** One burst for addresses that were taken away and are back, beside all that goes on. */
export function announcePutBack(announcer: Announcer, target: AnnounceTarget, now: Millis): Announcer {
  const { instance, addresses, rule } = target;
  const waiting = announcer.jobs.find((job) => job.instance === instance && job.kind === 'put-back');
  const all = [...new Set([...(waiting?.addresses ?? []), ...addresses])];
  const [burst] = bursts({ ...target, addresses: all }, { ...rule, delay: millis(0) }, now);
  const kept = without(announcer, instance, ['put-back']);
  return withJobs(announcer, kept, burst === undefined ? [] : [{ ...burst, kind: 'put-back' }]);
}

/**
 * Asks who else has the addresses, so many times a second apart, before anything else that is due. Answers that get lost,
 * or come from a master that is about to go, make more than one time necessary (RFC 5227 2.1.1).
 */
export function askAround(
  announcer: Announcer,
  target: AnnounceTarget,
  times: number,
  now: Millis,
): Announcer {
  const probes = Array.from({ length: times }, (_, at): Job => {
    return { ...jobOf(target, 'probe', millis(now + at * PROBE_INTERVAL)), repeat: 1 };
  });
  const kept = without(announcer, target.instance, ['probe']);
  return withJobs(announcer, [], target.addresses.length === 0 ? kept : [...probes, ...kept]);
}

/** Ends all announcements of an instance. */
export function stopAnnouncing(announcer: Announcer, instance: string): Announcer {
  return { ...announcer, jobs: announcer.jobs.filter((job) => job.instance !== instance) };
}

/** When `takeDue` has something to give; undefined: never, as things stand. */
export function nextAnnounceAt(announcer: Announcer): Millis | undefined {
  if (announcer.jobs.length === 0) return undefined;
  const first = announcer.jobs.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  return millis(Math.max(first, announcer.freeAt));
}

/** All addresses once, then all again: whoever missed one round hears the next. */
function slice(job: Job, count: number): Announcement[] {
  const { instance, addresses, sent } = job;
  return Array.from({ length: count }, (_, index) => {
    const address = addresses[(sent + index) % addresses.length];
    return address === undefined ? [] : [{ instance, address, asks: job.kind === 'probe' }];
  }).flat();
}

/** The job after `count` packets more; undefined where it is done. */
function advance(job: Job, count: number, now: Millis): Job | undefined {
  const sent = job.sent + count;
  if (sent < job.repeat * job.addresses.length) return { ...job, sent };
  if (job.every === undefined) return undefined;
  const next = job.at + job.every;
  return { ...job, sent: 0, at: millis(next > now ? next : now + job.every) };
}

/**
 * At most `limit` packets that are due; behind a packet of an instance with a spacing, none. A job that was not finished
 * stands behind the others afterwards, so that an instance with many addresses does not hold up one with few. Linear in
 * jobs and packets.
 */
export function takeDue(
  announcer: Announcer,
  now: Millis,
  limit: number,
): { readonly announcer: Announcer; readonly due: readonly Announcement[] } {
  if (now < announcer.freeAt) return { announcer, due: [] };
  const due: Announcement[] = [];
  const [waiting, served]: [Job[], Job[]] = [[], []];
  let [room, { freeAt }] = [limit, announcer];
  for (const job of announcer.jobs) {
    const left = job.repeat * job.addresses.length - job.sent;
    const count = job.at <= now ? Math.min(left, room, job.spacing > 0 ? 1 : limit) : 0;
    if (count === 0) {
      waiting.push(job);
      continue;
    }
    due.push(...slice(job, count));
    const next = advance(job, count, now);
    if (next !== undefined) served.push(next);
    room = job.spacing > 0 ? 0 : room - count;
    if (job.spacing > 0) freeAt = millis(now + job.spacing);
  }
  return { announcer: { ...announcer, jobs: [...waiting, ...served], freeAt }, due };
}
