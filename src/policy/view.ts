/**
 * What the book holds at one moment. It looks into the book itself until that changes; copies are made only for those who
 * go on looking then.
 */
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
  #its: Live;
  #isHeld = false;

  constructor(live: Live) {
    this.#its = live;
  }

  /** By check; every check of the configuration has an entry. */
  get health(): Live['health'] {
    return this.#its.health;
  }

  /** Servers of which something is said. */
  get admin(): Live['admin'] {
    return this.#its.admin;
  }

  /** By the name of the service. */
  get standings(): Pick<ReadonlyMap<string, ServiceStanding>, 'get'> {
    const { pages } = this.#its;
    return { get: (name) => pages.get(name)?.judgement.standing };
  }

  /** Somebody looks for longer than until the book changes. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Called before the book changes. */
  leave(): void {
    if (!this.#isHeld) return;
    const { health, admin, pages } = this.#its;
    this.#its = { health: new Map(health), admin: new Map(admin), pages: new Map(pages) };
  }
}
