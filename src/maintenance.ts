/**
 * Maintenance windows at work: looks what is under way, has the policy book drain and bring back, and tells. It works by
 * level: whatever happened meanwhile (a restart, a clock that jumped, a machine that slept), the next look is right.
 */
import type { LvsEvent } from './alerts/model.js';
import type { Clock, Timer, Timers } from './core/ports.js';
import { type EpochMillis, millis, seconds } from './core/units.js';
import type { Happening } from './describe.js';
import type { MaintenanceWindow, WindowState } from './maintenance/model.js';
import { coveredServers, nextChange, windowsAt, wordsFor } from './maintenance/windows.js';
import type { AdminWord, ServerId } from './policy/model.js';
import type { Schedule } from './schedule.js';
import type { World } from './world.js';

export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly world: () => World;
  readonly administer: (words: readonly AdminWord[]) => void;
  readonly onState: (states: readonly WindowState[]) => void;
  readonly tell: (happening: Happening) => void;
}

/** A timer does not count while a machine sleeps, and knows nothing of clocks that are set. */
const LOOK_AT_LEAST_EVERY = seconds(30);

const time = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');
const count = (servers: readonly unknown[]): string =>
  `${servers.length} server${servers.length === 1 ? '' : 's'}`;

function beginsHappening({ window, current }: WindowState): Happening {
  const { name, servers, reason } = window;
  const until = current === undefined ? '' : ` until ${time(current.until)}`;
  return {
    kind: 'maintenance-begins',
    message: `maintenance ${name}: ${count(servers)} drained${until}${reason === undefined ? '' : `: ${reason}`}`,
    facts: { maintenance: name, servers, reason, from: current?.from, until: current?.until },
  };
}

export class MaintenanceFollower {
  readonly #options: MaintenanceOptions;
  #windows: readonly MaintenanceWindow[] = [];
  #schedule: Schedule | undefined;
  #states: readonly WindowState[] = [];
  #covered: ReadonlyMap<ServerId, string> = new Map();
  /** Windows that were told to have begun, by name. */
  readonly #begun = new Set<string>();
  #next: Timer | undefined;
  #closed = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** Takes over the windows of a configuration; nothing is said or told before `look`. */
  async configure(windows: readonly MaintenanceWindow[]): Promise<void> {
    this.#windows = windows;
    if (this.#schedule !== undefined || windows.every(({ times }) => times.kind === 'once')) return;
    // Most directors need no calendar.
    const { Schedule: Calendar } = await import('./schedule.js');
    this.#schedule ??= new Calendar();
  }

  /** What windows that are under way say: for a start in the middle of one, before anything runs. */
  words(): readonly AdminWord[] {
    return wordsFor(this.#statesAt(this.#options.clock.wall()), new Map());
  }

  /** Looks at the clock, and does what it says. */
  look(): void {
    if (this.#closed) return;
    this.#next?.cancel();
    const { clock, timers, world, administer, onState } = this.#options;
    const now = clock.wall();
    this.#states = this.#statesAt(now);
    this.#covered = coveredServers(this.#states);
    const words = wordsFor(this.#states, world().admin);
    if (words.length > 0) administer(words);
    onState(this.#states);
    this.#tell();
    if (this.#windows.length === 0) return;
    const change = nextChange(this.#states, now) ?? Number.POSITIVE_INFINITY;
    // One millisecond late is right, one early is another look.
    const delay = millis(Math.min(LOOK_AT_LEAST_EVERY, change - now + 1));
    this.#next = timers.after(delay, () => this.look());
  }

  /** Whether people expect this event: a server goes up or down while a window has it out. */
  expects({ kind, service, server }: Pick<LvsEvent, 'kind' | 'service' | 'server' | 'facts'>): boolean {
    return (kind === 'server-down' || kind === 'server-up') && this.#covered.has(`${service}/${server}`);
  }

  close(): void {
    this.#closed = true;
    this.#next?.cancel();
  }

  #statesAt(now: EpochMillis): readonly WindowState[] {
    return windowsAt(this.#windows, (window) => this.#schedule?.beginnings(window, now) ?? [], now);
  }

  #tell(): void {
    const current = new Set(
      this.#states.filter((state) => state.current !== undefined).map(({ window }) => window.name),
    );
    for (const name of this.#begun) if (!current.has(name)) this.#tellEnd(name);
    for (const state of this.#states) {
      if (state.current === undefined || this.#begun.has(state.window.name)) continue;
      this.#begun.add(state.window.name);
      this.#options.tell(beginsHappening(state));
    }
  }

  #tellEnd(name: string): void {
    this.#begun.delete(name);
    const servers = this.#windows.find((window) => window.name === name)?.servers ?? [];
    const { health } = this.#options.world();
    const down = servers.filter((id) => health.get(id)?.held === 'down');
    this.#options.tell({
      kind: 'maintenance-ends',
      message: `maintenance ${name} is over: ${count(servers)} back${down.length === 0 ? '' : `, ${down.length} of them down: ${down.slice(0, 20).join(', ')}`}`,
      facts: { maintenance: name, servers, down },
    });
    // Nobody was alerted when they went down.
    for (const id of down) if (!this.#covered.has(id)) this.#tellStillDown(id, name);
  }

  #tellStillDown(id: ServerId, name: string): void {
    const slash = id.indexOf('/');
    const [service, server] = [id.slice(0, slash), id.slice(slash + 1)];
    const message = `${server} of ${service} is down, and maintenance ${name} is over`;
    this.#options.tell({ kind: 'server-down', service, server, message, facts: { maintenance: name } });
  }
}
