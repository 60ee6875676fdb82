/**
 * Is a message for this instance, and sound? RFC 5798 7.1, RFC 9568 7.1 with its errata, RFC 3768 7.1.
 * What is not is counted by one reason of a closed list and changes nothing.
 */
import { type Ip, isLinkLocal } from '../core/ip.js';
import { type EpochMillis, type Millis, millis } from '../core/units.js';
import { isReplay, isStale, type ReplayMarks, remember } from './hmac.js';
import type { AdvertEvent, Auth, HmacRule, InstanceConfig } from './model.js';
import type { Envelope, Received, Rest, VrrpMessage } from './packet.js';

/** Every reason to discard a message, and what it means to an operator. */
export const DISCARD_REASONS = {
  'own-address': 'it comes from our own address: looped back, or a second host has the address',
  sender: 'its sender is not a configured peer',
  destination: 'it was sent to another address or group than the instance listens on',
  hops: 'its TTL or hop limit is not what the same link gives: it came through a router, or is forged',
  version: 'it is of another version than the instance',
  type: 'it is no advertisement',
  incomplete: 'it ends before the fields or addresses that it says it has',
  'too-long': 'it goes on behind its last address, for example with a signature that is not configured here',
  checksum: 'its checksum is wrong in every form',
  vrid: 'no instance of this interface has its virtual router id',
  'auth-type': 'it uses another kind of authentication than the instance',
  password: 'its password is another',
  unsigned: 'it is not signed, and the instance wants a signature',
  'bad-trailer': 'its signature is of an unknown type',
  stale: 'its signature is of another time: check the clocks of both directors',
  'unknown-key': 'it is signed with a key that is not configured here',
  forged: 'its signature is wrong: another key under the same id, or forged',
  replayed: 'its signature was seen before: recorded and sent again',
  interval: 'its interval is not ours, and version 2 wants them equal',
  'no-interval': 'its interval is 0, which would make every backup a master at once',
  'no-addresses': 'it carries no virtual IP',
} as const;

export type DiscardReason = keyof typeof DISCARD_REASONS;

/** What is odd about a message that is accepted all the same. */
export type Oddity =
  /** Version 3: another interval than ours is configured at the sender. */
  | 'other-interval'
  /** The virtual IPs are not those of the instance. */
  | 'other-addresses'
  /** RFC 9568 erratum 8300: the first address of IPv6 should be link-local. */
  | 'first-not-link-local';

/** A message as it arrived, read but not judged. */
export interface Arrival {
  readonly envelope: Envelope;
  readonly received: Received;
}

/** What judging needs of the instance besides its configuration. */
export interface Receiver {
  readonly config: InstanceConfig;
  /** The address that our own adverts come from. */
  readonly source: Ip | undefined;
  readonly marks: ReplayMarks;
}

/** Makes and compares the MAC of the message in hand; called at most once, and only for a fresh sequence. */
export type CheckSignature = () => 'good' | 'wrong' | 'unknown-key';

export type Judgement =
  | {
      readonly kind: 'accepted';
      readonly advert: AdvertEvent;
      readonly oddities: readonly Oddity[];
      /** To be kept in place of the receiver's. */
      readonly marks: ReplayMarks;
    }
  | { readonly kind: 'discarded'; readonly reason: DiscardReason };

const ADVERTISEMENT = 1;
const TRAILER_HMAC = 1;
const MULTICAST_HOPS = 255;
const AUTH_NONE = 0;
const AUTH_PASSWORD = 1;
const CENTI = 10;
const SECOND = 1000;

type Refusal = DiscardReason | undefined;

function checkEnvelope({ config, source }: Receiver, envelope: Envelope): Refusal {
  const { cast } = config;
  if (envelope.source === source) return 'own-address';
  if (cast.kind === 'multicast') {
    if (envelope.destination !== cast.group) return 'destination';
    return envelope.hops === MULTICAST_HOPS ? undefined : 'hops';
  }
  const peer = cast.peers.find(({ address }) => address === envelope.source);
  if (envelope.destination !== cast.source) return 'destination';
  if (peer === undefined) return cast.checkSource ? 'sender' : undefined;
  return envelope.hops >= peer.hopsMin && envelope.hops <= peer.hopsMax ? undefined : 'hops';
}

/** Version 2 alone has these; RFC 3768 7.1. */
function checkAuthentication(auth: Auth, message: VrrpMessage): Refusal {
  if (message.version === 3) return undefined;
  const expected = auth.kind === 'password' ? AUTH_PASSWORD : AUTH_NONE;
  if (message.authType !== expected) return 'auth-type';
  if (auth.kind !== 'password') return undefined;
  // All eight bytes, whichever differs first.
  const difference = auth.data.reduce((sum, byte, at) => sum | (byte ^ (message.authData[at] ?? 0)), 0);
  return difference === 0 ? undefined : 'password';
}

