/** Counts, by address, the servers that are well and those that fail: what tells a dead host from a dead network. Pure. */
import type { CheckId } from '../checks/model.js';
import type { Ip } from '../core/ip.js';
import type { Millis } from '../core/units.js';

/** Addresses. One host with many services counts once. */
export interface Counts {
  /** At least one of its checks began to fail of late. */
  readonly failing: number;
  /** At least one of these checks is down by now. */
  readonly down: number;
  /** Nothing fails, and not everything failed long ago. */
  readonly well: number;
}

/** `gone`: it failed too long ago to have failed with the others. */
type Condition = 'well' | 'failing' | 'down' | 'gone';

interface Entry {
  readonly address: Ip;
  condition: Condition;
}

/** The checks of one address by their condition. */
type Tally = Record<Condition, number>;

function conditionOf(tally: Tally): Condition {
  if (tally.down > 0) return 'down';
  if (tally.failing > 0) return 'failing';
  return tally.well > 0 ? 'well' : 'gone';
}

export class Census {
  readonly #checks = new Map<CheckId, Entry>();
  readonly #addresses = new Map<Ip, Tally>();
  readonly #count: Tally = { well: 0, failing: 0, down: 0, gone: 0 };
  /** Since when checks fail, the longest first. */
  readonly #since = new Map<CheckId, Millis>();

  get counts(): Counts {
    const { well, failing, down } = this.#count;
    return { failing: failing + down, down, well };
  }

  /** Checks that fail, or went down, of late. */
  failing(): Iterable<CheckId> {
    return this.#since.keys();
  }

  has(id: CheckId): boolean {
    return this.#since.has(id);
  }

  /** Takes a check in, or again with another address. */
  add(id: CheckId, address: Ip, isDown: boolean): void {
    this.drop(id);
    this.#checks.set(id, { address, condition: 'gone' });
    this.#tell(address, (tally) => {
      tally.gone += 1;
    });
    if (!isDown) this.#move(id, 'well');
  }

  drop(id: CheckId): void {
    const entry = this.#checks.get(id);
    if (entry === undefined) return;
    this.#checks.delete(id);
    this.#since.delete(id);
    this.#tell(entry.address, (tally) => {
      tally[entry.condition] -= 1;
    });
  }

  /** A probe failed, or the verdict is down. What fails already goes on failing since then. */
  fail(id: CheckId, isDown: boolean, now: Millis): void {
    const condition = this.#checks.get(id)?.condition;
    if (condition === undefined || condition === 'gone' || condition === 'down') return;
    if (condition === 'well') this.#since.set(id, now);
    this.#move(id, isDown ? 'down' : 'failing');
  }

  pass(id: CheckId): void {
    this.#since.delete(id);
    this.#move(id, 'well');
  }

  /** It is down for a reason of its own. */
  lose(id: CheckId): void {
    this.#since.delete(id);
    this.#move(id, 'gone');
  }

  /** What failed without a verdict is forgotten. */
  absolve(id: CheckId): void {
    if (this.#checks.get(id)?.condition === 'failing') this.pass(id);
  }

  /** What began to fail before then did not fail with what fails now. */
  expire(before: Millis): void {
    for (const [id, since] of this.#since) {
      if (since >= before) return;
      this.lose(id);
    }
  }

  #move(id: CheckId, condition: Condition): void {
    const entry = this.#checks.get(id);
    if (entry === undefined || entry.condition === condition) return;
    const was = entry.condition;
    entry.condition = condition;
    this.#tell(entry.address, (tally) => {
      tally[was] -= 1;
      tally[condition] += 1;
    });
  }

  /** Changes the tally of an address, and with it the count of addresses. */
  #tell(address: Ip, change: (tally: Tally) => void): void {
    const known = this.#addresses.get(address);
    const tally = known ?? { well: 0, failing: 0, down: 0, gone: 0 };
    if (known === undefined) this.#addresses.set(address, tally);
    else this.#count[conditionOf(tally)] -= 1;
    change(tally);
    if (tally.well + tally.failing + tally.down + tally.gone === 0) this.#addresses.delete(address);
    else this.#count[conditionOf(tally)] += 1;
  }
}
