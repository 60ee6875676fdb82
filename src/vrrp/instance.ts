/** One virtual router at work: its state, its adverts, what it heard, what it counts. */
import type { DueItem } from '../core/heap.js';
import { type Ip, ipFamily } from '../core/ip.js';
import { type EpochMillis, type Millis, millis } from '../core/units.js';
import { readVrrp, VRRP_HOPS, writeVrrp } from '../wire/vrrp.js';
import { checkTrailer, type Hmac, signVrrp } from '../wire/vrrp-trailer.js';
import { type DiscardReason, type Judgement, judgeAdvert, type Oddity } from './accept.js';
import { advertOf } from './advert.js';
import type { DebounceState } from './debounce.js';
import { LatenessMeter } from './digest.js';
import { nextDeadline } from './fsm.js';
import { nextSequence, type ReplayMarks } from './hmac.js';
import type {
  Observation,
  PriorityReport,
  Rival,
  Role,
  RoleCause,
  Standing,
  VrrpEffect,
  VrrpState,
} from './model.js';
import type { Envelope } from './packet.js';
import { effectivePriority } from './priority.js';
import type { RouterConfig, RouterStatus, Squatter } from './status.js';
import { initialVrrp } from './transitions.js';
import { Unable } from './unable.js';

/** One message and where it goes: the group, or each peer. */
export interface Outgoing {
  readonly envelope: Envelope;
  readonly payload: Uint8Array;
}

/** An effect that keeps its place behind changes of the virtual IPs. */
export type QueuedEffect = Exclude<VrrpEffect, { kind: 'send-advert' }>;

function countOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export class Instance implements DueItem {
  dueAt: Millis = millis(0);
  place = -1;
  state: VrrpState;
  /** Effects that wait for the virtual IPs to be in place, or gone. */
  readonly waiting: QueuedEffect[] = [];
  /** The link that its adverts go through, out and in: that of its virtual MAC while it is up, else its interface. */
  wire: string;
  working = false;
  /** Settles when nothing waits any more. */
  work: Promise<void> = Promise.resolve();
  since: EpochMillis;
  cause: RoleCause | undefined;
  /** Whose packets were complained of, for which reason, and when last. */
  readonly complaints = new Map<string, Millis>();
  /** Errors, and rivals, that were told since the last change of role. */
  readonly told = new Set<string>();
  readonly lateness = new LatenessMeter();
  readonly counters = {
    sent: 0,
    sendErrors: 0,
    received: 0,
    becameMaster: 0,
    putBack: 0,
    announced: 0,
    mirrored: 0,
  };
  readonly discarded = new Map<DiscardReason, number>();
  readonly odd = new Map<Oddity, number>();
  readonly unable = new Unable();
  readonly observations = new Map<string, Observation>();
  /** Its own link and the tracked ones, by name. */
  readonly links = new Map<string, DebounceState>();
  /** Of all that is heard, resignations too. */
  heard: Rival | undefined;
  #marks: ReplayMarks = [];
  #sequence = 0n;
  #config: RouterConfig;
  #hmac: Hmac;
  #ready:
    | { readonly priority: number; readonly source: Ip; readonly messages: readonly Outgoing[] }
    | undefined;

  constructor(config: RouterConfig, hmac: Hmac, standing: Standing, wall: EpochMillis) {
    this.#config = config;
    this.#hmac = hmac;
    this.wire = config.instance.interface;
    this.state = initialVrrp(standing);
    this.since = wall;
  }

  get config(): RouterConfig {
    return this.#config;
  }

  /** Where its virtual IPs are announced. */
  get devices(): ReadonlySet<string> {
    return new Set(this.#config.addresses.map(({ device }) => device));
  }

  get name(): string {
    return this.#config.instance.name;
  }

  /** The same virtual router with other settings. */
  reconfigure(config: RouterConfig, hmac: Hmac): void {
    this.#config = config;
    this.#hmac = hmac;
    this.#ready = undefined;
    this.unable.forget();
    this.complaints.clear();
  }

  /** The priority as it is now, and how it came about. */
  priority(): PriorityReport {
    const { instance, tracks } = this.#config;
    const tracked = tracks.map((track) => {
      const seen = this.observations.get(`${track.kind} ${track.name}`) ?? ({ kind: 'unknown' } as const);
      return { track, seen };
    });
    return effectivePriority(instance.priority, tracked);
  }

  deadline(): Millis | undefined {
    return nextDeadline(this.state);
  }

  /** What has to be sent to say `priority`: one message to the group, or one to each peer. Empty without a source. */
  adverts(priority: number, wall: EpochMillis): readonly Outgoing[] {
    const { source } = this.state.standing;
    if (source === undefined) return [];
    if (this.#ready?.priority === priority && this.#ready.source === source) return this.#ready.messages;
    const messages = this.#destinations().map((destination) =>
      this.#write(priority, { source, destination, hops: VRRP_HOPS }, wall),
    );
    // A signed advert is good for once: its sequence number has to grow.
    if (this.#config.instance.auth.kind !== 'hmac') this.#ready = { priority, source, messages };
    return messages;
  }

  #destinations(): readonly Ip[] {
    const { cast } = this.#config.instance;
    return cast.kind === 'multicast' ? [cast.group] : cast.peers.map(({ address }) => address);
  }

  #write(priority: number, envelope: Envelope, wall: EpochMillis): Outgoing {
    const { auth, checksum } = this.#config.instance;
    const payload = writeVrrp(advertOf(this.#config.instance, priority), envelope, checksum);
    if (auth.kind !== 'hmac' || auth.rule.mode === 'receive-only') return { envelope, payload };
    this.#sequence = nextSequence(auth.rule, this.#sequence, wall);
    const key = { keyId: auth.rule.activeKey, sequence: this.#sequence };
    return { envelope, payload: signVrrp(payload, envelope, key, this.#hmac) };
  }

  /** Whether packets of this destination can be for it: unicast and multicast instances share a socket. */
  listensTo(envelope: Envelope): boolean {
    const { cast, family } = this.#config.instance;
    if (ipFamily(envelope.source) !== family) return false;
    return cast.kind === 'unicast' || cast.group === envelope.destination;
  }

  /** Judges a packet that carries its id; keeps the marks against replay and counts. */
  judge(envelope: Envelope, payload: Uint8Array, wall: EpochMillis): Judgement {
    const { instance } = this.#config;
    const receiver = { config: instance, source: this.state.standing.source, marks: this.#marks };
    const arrival = { envelope, received: readVrrp(payload, envelope) };
    const judgement = judgeAdvert(receiver, arrival, wall, () => checkTrailer(payload, envelope, this.#hmac));
    if (judgement.kind === 'accepted') {
      this.counters.received += 1;
      this.#marks = judgement.marks;
      for (const oddity of judgement.oddities) countOne(this.odd, oddity);
    } else countOne(this.discarded, judgement.reason);
    return judgement;
  }

  /** Notes the change of role that was just made. */
  enter(to: Role, cause: RoleCause, wall: EpochMillis): void {
    this.since = wall;
    this.cause = cause;
    this.told.clear();
    if (to === 'master') this.counters.becameMaster += 1;
  }

  /** @param squatters who else has its virtual IPs */
  status(squatters: readonly Squatter[]): RouterStatus {
    const { standing } = this.state;
    return {
      name: this.name,
      role: this.state.kind,
      since: this.since,
      cause: this.cause,
      source: standing.source,
      faults: standing.faults,
      priority: this.priority(),
      heard: this.heard,
      squatters,
      counters: {
        ...this.counters,
        discarded: Object.fromEntries(this.discarded),
        odd: Object.fromEntries(this.odd),
      },
      lateness: this.lateness.read(),
    };
  }
}