function checkInterval(interval: Millis, message: VrrpMessage): Refusal {
  if (intervalOf(message) === 0) return 'no-interval';
  return message.version === 2 && intervalOf(message) !== interval ? 'interval' : undefined;
}

function checkMessage({ config }: Receiver, message: VrrpMessage): Refusal {
  if (message.version !== config.rule.version) return 'version';
  if (message.type !== ADVERTISEMENT) return 'type';
  if (message.vrid !== config.vrid) return 'vrid';
  // RFC 9568 erratum 8299. Version 2 does not forbid it.
  if (message.version === 3 && message.addresses.length === 0) return 'no-addresses';
  return checkAuthentication(config.auth, message) ?? checkInterval(config.rule.interval, message);
}

function checkTrailer(
  rule: HmacRule,
  { rest, source }: { readonly rest: Rest; readonly source: Ip },
  marks: ReplayMarks,
  wall: EpochMillis,
  check: CheckSignature,
): Refusal {
  if (rest.kind !== 'trailer') return rule.mode === 'enforce' ? 'unsigned' : undefined;
  const { type, reserved, sequence } = rest.trailer;
  if (type !== TRAILER_HMAC || reserved !== 0) return 'bad-trailer';
  if (isStale(rule, sequence, wall)) return 'stale';
  const checked = check();
  if (checked !== 'good') return checked === 'wrong' ? 'forged' : 'unknown-key';
  return isReplay(rule, marks, source, sequence, wall) ? 'replayed' : undefined;
}

function checkRest(
  receiver: Receiver,
  arrival: Arrival,
  rest: Rest,
  wall: EpochMillis,
  check: CheckSignature,
): Refusal {
  const { auth } = receiver.config;
  if (rest.kind === 'other' || (rest.kind === 'trailer' && auth.kind !== 'hmac')) return 'too-long';
  if (auth.kind !== 'hmac') return undefined;
  const { source } = arrival.envelope;
  return checkTrailer(auth.rule, { rest, source }, receiver.marks, wall, check);
}

function intervalOf(message: VrrpMessage): Millis {
  return millis(message.version === 2 ? message.intervalSeconds * SECOND : message.intervalCentis * CENTI);
}

function sameAddresses(mine: readonly Ip[], theirs: readonly Ip[]): boolean {
  if (mine.length !== theirs.length) return false;
  if (mine.every((address, at) => address === theirs[at])) return true;
  const known = new Set(mine);
  return theirs.every((address) => known.has(address));
}

function odditiesOf({ rule, addresses, family }: InstanceConfig, message: VrrpMessage): Oddity[] {
  const odd: Oddity[] = [];
  if (intervalOf(message) !== rule.interval) odd.push('other-interval');
  if (!sameAddresses(addresses, message.addresses)) odd.push('other-addresses');
  const first = message.addresses[0];
  if (family === 'ipv6' && first !== undefined && !isLinkLocal(first)) odd.push('first-not-link-local');
  return odd;
}

function marksAfter({ config, marks }: Receiver, source: Ip, rest: Rest): ReplayMarks {
  if (rest.kind !== 'trailer') return marks;
  const peers = config.cast.kind === 'unicast' ? config.cast.peers.length : 0;
  return remember(marks, source, rest.trailer.sequence, peers);
}

/**
 * Judges one message of an interface for one instance. `wall` is compared with the time of signatures alone.
 * Pure but for `check`, which the caller binds to the bytes.
 */
export function judgeAdvert(
  receiver: Receiver,
  arrival: Arrival,
  wall: EpochMillis,
  check: CheckSignature,
): Judgement {
  const { envelope, received } = arrival;
  const refusal = checkEnvelope(receiver, envelope);
  if (refusal !== undefined) return { kind: 'discarded', reason: refusal };
  if (received.kind === 'unknown-version') return { kind: 'discarded', reason: 'version' };
  if (received.kind === 'incomplete') return { kind: 'discarded', reason: 'incomplete' };
  const { message, rest } = received;
  const reason =
    (received.checksum === 'wrong' ? 'checksum' : undefined) ??
    checkMessage(receiver, message) ??
    checkRest(receiver, arrival, rest, wall, check);
  if (reason !== undefined) return { kind: 'discarded', reason };
  const { source } = envelope;
  return {
    kind: 'accepted',
    advert: { kind: 'advert', priority: message.priority, interval: intervalOf(message), source },
    oddities: odditiesOf(receiver.config, message),
    marks: marksAfter(receiver, source, rest),
  };
}
