/** Where the contract suite runs: a table, and what surrounds it. */
import { saveLines } from '../../src/ipvs/ipvsadm.js';
import type { Dest, IpvsTable, Operation, OperationResult, Service } from '../../src/ipvs/model.js';
import type { Assertions } from './assertions.js';

export interface ContractPlace {
  /** The table of this place: empty, as the suite leaves it each time. */
  open(): Promise<IpvsTable>;
  readonly interfaces: {
    /** Up, with an MTU of 1500 and an address. */
    readonly up: string;
    readonly down: string;
  };
  /**
   * A service with one masqueraded server, through which `connect` opens a TCP connection that stays open until
   * `close`. Both resolve when the table counts it so.
   */
  readonly traffic: {
    readonly service: Service;
    readonly dest: Dest;
    connect(table: IpvsTable): Promise<void>;
    close(table: IpvsTable): Promise<void>;
  };
  /** What `ipvsadm -Sn` prints of the same table, line by line, where there is one. */
  readonly save?: () => readonly string[];
}

/** One subtest on an empty table. At its end the second reader must see what the table says. */
export async function onTable(
  t: Assertions,
  place: ContractPlace,
  name: string,
  body: (t: Assertions, table: IpvsTable) => Promise<void>,
): Promise<void> {
  await t.test(name, async (t) => {
    const table = await place.open();
    try {
      await body(t, table);
      await secondReader(t, place, table);
    } finally {
      await table.flush();
      for (const { role } of await table.syncDaemons()) await table.stopSyncDaemon(role);
      await table.setTimeouts({ tcp: 900, tcpFin: 120, udp: 300 });
      table.close();
    }
  });
}

/** `ipvsadm -Sn` prints this table, where there is an ipvsadm. */
async function secondReader(t: Assertions, place: ContractPlace, table: IpvsTable): Promise<void> {
  if (place.save === undefined) return;
  t.strictSame(place.save(), saveLines(await table.dump()), 'ipvsadm sees the same table');
}

/** The error names of results, 'ok' for those without. */
export function outcomes(results: readonly OperationResult[]): string[] {
  return results.map((result) => (result.ok ? 'ok' : result.errno));
}

/** Applies operations that must all succeed. */
export async function applyAll(t: Assertions, table: IpvsTable, ...operations: Operation[]): Promise<void> {
  const results = await table.apply(operations);
  const refused = results.flatMap((result) => (result.ok ? [] : [result.message]));
  t.strictSame(refused, [], `${operations.length} operations succeed`);
}
