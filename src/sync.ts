/** Between the VRRP thread and the sync keeper: the kernel's daemons take the role of the virtual router they follow. */
import type { Config } from './config/model.js';
import type { Timers } from './core/ports.js';
import { DRIFT_DONE, type Happening } from './describe.js';
import type { IpvsTable, SyncRule, SyncState } from './ipvs/model.js';
import type { DriftPolicy } from './ipvs/ownership.js';
import { type SyncStep, syncDaemonText, syncStepsText, wantedDaemons } from './ipvs/sync.js';
import { SyncKeeper, type SyncKeeperOptions, type SyncPreview } from './ipvs/sync-keeper.js';
import type { VrrpDigest } from './vrrp/status.js';

export interface SyncFollowerOptions {
  readonly table: IpvsTable;
  readonly timers: Timers;
  /** See SyncKeeperOptions. */
  readonly indexOf: SyncKeeperOptions['indexOf'];
  readonly onState: (state: SyncState | undefined) => void;
  readonly tell: (happening: Happening) => void;
}

function changeHappening(steps: readonly SyncStep[]): Happening {
  const words = steps.map(({ kind, daemon }) =>
    kind === 'start' ? `${syncDaemonText(daemon)} runs now` : `${daemon.role} was stopped`,
  );
  const started = steps.filter(({ kind }) => kind === 'start').map(({ daemon }) => daemon.role);
  return {
    kind: 'sync-role',
    message: `synchronisation of connections: ${words.join('; ')}`,
    facts: { started, steps },
  };
}

function driftHappening(steps: readonly SyncStep[], policy: DriftPolicy): Happening {
  return {
    kind: policy === 'accept' ? 'drift-accepted' : 'table-drift',
    message: `the sync daemons were changed by somebody else, ${DRIFT_DONE[policy]}: ${syncStepsText(steps)}`,
    facts: { policy, entries: steps.length, steps },
  };
}

function failureHappening(message: string): Happening {
  return {
    kind: 'table-error',
    message: `connections are not synchronised as they should be: ${message}`,
    facts: { subject: 'sync' },
  };
}

export class SyncFollower {
  readonly #keeper: SyncKeeper;
  #config: Pick<Config, 'sync' | 'resync' | 'ownership'> | undefined;
  #vrrp: VrrpDigest | undefined;

  constructor({ table, timers, indexOf, onState, tell }: SyncFollowerOptions) {
    this.#keeper = new SyncKeeper({
      table,
      timers,
      indexOf,
      events: {
        onState,
        onChanged: (steps) => tell(changeHappening(steps)),
        onDrift: (steps, policy) => tell(driftHappening(steps, policy)),
        onFailure: (message) => tell(failureHappening(message)),
      },
    });
  }

  /** After a new configuration. */
  configure(config: Pick<Config, 'sync' | 'resync' | 'ownership'>): void {
    this.#config = config;
    this.#keeper.govern(config.ownership.besideDrift.sync);
    this.#aim();
  }

  /** What a look would do now. @throws as `syncDaemons` of the table (rejects) */
  preview(): Promise<SyncPreview> {
    return this.#keeper.preview();
  }

  /** After the VRRP thread spoke, or died (undefined): then nobody knows the role, and what runs is left alone. */
  follow(vrrp: VrrpDigest | undefined): void {
    this.#vrrp = vrrp;
    this.#aim();
  }

  /** Lets the daemons take the last role that was told, then leaves them alone. */
  close(): Promise<void> {
    return this.#keeper.close();
  }

  #aim(): void {
    if (this.#config === undefined) return;
    const { sync, resync } = this.#config;
    if (sync === undefined) {
      this.#keeper.aim({ kind: 'ignore' }, resync);
      return;
    }
    const daemons = wantedDaemons(sync, this.#isMaster(sync));
    this.#keeper.aim(daemons === undefined ? { kind: 'watch' } : { kind: 'keep', daemons }, resync);
  }

  /** Everything but a master is a backup: at fault, before its start and after its end it hears what the master says. */
  #isMaster({ roles }: SyncRule): boolean | undefined {
    if (roles.kind === 'fixed') return undefined;
    const router = this.#vrrp?.routers.find(({ name }) => name === roles.instance);
    return router === undefined ? undefined : router.role === 'master';
  }
}
