/**
 * Tells what happened: numbers it, logs it, and offers it to the alerts, one after the other. Of much at once a part is
 * told in each turn: thousands of servers that fail together are out of the table before all of it is told.
 */
import type { LvsEvent } from './alerts/model.js';
import type { Clock, Logger } from './core/ports.js';
import { finish, type Steps } from './core/steps.js';
import type { EpochMillis } from './core/units.js';
import { type Happening, LEVELS } from './describe.js';
import { beginInSlices, type Slicing } from './slices.js';

export interface VoiceOptions extends Slicing {
  readonly clock: Clock;
  readonly log: Logger;
  readonly offer: (event: LvsEvent) => void;
}

interface Untold {
  readonly at: EpochMillis;
  /** Put into words when its turn comes. */
  readonly happening: () => Happening;
}

export class Voice {
  readonly #options: VoiceOptions;
  #sequence = 0;
  #untold: Untold[] = [];
  /** Of those the first that was not told. */
  #next = 0;
  #isTelling = false;

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  /** Tells all of it, after what happened before. What is little is told when this returns. */
  tell(happenings: Iterable<() => Happening>): void {
    const at = this.#options.clock.wall();
    for (const happening of happenings) this.#untold.push({ at, happening });
    if (this.#isTelling) return;
    this.#isTelling = true;
    void beginInSlices(this.#tellAll(), this.#options);
  }

  /** Tells what is left, at once. */
  finish(): void {
    finish(this.#tellAll());
  }

  *#tellAll(): Steps<void> {
    for (let one = this.#untold[this.#next]; one !== undefined; one = this.#untold[this.#next]) {
      this.#next += 1;
      this.#say(one);
      yield;
    }
    this.#untold = [];
    this.#next = 0;
    this.#isTelling = false;
  }

  #say({ at, happening }: Untold): void {
    const { kind, service, server, message, facts = {} } = happening();
    this.#sequence += 1;
    const event: LvsEvent = { sequence: this.#sequence, at, kind, service, server, message, facts };
    const { message: text, facts: more, ...fields } = event;
    this.#options.log[LEVELS[kind]](Object.assign(fields, more), text);
    this.#options.offer(event);
  }
}
