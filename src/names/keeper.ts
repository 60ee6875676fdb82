/** Follows names: each is looked up again when its records are over, and what comes of it is handed on. */
import type { Ip } from '../core/ip.js';
import type { Clock, Entropy, Timer, Timers } from '../core/ports.js';
import { millis } from '../core/units.js';
import type { Addresses } from './effective.js';
import { guessedName, recalledName, stepName, UNKNOWN_NAME } from './follow.js';
import type {
  Lookup,
  NameNews,
  NameRule,
  NameState,
  NameView,
  Question,
  QuestionId,
  RememberedName,
} from './model.js';
import type { LookUp, RunningLookup } from './resolver.js';

/** Lookups at one time; the others wait for their turn. */
const LOOKUPS_MAX = 32;
/** Names are asked for up to this part of their time earlier, so that they are not all asked for at once. */
const JITTER = 0.1;

export interface NameKeeperOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly lookUp: LookUp;
  /** See NameMoment. */
  readonly mayGo: (id: QuestionId, gone: readonly Ip[], left: readonly Ip[]) => boolean;
  /** A lookup came to its end. Called after the state is as it is from now on. */
  readonly onStep: (view: NameView, news: readonly NameNews[]) => void;
}

/** One question at work. */
interface Followed {
  readonly id: QuestionId;
  readonly question: Question;
  state: NameState;
  timer: Timer | undefined;
  lookup: RunningLookup | undefined;
}

export class NameKeeper {
  readonly #options: NameKeeperOptions;
  #rule: NameRule | undefined;
  #names = new Map<QuestionId, Followed>();
  /** Due, and waiting for a place among the lookups. */
  readonly #waiting = new Set<Followed>();
  #running = 0;
  #isStarted = false;

  constructor(options: NameKeeperOptions) {
    this.#options = options;
  }

  /** Takes over what is asked. What is known of questions that stay is kept; new ones are asked at once. */
  configure(rule: NameRule, questions: ReadonlyMap<QuestionId, Question>): void {
    const isOther = JSON.stringify(rule) !== JSON.stringify(this.#rule);
    this.#rule = rule;
    const before = this.#names;
    this.#names = new Map();
    for (const [id, question] of questions) {
      const followed = before.get(id) ?? followedFor(id, question);
      this.#names.set(id, followed);
      if (this.#isStarted && (isOther || !before.has(id))) this.#ask(followed);
    }
    for (const [id, followed] of before) if (!this.#names.has(id)) this.#drop(followed);
    this.#next();
  }

  /** What another run knew, or what the table tells. Nothing that is known better is changed. */
  recall(
    remembered: ReadonlyMap<QuestionId, RememberedName>,
    guessed: ReadonlyMap<QuestionId, readonly Ip[]>,
  ): void {
    for (const [id, followed] of this.#names) {
      if (followed.state.source !== 'nowhere') continue;
      const known = remembered.get(id);
      const addresses = guessed.get(id);
      if (known !== undefined) followed.state = recalledName(known);
      else if (addresses !== undefined) followed.state = guessedName(addresses);
    }
  }

  /** Asks for everything that is configured. */
  start(): void {
    this.#isStarted = true;
    for (const followed of this.#names.values()) this.#ask(followed);
    this.#next();
  }

  close(): void {
    this.#isStarted = false;
    for (const followed of this.#names.values()) this.#drop(followed);
  }

  /** The addresses that are in force. */
  get addresses(): Addresses {
    return { get: (id) => this.#addressesOf(this.#names.get(id)) };
  }

  /** In the order of the configuration. */
  views(): readonly NameView[] {
    return [...this.#names.values()].map(viewOf);
  }

  #addressesOf(followed: Followed | undefined): readonly Ip[] | undefined {
    if (followed === undefined || followed.state.addresses.length === 0) return undefined;
    return followed.state.addresses.map(({ address }) => address);
  }

  #drop(followed: Followed): void {
    followed.timer?.cancel();
    this.#waiting.delete(followed);
    if (followed.lookup === undefined) return;
    followed.lookup.cancel();
    followed.lookup = undefined;
    this.#running -= 1;
  }

  #ask(followed: Followed): void {
    this.#drop(followed);
    this.#waiting.add(followed);
  }

  #next(): void {
    for (const followed of this.#waiting) {
      if (this.#running >= LOOKUPS_MAX) return;
      this.#waiting.delete(followed);
      this.#lookUp(followed);
    }
  }

  #lookUp(followed: Followed): void {
    const rule = this.#rule;
    if (rule === undefined) return;
    this.#running += 1;
    followed.lookup = this.#options.lookUp(followed.question, rule, (lookup) => {
      followed.lookup = undefined;
      this.#running -= 1;
      this.#step(followed, rule, lookup);
      this.#next();
    });
  }

  #step(followed: Followed, rule: NameRule, lookup: Lookup): void {
    const { clock, timers, entropy, mayGo, onStep } = this.#options;
    const moment = {
      now: clock.monotonic(),
      wall: clock.wall(),
      mayGo: (gone: readonly Ip[], left: readonly Ip[]) => mayGo(followed.id, gone, left),
    };
    const { state, next, news } = stepName(followed.state, lookup, rule, moment);
    followed.state = state;
    const delay = millis(next * (1 - JITTER * entropy.uniform()));
    followed.timer = timers.after(delay, () => {
      this.#ask(followed);
      this.#next();
    });
    onStep(viewOf(followed), news);
  }
}

function followedFor(id: QuestionId, question: Question): Followed {
  return { id, question, state: UNKNOWN_NAME, timer: undefined, lookup: undefined };
}

function viewOf({ question, state }: Followed): NameView {
  return { ...question, ...state };
}
