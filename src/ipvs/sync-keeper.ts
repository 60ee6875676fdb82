/**
 * Keeps the kernel's connection-synchronisation daemons as they are wanted. Level-based: it looks at what runs whenever
 * something else is wanted, at every resync, and after an error; what is right is left alone.
 */
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '../core/errors.js';
import type { Timers } from '../core/ports.js';
import type { Millis } from '../core/units.js';
import { LevelLoop } from './level-loop.js';
import { LevelState } from './level-state.js';
import type { IpvsTable, SyncDaemon, SyncLeft, SyncRole, SyncState } from './model.js';
import type { DriftPolicy } from './ownership.js';
import { planSync, type Stranded, type SyncAim, type SyncStep, syncStepsText } from './sync.js';
import {
  afterReload,
  judgeSync,
  leftOf,
  type SyncConcessions,
  type SyncLook,
  type SyncView,
} from './sync-drift.js';

export interface SyncKeeperEvents {
  /** Something of the state is different. Undefined: nothing is wanted or watched any more. */
  onState(state: SyncState | undefined): void;
  /** The daemons changed as it was wanted. */
  onChanged(steps: readonly SyncStep[]): void;
  /** Somebody else changed what we keep, and these would put it right; with `repair` the repair follows. */
  onDrift(steps: readonly SyncStep[], policy: DriftPolicy): void;
  /** The daemons are not as they are wanted. Tried again by itself. */
  onFailure(message: string): void;
}

export interface SyncKeeperOptions {
  readonly table: Pick<IpvsTable, 'syncDaemons' | 'startSyncDaemon' | 'stopSyncDaemon'>;
  /** The index of an interface; undefined: there is none of that name. An interface that is made anew has another one. */
  readonly indexOf: (name: string) => Promise<number | undefined>;
  readonly timers: Timers;
  readonly events: SyncKeeperEvents;
}

/** What a look at this moment would do. */
export interface SyncPreview {
  readonly steps: readonly SyncStep[];
  readonly left: readonly SyncLeft[];
}

export class SyncKeeper {
  readonly #options: SyncKeeperOptions;
  readonly #loop: LevelLoop;
  #aim: SyncAim = { kind: 'ignore' };
  #seen: readonly SyncDaemon[] | undefined;
  /** The interfaces at which daemons were first seen, by their role. */
  readonly #indexes = new Map<SyncRole, number>();
  readonly #level: LevelState<SyncState>;
  #repaired = 0;
  #policy: DriftPolicy = 'repair';
  #conceded: SyncConcessions = new Map();
  /** All was as it is wanted, or let stand, when it was looked at last. */
  #wasRight = false;

