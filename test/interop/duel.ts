/** Two directors of one virtual router on a stage, and what the observer can say of them. */
import type { Test } from 'tap';
import type { Seen } from './capture.js';
import {
  addressOf,
  type Mode,
  otherOf,
  type Peer,
  type Running,
  type Seat,
  type Settings,
} from './peers/model.js';
import { Stage } from './stage.js';

export type Host = Seat['host'];

/** A director of the duel. */
export interface Player extends Seat {
  readonly peer: Peer;
  readonly mac: string;
}

const HOSTS = ['a', 'b'] as const;

interface Claim {
  /** Who is master, on the observer's side of the network. */
  readonly master: Host;
  readonly why: string;
  /** What was seen before does not count. */
  readonly since: number;
  /** The other one is cut off from the observer: what it says is not heard. */
  readonly isOtherDeaf?: boolean;
  /** The other one was killed: it says nothing, but its machine still has the virtual IPs. */
  readonly isOtherDead?: boolean;
  /** It was master before and did not notice that it was alone. */
  readonly isUnaware?: boolean;
}

/** So many adverts in a row, with none of the other between them, are a master's. */
const SETTLED = 2;

export class Duel {
  readonly stage: Stage;
  readonly mode: Mode;
  readonly a: Player;
  readonly b: Player;
  readonly #running = new Map<Host, Running>();
  readonly #complaints: string[] = [];

  private constructor(stage: Stage, mode: Mode, a: Player, b: Player) {
    this.stage = stage;
    this.mode = mode;
    this.a = a;
    this.b = b;
  }

  /** A stage with a director of each kind, neither of them started. */
  static async build(mode: Mode, a: Peer, b: Peer): Promise<Duel> {
    const stage = await Stage.build(['a', 'b']);
    const player = (host: Host, peer: Peer): Player => {
      const seat = { stage, host, mode };
      return { ...seat, peer, mac: peer.macOf(seat) };
    };
    return new Duel(stage, mode, player('a', a), player('b', b));
  }

  get capture() {
    return this.stage.capture;
  }

  /** The virtual IP that the observer asks for. */
  get vip(): string {
    return this.mode.vips.at(-1)?.split('/')[0] ?? '';
  }

  async start(host: Host, settings: Settings): Promise<Running> {
    const running = await this[host].peer.start(this[host], settings);
    this.#running.set(host, running);
    return running;
  }

  async #end(host: Host, how: 'stop' | 'kill'): Promise<void> {
    const running = this.#running.get(host);
    this.#running.delete(host);
    await running?.[how]();
    this.#complaints.push(...(running?.complaints() ?? []).map((text) => `${this.#name(host)}: ${text}`));
  }

  stop(host: Host): Promise<void> {
    return this.#end(host, 'stop');
  }

  kill(host: Host): Promise<void> {
    return this.#end(host, 'kill');
  }

  /** What the programs that have ended found wrong with each other's packets, and tcpdump with both. */
  complaints(): readonly string[] {
    const unsound = this.capture.adverts(0).filter(({ sound }) => !sound);
    return [...this.#complaints, ...unsound.map((advert) => `tcpdump: ${JSON.stringify(advert)}`)];
  }

  #name(host: Host): string {
    return `${this[host].peer.name} (${host})`;
  }

  /** Until exactly these answer for the virtual IP, each with its MAC. */
  answersAre(expected: readonly Host[], why: string, deaf?: Host): Promise<void> {
    const reached = HOSTS.filter((host) => host !== deaf);
    const others = reached.map((host) => addressOf(host, this.mode.family));
    const wanted = expected.map((host) => `${host} ${this[host].mac}`);
    return this.stage.untilAnswers(wanted, this.vip, { others, why });
  }

  /** Waits until one is master and it alone, by what the observer hears and who answers it. */
  async masterIs(t: Test, { master, why, since, ...claim }: Claim): Promise<void> {
    const { isOtherDeaf, isOtherDead, isUnaware } = claim;
    const other = otherOf(master);
    const { stage, capture } = this;
    const text = `${this.#name(master)} is master, and it alone: ${why}`;
    const isSettled = (): boolean => {
      const claims = capture
        .adverts(since)
        .filter(({ from, priority }) => priority > 0 && !(isOtherDeaf === true && from === other));
      return claims.length >= SETTLED && claims.slice(-SETTLED).every(({ from }) => from === master);
    };
    await stage.until(text, isSettled);
    if (isUnaware !== true)
      await stage.until(
        `${this.#name(master)} announces ${this.vip}: ${why}`,
        () => this.announcements(since, master).length > 0,
      );
    const answering = isOtherDead === true ? [master, other] : [master];
    await this.answersAre(answering, why, isOtherDeaf === true ? other : undefined);
    t.pass(text);
  }

  announcements(since: number, host: Host): readonly Seen[] {
    return this.capture
      .about(since, 'announcement', this.vip)
      .filter(({ from, mac }) => from === host && mac === this[host].mac);
  }

  close(): Promise<void> {
    return this.stage.close();
  }
}
