/** The kernel's IPVS table over generic netlink. Which bytes say what is codec.ts; what errors mean is failure.ts. */
import { assert } from '../core/assert.js';
import { LvsError } from '../core/errors.js';
import type { OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import { failureOf } from '../netlink/failure.js';
import { GenlFamily } from '../netlink/genl.js';
import { NETLINK } from '../wire/netlink.js';
import {
  destsRequest,
  flushRequest,
  IPVS_FAMILY,
  infoRequest,
  operationRequest,
  readDestAnswer,
  readInfoAnswer,
  readServiceAnswer,
  readSyncDaemonAnswer,
  readTimeoutsAnswer,
  serviceRequest,
  setTimeoutsRequest,
  startSyncDaemonRequest,
  stopSyncDaemonRequest,
  syncDaemonsRequest,
  timeoutsRequest,
  zeroRequest,
} from './codec.js';
import { commandError, refusal, type TableCommand } from './failure.js';
import { destText, serviceFamily, serviceText } from './keys.js';
import type {
  DestSeen,
  IpvsInfo,
  IpvsTable,
  ObservedService,
  ObservedTable,
  Operation,
  OperationResult,
  ServiceKey,
  ServiceSeen,
  SyncDaemon,
  SyncRole,
  Timeouts,
} from './model.js';

/** Operations that are encoded in one go: the event loop is held for a millisecond at most. */
const ENCODE_MAX = 256;

export interface IpvsClientOptions {
  readonly openNetlink: OpenNetlink;
  readonly timers: Timers;
  readonly turns: Turns;
}

function absent(): LvsError {
  const advice = 'load it with `modprobe ip_vs`, or set `table: memory` to try lvsentry out';
  return new LvsError('IPVS_ABSENT', `this kernel has no IPVS: ${advice}`);
}

/** An error of a command, in the table's terms; what is in them already, and defects, stay as they are. */
function tableError(command: TableCommand, thrown: unknown): unknown {
  const failure = failureOf(thrown);
  if (failure !== undefined) return commandError(command, failure.errno, failure.text);
  if (thrown instanceof LvsError && (thrown.code === 'TRUNCATED' || thrown.code === 'MALFORMED')) {
    return commandError(command, 'EPROTO', thrown.message);
  }
  return thrown;
}

/** A request, or the reason why none can be written. */
function encode(write: () => Uint8Array): Uint8Array | string {
  try {
    return write();
  } catch (thrown) {
    if (thrown instanceof LvsError && thrown.code === 'MALFORMED') return thrown.message;
    throw thrown;
  }
}

export class IpvsClient implements IpvsTable {
  readonly kind = 'kernel';
  readonly #conn: NetlinkConnection;
  readonly #family: GenlFamily;
  /** Settles when the last use of the table in line is over. */
  #line: Promise<unknown> = Promise.resolve();

  /** Opens a socket in the network namespace of this thread. @throws NATIVE, NETLINK, PERMISSION */
  constructor({ openNetlink, timers, turns }: IpvsClientOptions) {
    this.#conn = new NetlinkConnection(openNetlink(NETLINK.GENERIC), timers, turns);
    this.#family = new GenlFamily(this.#conn, IPVS_FAMILY, absent);
  }

  info(): Promise<IpvsInfo> {
    return this.#command('info', () => this.#family.ask(infoRequest(), readInfoAnswer));
  }

  /**
   * The services, then the destinations of each: the kernel has no way to read both at once, and numbers its entries
   * as it goes. So nothing of ours changes the table meanwhile; what others change shows in the next dump.
   * Services of protocols that IPVS does not balance are left out.
   */
  dump(): Promise<ObservedTable> {
    return this.#command('dump', async () => {
      const table = new Map<string, ObservedService>();
      for (const service of await this.#family.dump(serviceRequest(), readServiceAnswer)) {
        if (service === undefined) continue;
        table.set(serviceText(service.key), await this.#withDests(service));
      }
      return table;
    });
  }

  read(key: ServiceKey): Promise<ObservedService | undefined> {
    return this.#command('read', async () => {
      try {
        const service = await this.#family.ask(serviceRequest(key), readServiceAnswer);
        return service === undefined ? undefined : await this.#withDests(service);
      } catch (thrown) {
        if (failureOf(thrown)?.errno === 'ESRCH') return undefined;
        throw thrown;
      }
    });
  }

  async #withDests(service: ServiceSeen): Promise<ObservedService> {
    const family = serviceFamily(service.key);
    const request = destsRequest(service.key);
    const dests = new Map<string, DestSeen>();
    for (const dest of await this.#family.dump(request, (payload) => readDestAnswer(payload, family))) {
      dests.set(destText(dest.key), dest);
    }
    return { service, dests };
  }

  /**
   * Sends the operations in batches. One that no request can carry (a port of 70000, forwarding `local`) is EINVAL
   * without asking the kernel. Where an answer was lost (ENOBUFS, ETIMEDOUT, EPROTO) the change may have been made.
   * @throws IPVS_ABSENT, and IPVS where the table was closed (rejects)
   */
  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    return await this.#command('apply', async () => {
      const results: OperationResult[] = [];
      for (let from = 0; from < operations.length; from += ENCODE_MAX) {
        for (const result of await this.#send(operations.slice(from, from + ENCODE_MAX)))
          results.push(result);
      }
      return results;
    });
  }

  async #send(operations: readonly Operation[]): Promise<OperationResult[]> {
    const requests = operations.map((operation) => encode(() => operationRequest(operation)));
    const payloads = requests.filter((request) => typeof request !== 'string');
    const answers = (await this.#family.batch(payloads)).values();
    return operations.map((operation, index) => {
      const request = requests[index];
      if (typeof request === 'string') return refusal(operation, 'EINVAL', request);
      const answer = answers.next().value;
      assert(answer !== undefined, 'a batch has one result for each request');
      return answer.ok ? answer : refusal(operation, answer.errno, answer.text);
    });
  }

  flush(): Promise<void> {
    return this.#change('flush', flushRequest);
  }

  zero(key?: ServiceKey): Promise<void> {
    return this.#change('zero', () => zeroRequest(key));
  }

  timeouts(): Promise<Timeouts> {
    return this.#command('timeouts', () => this.#family.ask(timeoutsRequest(), readTimeoutsAnswer));
  }

  setTimeouts(timeouts: Partial<Timeouts>): Promise<void> {
    return this.#change('set-timeouts', () => setTimeoutsRequest(timeouts));
  }

  syncDaemons(): Promise<readonly SyncDaemon[]> {
    return this.#command('sync-daemons', () => this.#family.dump(syncDaemonsRequest(), readSyncDaemonAnswer));
  }

  startSyncDaemon(daemon: SyncDaemon): Promise<void> {
    return this.#change('start-sync-daemon', () => startSyncDaemonRequest(daemon));
  }

  stopSyncDaemon(role: SyncRole): Promise<void> {
    return this.#change('stop-sync-daemon', () => stopSyncDaemonRequest(role));
  }

  close(): void {
    this.#conn.close();
  }

  /** One use of the table at a time: a dump must not meet our own changes, and the other way round. */
  #inLine<Value>(use: () => Promise<Value>): Promise<Value> {
    const done = this.#line.then(use);
    this.#line = done.catch(() => undefined);
    return done;
  }

  async #command<Value>(command: TableCommand, use: () => Promise<Value>): Promise<Value> {
    try {
      return await this.#inLine(use);
    } catch (thrown) {
      throw tableError(command, thrown);
    }
  }

  /** A command that is acknowledged; one that no request can carry is EINVAL without asking the kernel. */
  async #change(command: TableCommand, write: () => Uint8Array): Promise<void> {
    const payload = encode(write);
    if (typeof payload === 'string') throw commandError(command, 'EINVAL', payload);
    await this.#command(command, () => this.#family.acknowledge(payload));
  }
}