  constructor(options: SyncKeeperOptions) {
    this.#options = options;
    this.#level = new LevelState(options.events);
    this.#loop = new LevelLoop({
      timers: options.timers,
      attempt: async () => {
        const right = await this.#attempt(this.#aim);
        this.#level.tell(this.#state());
        return !right ? 'wrong' : this.#aim.kind === 'ignore' ? 'idle' : 'right';
      },
    });
  }

  /** With every new configuration: what is done about changes by others. What was only reported is repaired now. */
  govern(policy: DriftPolicy): void {
    this.#policy = policy;
    const kept = afterReload(this.#conceded, policy);
    if (kept.size === this.#conceded.size) return;
    this.#conceded = kept;
    // What ends is not news when it is seen again.
    this.#wasRight = false;
    this.#loop.look();
  }

  /** Replaces what is aimed at. @param resync from one look to the next while all is well */
  aim(aim: Exclude<SyncAim, { kind: 'release' }>, resync: Millis): void {
    this.#loop.resync = resync;
    const next = aim.kind === 'ignore' ? this.#release() : aim;
    if (isDeepStrictEqual(next, this.#aim)) return;
    this.#aim = next;
    this.#level.inSync = false;
    this.#wasRight = false;
    this.#loop.look();
  }

  /** What a look would do now. Nothing is remembered of it. @throws as `syncDaemons` of the table (rejects) */
  async preview(): Promise<SyncPreview> {
    const aim = this.#aim;
    if (aim.kind === 'ignore') return { steps: [], left: [] };
    const seen = await this.#options.table.syncDaemons();
    const all = planSync(aim, seen, await this.#stranded(seen, false));
    const { steps, conceded } = judgeSync(this.#view(aim), seen, all);
    return { steps, left: leftOf(conceded) };
  }

  #view(aim: SyncAim): SyncView {
    return { aim, policy: this.#policy, wasRight: this.#wasRight, conceded: this.#conceded };
  }

  /** What we kept until now was ours to begin, so it is ours to end. */
  #release(): SyncAim {
    if (this.#aim.kind === 'keep') return { kind: 'release', daemons: this.#aim.daemons };
    return this.#aim.kind === 'release' ? this.#aim : { kind: 'ignore' };
  }

  /** Resolves when the daemons are as they are wanted, or when the last attempt failed and waits for its next. */
  settled(): Promise<void> {
    return this.#loop.settled();
  }

  /** Finishes what is in progress and leaves the daemons as they are then. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  /** Looks, acts, and looks again: only what runs in the end counts, whatever a command answered. */
  async #attempt(aim: SyncAim): Promise<boolean> {
    if (aim.kind === 'ignore') return true;
    const look = await this.#look(aim);
    if (look === undefined) return this.#fail();
    const { steps, repaired } = look;
    if (steps.length === 0) return this.#succeed(aim);
    const error = await this.#perform(steps);
    this.#wasRight = false;
    const rest = await this.#look(aim);
    if (rest === undefined) return this.#fail();
    if (rest.steps.length > 0)
      return this.#fail(error ?? `they change by themselves: ${syncStepsText(rest.steps)}`);
    if (repaired.length === 0) this.#options.events.onChanged(steps);
    return this.#succeed(aim);
  }

  async #look(aim: SyncAim): Promise<SyncLook | undefined> {
    try {
      this.#seen = await this.#options.table.syncDaemons();
      const all = planSync(aim, this.#seen, await this.#stranded(this.#seen));
      const look = judgeSync(this.#view(aim), this.#seen, all);
      this.#note(look);
      return look;
    } catch (thrown) {
      this.#level.fail(errorText(thrown));
      return undefined;
    }
  }

  #note({ conceded, repaired, tolerated }: SyncLook): void {
    this.#conceded = conceded;
    if (repaired.length > 0) {
      this.#repaired += 1;
      this.#options.events.onDrift(repaired, 'repair');
    }
    if (tolerated.length > 0) this.#options.events.onDrift(tolerated, this.#policy);
  }

  #fail(error?: string): false {
    this.#wasRight = false;
    if (error !== undefined) this.#level.fail(error);
    return false;
  }

  async #stranded(seen: readonly SyncDaemon[], isKept = true): Promise<Stranded> {
    const stranded = new Set<SyncRole>();
    for (const { role, interface: device } of seen) {
      const index = await this.#options.indexOf(device);
      const first = this.#indexes.get(role) ?? index;
      if (index === undefined || first === undefined || index !== first) stranded.add(role);
      else if (isKept) this.#indexes.set(role, first);
    }
    return stranded;
  }

  /** @returns the first error, in words. A daemon that could not be started does not keep a wrong one running. */
  async #perform(steps: readonly SyncStep[]): Promise<string | undefined> {
    let first: string | undefined;
    for (const { kind, daemon } of steps) {
      try {
        this.#indexes.delete(daemon.role);
        if (kind === 'start') await this.#options.table.startSyncDaemon(daemon);
        else await this.#options.table.stopSyncDaemon(daemon.role);
      } catch (thrown) {
        first ??= errorText(thrown);
      }
    }
    return first;
  }

  #succeed(aim: SyncAim): true {
    // What is wanted may be something else by now; then it is looked at next.
    const isCurrent = aim === this.#aim;
    this.#level.lastError = undefined;
    this.#wasRight = isCurrent && aim.kind === 'keep';
    this.#level.inSync = this.#wasRight && !leftOf(this.#conceded).some(({ policy }) => policy === 'report');
    if (isCurrent && aim.kind === 'release') this.#aim = { kind: 'ignore' };
    return true;
  }

  #state(): SyncState | undefined {
    const aim = this.#aim;
    if (aim.kind === 'ignore') return undefined;
    return {
      wanted: aim.kind === 'watch' ? undefined : aim.kind === 'keep' ? aim.daemons : [],
      seen: this.#seen,
      inSync: this.#level.inSync,
      lastError: this.#level.lastError,
      repaired: this.#repaired,
      left: leftOf(this.#conceded),
    };
  }
}
