/** Tells programs and FIFOs of changes of role: in order for each object, bounded, and never waited for. */
import type { OpenPipe, Timers } from '../core/ports.js';
import { millis } from '../core/units.js';
import type { Program } from '../exec/model.js';
import { ProgramRunner } from '../exec/runner.js';
import { Fifo } from './fifo.js';
import { Lane } from './lane.js';
import type { HookPlan, Hooks, Notice } from './model.js';
import { type Change, noticeArguments, noticeLine, RoleBook } from './notices.js';

/** Programs at the same time, over all objects. */
const PROGRAMS_MAX = 32;
/** At the end: for what runs when something waits behind it, for all, and from TERM to KILL. */
const EARLIER_LIMIT = millis(1000);
const STOP_LIMIT = millis(2500);
const STOP_GRACE = millis(500);

export interface DispatcherOptions {
  readonly timers: Timers;
  readonly openPipe: OpenPipe;
  /** Something went wrong, in words; `object` is the instance or group that it was about. */
  readonly onTrouble: (message: string, object: string | undefined) => void;
}

const NO_HOOKS: HookPlan = { all: undefined, single: new Map(), groups: new Map() };

function withNotice(program: NonNullable<Hooks['program']>, notice: Notice): Program {
  const [path, ...rest] = program.argv;
  return { ...program, argv: [path, ...rest, ...noticeArguments(notice)], environment: {} };
}

export class HookDispatcher {
  readonly #options: DispatcherOptions;
  readonly #runner: ProgramRunner;
  readonly #book = new RoleBook();
  readonly #lanes = new Map<string, Lane>();
  readonly #fifos = new Map<string, Fifo>();
  /** Of virtual routers that are gone from the configuration and have not said STOP yet. */
  readonly #leaving = new Map<string, Hooks>();
  #plan = NO_HOOKS;
  #onEmpty: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#runner = new ProgramRunner({
      timers: options.timers,
      openPipe: options.openPipe,
      concurrencyMax: PROGRAMS_MAX,
    });
  }

  /** Puts hooks in force; programs that wait are run as they were asked for. */
  configure(plan: HookPlan): void {
    for (const [name, hooks] of this.#plan.single) if (!plan.single.has(name)) this.#leaving.set(name, hooks);
    for (const name of plan.single.keys()) this.#leaving.delete(name);
    this.#plan = plan;
    this.#book.configure(plan.groups);
    const wanted = new Set(
      [plan.all, ...plan.single.values(), ...this.#leaving.values()].map((each) => each?.fifo),
    );
    for (const [path, fifo] of this.#fifos) {
      if (wanted.has(path)) continue;
      fifo.close();
      this.#fifos.delete(path);
    }
    for (const path of wanted) if (path !== undefined) this.#fifoAt(path);
  }

  /** Tells of a change, in its own time. Returns at once. */
  onRole(change: Change): void {
    for (const notice of this.#book.note(change)) this.#tell(notice);
    if (change.to === 'initialize') this.#leaving.delete(change.instance);
  }

  /**
   * Gives the last changes 2.5 s, and what runs for earlier ones 1 s of them; then everything is ended.
   * Resolves when nothing runs any more: 3 s at most, where the kernel lets go of what is killed.
   */
  async close(): Promise<void> {
    const { timers } = this.#options;
    for (const lane of this.#lanes.values()) lane.shorten();
    const giveWay = timers.after(EARLIER_LIMIT, () => {
      for (const lane of this.#lanes.values()) lane.giveWay(STOP_GRACE);
    });
    const end = timers.after(STOP_LIMIT, () => void this.#runner.close(STOP_GRACE));
    await Promise.all([...this.#fifos.values()].map((fifo) => fifo.settled()));
    await this.#emptied();
    giveWay.cancel();
    end.cancel();
    for (const fifo of this.#fifos.values()) fifo.close();
  }

  #emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#lanes.size === 0) resolve();
    });
  }

  #tell(notice: Notice): void {
    const own = notice.object === 'INSTANCE' ? this.#ownHooks(notice.name) : undefined;
    const hooks = [own, this.#plan.all].filter((each) => each !== undefined);
    const line = noticeLine(notice);
    for (const path of new Set(hooks.map(({ fifo }) => fifo)))
      if (path !== undefined) this.#fifoAt(path).write(line);
    const programs = hooks
      .map(({ program }) => program)
      .filter((program) => program !== undefined)
      .map((program) => withNotice(program, notice));
    if (programs.length > 0) this.#laneOf(notice).offer({ what: `${notice.name} ${notice.state}`, programs });
  }

  #ownHooks(instance: string): Hooks | undefined {
    return this.#plan.single.get(instance) ?? this.#leaving.get(instance);
  }

  #fifoAt(path: string): Fifo {
    const known = this.#fifos.get(path);
    if (known !== undefined) return known;
    const fifo = new Fifo(path, {
      run: (program) => this.#runner.run(program),
      onTrouble: (message) => this.#options.onTrouble(message, undefined),
    });
    this.#fifos.set(path, fifo);
    return fifo;
  }

  #laneOf({ object, name }: Notice): Lane {
    const key = `${object} ${name}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane = new Lane({
      run: (program) => this.#runner.run(program),
      onTrouble: (message) => this.#options.onTrouble(message, name),
      onEmpty: () => {
        this.#lanes.delete(key);
        if (this.#lanes.size === 0) this.#onEmpty?.();
      },
    });
    this.#lanes.set(key, lane);
    return lane;
  }
}
