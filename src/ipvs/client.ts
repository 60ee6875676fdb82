/** The kernel's IPVS table over generic netlink. Which bytes say what is codec.ts; what errors mean is failure.ts. */
import { assert } from '../core/assert.js';
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import type { OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import type { WritePayload } from '../netlink/exchange.js';
import { failureOf } from '../netlink/failure.js';
import { GenlFamily } from '../netlink/genl.js';
import { NETLINK } from '../wire/netlink.js';
import {
  destsRequest,
  flushRequest,
  IPVS_FAMILY,
  infoRequest,
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
  writeOperation,
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

/** Written when it is sent, so that a request that cannot be written is that request's error: EINVAL. */
function late(request: () => Uint8Array): WritePayload {
  return (writer) => writer.raw(request());
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
   * as it goes. So nothing of ours changes the table meanwhile, but for what `between` does between two services; what
   * others change shows in the next dump. Services of protocols that IPVS does not balance are left out.
   */
  dump(between?: () => Promise<void>): Promise<ObservedTable> {
    return between === undefined
      ? this.#command('dump', () => this.#dumpWhole())
      : this.#dumpInPieces(between);
  }

  async #dumpWhole(): Promise<ObservedTable> {
    const table = new Map<string, ObservedService>();
    for (const service of await this.#services())
      table.set(serviceText(service.key), await this.#withDests(service));
    return table;
  }

  async #dumpInPieces(between: () => Promise<void>): Promise<ObservedTable> {
    const table = new Map<string, ObservedService>();
    for (const service of await this.#command('dump', () => this.#services())) {
      table.set(serviceText(service.key), await this.#command('dump', () => this.#withDests(service)));
      await between();
    }
    return table;
  }

  async #services(): Promise<readonly ServiceSeen[]> {
    const services = await this.#family.dump(serviceRequest(), readServiceAnswer);
    return services.filter((service) => service !== undefined);
  }

  read(key: ServiceKey): Promise<ObservedService | undefined> {
    return this.#command('read', async () => {
      try {
        const service = await this.#family.ask(
          late(() => serviceRequest(key)),
          readServiceAnswer,
        );
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
    const payloads = operations.map((operation) => (writer: ByteWriter) => writeOperation(writer, operation));
    const results = await this.#command('apply', () => this.#family.batch(payloads));
    return results.map((result, index) => {
      const operation = operations[index];
      assert(operation !== undefined, 'a batch has one result for each request');
      return result.ok ? result : refusal(operation, result.errno, result.text);
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
  #change(command: TableCommand, request: () => Uint8Array): Promise<void> {
    return this.#command(command, () => this.#family.acknowledge(late(request)));
  }
}
