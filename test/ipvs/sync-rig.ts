/** A sync keeper on a table that counts what it is asked, and can be made to fail or to wait. */
import { seconds } from '../../src/core/units.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { SyncDaemon, SyncState } from '../../src/ipvs/model.js';
import type { SyncStep } from '../../src/ipvs/sync.js';
import { SyncKeeper } from '../../src/ipvs/sync-keeper.js';
import { FakeTime } from '../fakes/time.js';
import { syncDaemon } from './build.js';

export const MASTER = syncDaemon('master');
export const BACKUP = syncDaemon('backup');
export const RESYNC = seconds(10);

const words = (steps: readonly SyncStep[]): string =>
  steps.map(({ kind, daemon }) => `${kind} ${daemon.role}`).join(', ');

class Kernel {
  /** The interfaces there are, by their indexes. */
  readonly indexes = new Map([
    ['eth1', 2],
    ['eth9', 9],
  ]);
  readonly table = new MemoryTable();
  /** Commands in their order, with the error they were answered with. */
  readonly commands: string[] = [];
  looks = 0;
  failLook: Error | undefined;
  /** Thrown instead of the command being done. */
  refuse: (command: string) => Error | undefined = () => undefined;
  /** Thrown though the command was done. */
  complain: (command: string) => Error | undefined = () => undefined;
  gate: Promise<void> | undefined;

  syncDaemons = async (): Promise<readonly SyncDaemon[]> => {
    this.looks += 1;
    await this.gate;
    if (this.failLook !== undefined) throw this.failLook;
    return this.table.syncDaemons();
  };

  startSyncDaemon = (daemon: SyncDaemon): Promise<void> =>
    this.#command(`start ${daemon.role}`, () => this.table.startSyncDaemon(daemon));

  stopSyncDaemon = (role: SyncDaemon['role']): Promise<void> =>
    this.#command(`stop ${role}`, () => this.table.stopSyncDaemon(role));

  async #command(name: string, run: () => Promise<void>): Promise<void> {
    const refused = this.refuse(name);
    this.commands.push(refused === undefined ? name : `${name}: ${refused.message}`);
    if (refused !== undefined) throw refused;
    await run();
    const complaint = this.complain(name);
    if (complaint !== undefined) throw complaint;
  }

  async roles(): Promise<string[]> {
    return (await this.table.syncDaemons()).map(({ role }) => role);
  }
}

export function setup(kernel = new Kernel()) {
  const time = new FakeTime();
  const told: string[] = [];
  const states: (SyncState | undefined)[] = [];
  const keeper = new SyncKeeper({
    table: kernel,
    timers: time,
    indexOf: async (name) => kernel.indexes.get(name),
    events: {
      onState: (state) => states.push(state),
      onChanged: (steps) => told.push(`changed: ${words(steps)}`),
      onDrift: (steps, policy) => told.push(`${policy === 'repair' ? 'drift' : policy}: ${words(steps)}`),
      onFailure: (message) => told.push(`failed: ${message}`),
    },
  });
  const keep = async (...daemons: SyncDaemon[]): Promise<void> => {
    keeper.aim({ kind: 'keep', daemons }, RESYNC);
    await keeper.settled();
  };
  return { kernel, time, told, states, keeper, keep };
}
