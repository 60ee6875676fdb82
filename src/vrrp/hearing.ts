/** What has come on the sockets: whom it concerns, what it means, and what is told of what means nothing. */
import type { Ip } from '../core/ip.js';
import type { Clock } from '../core/ports.js';
import { seconds } from '../core/units.js';
import { peekVrid } from '../wire/vrrp.js';
import { DISCARD_REASONS } from './accept.js';
import type { Instance } from './instance.js';
import type { AdvertEvent } from './model.js';
import type { Envelope } from './packet.js';
import type { Roster } from './roster.js';
import type { VrrpSockets } from './sockets.js';
import type { Place, VrrpSocket } from './transport.js';

/** Packets of one socket that are taken before anything else gets its turn. */
const SLICE = 64;
/** Slices of one socket in a turn, before a silence is believed all the same: more than its buffer holds. */
const SLICES_MAX = 64;

/** Senders and reasons that are told of. A flood of forged senders is counted, not told. */
const TOLD_MAX = 64;
/** What goes on is told again after this, so that it does not get lost. */
const REMIND = seconds(3600);

export interface HearingOptions {
  readonly clock: Clock;
  readonly roster: Roster;
  readonly sockets: VrrpSockets;
  readonly give: (instance: Instance, advert: AdvertEvent) => void;
  readonly report: (instance: Instance, text: string) => void;
}

export class Hearing {
  readonly #options: HearingOptions;
  /** Slices that were taken of a socket in this turn; SLICES_MAX where nothing was left. */
  readonly #taken = new Map<VrrpSocket, number>();
  /** Packets of ids that no instance has there. */
  strangers = 0;

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  /** A new turn begins: what was empty may be so no more. */
  begin(): void {
    this.#taken.clear();
  }

  /** Takes one slice of what has come on a socket. */
  read(socket: VrrpSocket): void {
    const { place } = socket;
    const count = socket.drain(SLICE, (envelope, payload) => this.#take(place, envelope, payload));
    const slices = (this.#taken.get(socket) ?? 0) + 1;
    this.#taken.set(socket, count < SLICE ? SLICES_MAX : slices);
  }

  /** Takes one slice of what has come for an instance. @returns true where nothing is left, or too much */
  hear(instance: Instance): boolean {
    const { family } = instance.config.instance;
    const socket = this.#options.sockets.get(instance.wire, family);
    if (socket === undefined || (this.#taken.get(socket) ?? 0) >= SLICES_MAX) return true;
    this.read(socket);
    return false;
  }

  /** Every packet is counted: as received, by the reason why it is ignored, or as a stranger's. */
  #take(place: Place, envelope: Envelope, payload: Uint8Array): void {
    const vrid = peekVrid(payload);
    const device = place.parent ?? place.device;
    const instance = vrid === undefined ? undefined : this.#options.roster.find(place.family, device, vrid);
    // A link over the interface hears most of what the interface hears: it is taken once.
    if (instance === undefined ? place.parent !== undefined : instance.wire !== place.device) return;
    if (instance?.listensTo(envelope) === true) this.#judge(instance, envelope, payload);
    else this.strangers += 1;
  }

  #judge(instance: Instance, envelope: Envelope, payload: Uint8Array): void {
    const { clock, give } = this.#options;
    const judgement = instance.judge(envelope, payload, clock.wall());
    if (judgement.kind === 'accepted') {
      const { source, priority, interval } = judgement.advert;
      instance.heard = { source, priority, interval, heardAt: clock.monotonic() };
      if (judgement.oddities.includes('other-addresses')) this.#tellOther(instance, source);
      give(instance, judgement.advert);
      return;
    }
    const why = DISCARD_REASONS[judgement.reason];
    const text = `a packet of ${envelope.source} is ignored: ${why}`;
    this.#tell(instance, `${judgement.reason} ${envelope.source}`, text);
  }

  #tellOther(instance: Instance, source: Ip): void {
    const text = `${source} speaks for other virtual IPs under our id ${instance.config.instance.vrid}: give every virtual router its own id, and all directors the same addresses in \`addresses\``;
    this.#tell(instance, `other-addresses ${source}`, text);
  }

  #tell(instance: Instance, key: string, text: string): void {
    const { complaints } = instance;
    const now = this.#options.clock.monotonic();
    const told = complaints.get(key);
    if (told === undefined ? complaints.size >= TOLD_MAX : now - told < REMIND) return;
    complaints.set(key, now);
    this.#options.report(instance, text);
  }
}
