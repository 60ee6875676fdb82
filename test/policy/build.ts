/** A service and its book, driven by words. */
import type { CheckRule, RemarkChange, VerdictChange } from '../../src/checks/model.js';
import type { Config, FallbackServer, ServerConfig, ServiceConfig } from '../../src/config/model.js';
import { epochMillis, millis } from '../../src/core/units.js';
import { destText } from '../../src/ipvs/keys.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { type Outcome, PolicyBook } from '../../src/policy/book.js';
import type { AdminEntry, Instant } from '../../src/policy/model.js';
import type { PolicyNews } from '../../src/policy/news.js';
import { change, config, dest, service, serviceConfig } from '../ipvs/build.js';

/** `web` with one server for each of the weights: 192.0.2.11, .12 ... */
export function web(weights: readonly number[], more: Partial<ServiceConfig> = {}): ServiceConfig {
  const servers = weights.map((weight, index) => dest(`192.0.2.${11 + index}`, { weight }));
  return { ...serviceConfig('web', service(), servers), ...more };
}

/** A server whose only check has another rule. */
export function withRule(server: ServerConfig, rule: Partial<CheckRule>): ServerConfig {
  const [check] = server.checks;
  return { ...server, checks: [{ ...check, rule: { ...check.rule, ...rule } }] };
}

/** A server of a fallback: 192.0.2.`last`. */
export function spare(last: number, checked = false): FallbackServer {
  const [server] = serviceConfig('web', service(), [dest(`192.0.2.${last}`)]).servers;
  if (server === undefined) throw new Error('no server');
  return checked ? server : { ...server, checks: [], needed: 0 };
}

export function admin(state: AdminEntry['state'], weight?: number): AdminEntry {
  return entry({ state, weight });
}

/** A word of the operator, but for what `more` says. */
export function entry(more: Partial<AdminEntry>): AdminEntry {
  const by = more.source ?? 'operator';
  return {
    source: 'operator',
    state: 'enabled',
    weight: undefined,
    since: epochMillis(0),
    deadline: undefined,
    finish: 'drained',
    by,
    reason: undefined,
    ...more,
  };
}

export const idOf = (last: number): string => `web/192.0.2.${last}:80`;

const lastOf = (name: string): string => name.slice('192.0.2.'.length, -':80'.length);

function newsText(news: PolicyNews): string {
  switch (news.kind) {
    case 'verdict':
      return `${lastOf(news.server.name)} ${news.change.verdict}`;
    case 'degraded':
      return `${lastOf(news.server.name)} ${news.warning === undefined ? 'recovered' : `degraded: ${news.warning}`}`;
    case 'quorum':
      return `quorum ${news.standing.quorum}`;
    case 'cold-start':
      return `assumed ${news.servers.map(({ name }) => name.slice('192.0.2.'.length, -':80'.length)).join(' ')}`;
    case 'fallback':
      return `tier ${news.standing.tier ?? 'none'}`;
    case 'rail-held':
    case 'rail-released':
      return `${news.kind} ${news.rail} ${news.servers.map(({ name }) => lastOf(name)).join(',')}`;
    case 'mass-failure':
    case 'mass-failure-over':
      return `${news.kind} ${news.state.failing} of ${news.state.of}`;
    case 'minimum':
      return `minimum ${news.standing.serving} of ${news.standing.minimum}`;
    case 'admin':
      return `${news.server.name.slice('192.0.2.'.length, -':80'.length)} ${news.what}`;
  }
}

export class Desk {
  readonly book = new PolicyBook();
  #now = 1_000_000;

  constructor(...services: readonly ServiceConfig[]) {
    this.book.configure(config(...services), this.at());
  }

  at(): Instant {
    return { now: millis(this.#now), wall: epochMillis(this.#now) };
  }

  /** Verdicts of one turn: `up 11`, `down 12`. @returns the news */
  verdicts(...words: readonly string[]): readonly string[] {
    return this.changes(
      words.map((word) => {
        const [verdict, last] = word.split(' ');
        return change(idOf(Number(last)), verdict === 'up' ? 'up' : 'down', 'unknown');
      }),
    );
  }

  /** Any changes of one turn. @returns the news */
  changes(changes: readonly VerdictChange[]): readonly string[] {
    return this.#told(this.book.verdict(changes, this.at()));
  }

  /** What checks say beside their verdicts. @returns the news */
  remarks(...remarks: readonly RemarkChange[]): readonly string[] {
    return this.#told(this.book.remark(remarks, this.at()));
  }

  administer(last: number, entry: AdminEntry | undefined): readonly string[] {
    const source = entry?.source ?? 'operator';
    return this.#told(this.book.administer([{ server: idOf(last), source, entry }], this.at()));
  }

  /**
   * A look at the table: servers by their last number, as `11:0 3/2/1` (weight, then active, inactive, persistent); who
   * is not named is not in the table. @returns the news
   */
  look(...servers: readonly string[]): readonly string[] {
    const dests = servers.map((text) => {
      const [, last, weight, active, inactive, persistent] =
        /^(\d+):(\d+) (\d+)\/(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
      const its = dest(`192.0.2.${last}`, { weight: weight ?? 0 });
      return {
        ...its,
        active: active ?? 0,
        inactive: inactive ?? 0,
        persistent: persistent ?? 0,
        stats: ZERO_STATS,
      };
    });
    const seen = {
      service: { ...service(), stats: ZERO_STATS },
      dests: new Map(dests.map((its) => [destText(its.key), its])),
    };
    const texts = [...this.book.draining.values()].flatMap((entries) => [...entries.keys()]);
    return this.#told(this.book.look(new Map(texts.map((text) => [text, seen])), this.at()));
  }

  reload(its: Config): readonly string[] {
    return this.book.configure(its, this.at()).map(newsText);
  }

  /** Lets time pass up to then, judging whenever something is due. @param then after each @returns how often */
  pass(ms: number, then?: () => void): number {
    return this.passTold(ms, then).length;
  }

  /** The same. @returns the news of every time */
  passTold(ms: number, then: () => void = () => undefined): readonly (readonly string[])[] {
    const end = this.#now + ms;
    const told: (readonly string[])[] = [];
    for (;;) {
      const { due } = this.book;
      if (due === undefined || due > end) break;
      this.#now = Math.max(this.#now, due);
      told.push(this.#told(this.book.tick(this.at())));
      then();
    }
    this.#now = end;
    return told;
  }

  /** `11:1 12:0 13:hold`; a server that is to be absent is left out. */
  wants(): string {
    const words: string[] = [];
    for (const desired of this.book.desired.values()) {
      for (const { want } of desired.servers.values()) {
        const last = want.dest.key.address.split('.').at(-1);
        if (want.kind === 'hold') words.push(`${last}:hold`);
        if (want.kind === 'present') words.push(`${last}:${want.dest.settings.weight}`);
      }
    }
    return words.join(' ');
  }

  /** Why a server stands as it does. */
  standing(last: number): string | undefined {
    return this.book.view().standings.get('web')?.servers.get(idOf(last))?.kind;
  }

  #told({ news }: Outcome): readonly string[] {
    return news.map(newsText);
  }
}
