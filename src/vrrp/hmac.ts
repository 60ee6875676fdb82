/** Sequence numbers of keepalived 2.4's `auth_hmac`: time in 64 bits, which only ever grows. */
import type { Ip } from '../core/ip.js';
import type { EpochMillis } from '../core/units.js';
import type { HmacRule } from './model.js';

const SECOND = 1000;
const FRACTIONS = 65_536;

/** Senders of multicast whose last sequence is kept, as in keepalived: more than one speak only while they contend. */
const SENDERS_MIN = 4;

/** The last sequence of each sender; the one heard last stands last. */
export type ReplayMarks = readonly { readonly source: Ip; readonly sequence: bigint }[];

/** RFC 1982 serial numbers of 64 bits: whether `a` comes after `b`, across the wrap too. */
function isAfter(a: bigint, b: bigint): boolean {
  return BigInt.asIntN(64, a - b) > 0n;
}

/** Seconds in the upper 32 bits, 1/65536 of a second in the next 16, a counter of 0. */
function clockSequence(wall: EpochMillis): bigint {
  const whole = Math.floor(wall / SECOND);
  const fraction = Math.floor(((wall - whole * SECOND) * FRACTIONS) / SECOND);
  return (BigInt(whole % 2 ** 32) << 32n) | (BigInt(fraction) << 16n);
}

/** Milliseconds by which the time of a sequence is before (above 0) or after `wall`; a whole number of seconds. */
function ageOf(sequence: bigint, wall: EpochMillis): number {
  return ((Math.floor(wall / SECOND) - Number(sequence >> 32n)) | 0) * SECOND;
}

/** The sequence of our next advert; `last` is that of the one before, 0n at first. */
export function nextSequence(rule: HmacRule, last: bigint, wall: EpochMillis): bigint {
  const clock = clockSequence(wall);
  if (isAfter(clock, last)) return clock;
  // Our clock was set back. Receivers that compare times would refuse us until it is where it was: begin anew.
  if (rule.antiReplay === 'time' && -ageOf(last, wall) > rule.window) return clock;
  return BigInt.asUintN(64, last + 1n);
}

/** Whether a sequence is too far from our clock. Asked before the MAC is made, so that a flood costs little. */
export function isStale(rule: HmacRule, sequence: bigint, wall: EpochMillis): boolean {
  return rule.antiReplay === 'time' && Math.abs(ageOf(sequence, wall)) > rule.window;
}

/** Whether a signed sequence was seen already. A mark outside the window refuses nothing: its sender's clock was set. */
export function isReplay(
  rule: HmacRule,
  marks: ReplayMarks,
  source: Ip,
  sequence: bigint,
  wall: EpochMillis,
): boolean {
  const mark = marks.find((entry) => entry.source === source);
  if (mark === undefined || isStale(rule, mark.sequence, wall)) return false;
  return !isAfter(sequence, mark.sequence);
}

/** The marks after an advert was accepted. Room for `peers` senders, and never for fewer than four. */
export function remember(marks: ReplayMarks, source: Ip, sequence: bigint, peers: number): ReplayMarks {
  const others = marks.filter((entry) => entry.source !== source);
  return [...others, { source, sequence }].slice(-Math.max(SENDERS_MIN, peers));
}
