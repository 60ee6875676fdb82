/** A generic netlink family over a connection: its number is looked up, and looked up again when it has changed. */
import type { LvsError } from '../core/errors.js';
import { GENL_ID_CTRL, readFamily, writeFamilyRequest } from '../wire/genetlink.js';
import type { NetlinkConnection } from './conn.js';
import type { NetlinkResult, Payload, ReadPayload } from './exchange.js';
import { failureOf } from './failure.js';

const isMissing = (result: NetlinkResult | undefined): boolean =>
  result?.ok === false && result.errno === 'ENOENT';

/**
 * Payloads here begin with genlmsghdr. The kernel answers ENOENT to a family that is gone, as it may to a command; so
 * after ENOENT the family is looked up afresh, and the command is repeated once if it has another number by now.
 * Everything rejects with `absent()` where the kernel has no such family.
 */
export class GenlFamily {
  readonly #conn: NetlinkConnection;
  readonly #name: string;
  readonly #absent: () => LvsError;
  #id: number | undefined;

  constructor(conn: NetlinkConnection, name: string, absent: () => LvsError) {
    this.#conn = conn;
    this.#name = name;
    this.#absent = absent;
  }

  /** As `NetlinkConnection.ask`. */
  ask<Value>(payload: Payload, read: ReadPayload<Value>): Promise<Value> {
    return this.#withFamily((type) => this.#conn.ask({ type, payload }, read));
  }

  /** As `NetlinkConnection.acknowledge`. */
  acknowledge(payload: Payload): Promise<void> {
    return this.#withFamily((type) => this.#conn.acknowledge({ type, payload }));
  }

  /** As `NetlinkConnection.dump`. */
  dump<Value>(payload: Payload, read: ReadPayload<Value>): Promise<Value[]> {
    return this.#withFamily((type) => this.#conn.dump({ type, payload }, read));
  }

  /** As `NetlinkConnection.batch`. Requests that found the family gone are repeated once, in their order. */
  async batch(payloads: readonly Payload[]): Promise<NetlinkResult[]> {
    if (payloads.length === 0) return [];
    const type = this.#id ?? (await this.#lookUp());
    const results = await this.#batchAs(type, payloads);
    if (!results.some(isMissing)) return results;
    const fresh = await this.#lookUp();
    if (fresh === type) return results;
    const missing = payloads.filter((_, index) => isMissing(results[index]));
    const again = (await this.#batchAs(fresh, missing)).values();
    return results.map((result) => (isMissing(result) ? (again.next().value ?? result) : result));
  }

  #batchAs(type: number, payloads: readonly Payload[]): Promise<NetlinkResult[]> {
    return this.#conn.batch(payloads.map((payload) => ({ type, payload })));
  }

  async #withFamily<Value>(command: (type: number) => Promise<Value>): Promise<Value> {
    const type = this.#id ?? (await this.#lookUp());
    try {
      return await command(type);
    } catch (thrown) {
      if (failureOf(thrown)?.errno !== 'ENOENT') throw thrown;
      const fresh = await this.#lookUp();
      if (fresh === type) throw thrown;
      return await command(fresh);
    }
  }

  /** Asks the kernel, which loads the family's module if it can. */
  async #lookUp(): Promise<number> {
    const request = { type: GENL_ID_CTRL, payload: writeFamilyRequest(this.#name) };
    try {
      const { id } = await this.#conn.ask(request, readFamily);
      this.#id = id;
      return id;
    } catch (thrown) {
      if (failureOf(thrown)?.errno !== 'ENOENT') throw thrown;
      this.#id = undefined;
      throw this.#absent();
    }
  }
}
