/** What the book holds at one moment. Copied when somebody looks, or when the book changes: most are never looked at. */
import type { CheckId } from '../checks/model.js';
import type { ServerHealth } from '../world.js';
import type { ServerAdmin, ServerId, ServiceStanding } from './model.js';

/** The maps of the book itself. */
interface Live {
  readonly health: ReadonlyMap<CheckId, ServerHealth>;
  readonly admin: ReadonlyMap<ServerId, ServerAdmin>;
  /** By the name of the service. */
  readonly pages: ReadonlyMap<string, { readonly judgement: { readonly standing: ServiceStanding } }>;
}

export class BookView {
  readonly #live: Live;
  #health: ReadonlyMap<CheckId, ServerHealth> | undefined;
  #admin: ReadonlyMap<ServerId, ServerAdmin> | undefined;
  #standings: ReadonlyMap<string, ServiceStanding> | undefined;

  constructor(live: Live) {
    this.#live = live;
  }

  /** By check; every check of the configuration has an entry. */
  get health(): ReadonlyMap<CheckId, ServerHealth> {
    this.#health ??= new Map(this.#live.health);
    return this.#health;
  }

  /** Servers of which something is said. */
  get admin(): ReadonlyMap<ServerId, ServerAdmin> {
    this.#admin ??= new Map(this.#live.admin);
    return this.#admin;
  }

  /** By the name of the service. */
  get standings(): ReadonlyMap<string, ServiceStanding> {
    this.#standings ??= new Map(
      [...this.#live.pages].map(([name, { judgement }]) => [name, judgement.standing]),
    );
    return this.#standings;
  }

  /** Takes what nobody has looked at, before it changes. */
  keep(): void {
    void [this.health, this.admin, this.standings];
  }
}
