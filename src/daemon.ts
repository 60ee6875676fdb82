/** `lvsentry run`: the virtual routers and main's part side by side, started, reloaded and stopped. */
import type { Level } from 'pino';
import { pino, stdTimeFunctions } from 'pino';
import { checkListen } from './api/listen.js';
import { createConfigCache } from './config/cache.js';
import { faultText } from './config/faults.js';
import { loadBesides } from './config/load.js';
import type { Config, ConfigResult } from './config/model.js';
import { errorText } from './core/errors.js';
import type { Logger } from './core/ports.js';
import { type Millis, seconds } from './core/units.js';
import type { Happening } from './describe.js';
import { HookDispatcher } from './hooks/dispatcher.js';
import { MainPart } from './main-part.js';
import { longestStop } from './policy/ownership.js';
import { hookHappening, noticeHappening, roleHappening } from './roles.js';
import { systemClock, systemTimers, systemTurns } from './sys/clock.js';
import { LogSink } from './sys/log-sink.js';
import { notifyManager } from './sys/notify.js';
import { openPipe } from './sys/pipe.js';
import { VrrpThread } from './vrrp/thread.js';

export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>;

/** With more defects than this within `DEFECTS_SPAN` main is beyond help. */
const DEFECTS_MAX = 3;
const DEFECTS_SPAN = seconds(60);

function tellManager(state: string, log: Logger): void {
  try {
    notifyManager(process.env.NOTIFY_SOCKET, state);
  } catch (thrown) {
    log.warn({}, errorText(thrown));
  }
}

/** Beside the drain of a stop, for all the rest of it. */
const STOP_GRACE = seconds(30);

/** What the service manager is told of a stop: one that drains may take longer than it has patience for. */
function stoppingState(drain: Millis | undefined): string {
  if (drain === undefined || drain === 0) return 'STOPPING=1';
  return `STOPPING=1\nEXTEND_TIMEOUT_USEC=${(drain + STOP_GRACE) * 1000}`;
}

/** Calls `stop` with the first signal that asks for it. A second one ends the process where it stands. */
function onStopSignal(stop: (why: string) => void): void {
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      stop(signal);
    });
  }
}

class Daemon {
  readonly #load: () => Promise<ConfigResult>;
  readonly #log: Logger;
  readonly #vrrp: VrrpThread;
  readonly #hooks: HookDispatcher;
  #config: Config;
  /** Undefined before the start, and while it is replaced. */
  #main: MainPart | undefined;
  #reloadAsked = false;
  /** Settles when the last reload in line is over. */
  #reloading: Promise<unknown> = Promise.resolve();
  /** It has not begun to read yet. */
  #nextReload: Promise<readonly string[]> | undefined;
  #defects: readonly Millis[] = [];
  #stopping = false;

  constructor(load: () => Promise<ConfigResult>, config: Config, log: Logger) {
    this.#load = load;
    this.#config = config;
    this.#log = log;
    this.#hooks = new HookDispatcher({
      timers: systemTimers,
      openPipe,
      onTrouble: (message, object) => this.#tell(hookHappening(message, object)),
    });
    this.#vrrp = new VrrpThread({
      workerFile: new URL('./vrrp/worker.js', import.meta.url),
      timers: systemTimers,
      onRole: (change) => {
        this.#hooks.onRole(change);
        const happening = roleHappening(change);
        if (happening !== undefined) this.#tell(happening);
      },
      onNotice: (notice) => this.#tell(noticeHappening(notice)),
      onDigest: (digest) => this.#main?.onVrrp(digest),
      onDied: (error, again) => {
        this.#main?.onVrrp(undefined);
        if (again) return;
        this.#tell({ kind: 'worker-restarted', message: `${error.message}; it is restarted` });
      },
    });
  }

  #tell(happening: Happening): void {
    if (this.#main !== undefined) this.#main.controller.tell(happening);
    else this.#log.warn({ kind: happening.kind, ...happening.facts }, happening.message);
  }

  async start(): Promise<void> {
    // Before the table is touched: an address that is taken may mean that another lvsentry owns the table.
    await checkListen(this.#config.api.listen);
    this.#hooks.configure(this.#config.hooks);
    await this.#startMain();
    tellManager('READY=1', this.#log);
  }

  async #startMain(): Promise<void> {
    this.#main = await MainPart.make(this.#config, this.#vrrp, this.#log, () => this.reload());
    // It may have been told to go meanwhile: then the table stays as it is.
    if (!this.#stopping) await this.#main.start();
  }

  /**
   * Reads the configuration again and puts it in force, or tells why not; the old one then goes on. One at a time: who
   * asks while one waits is served by that one, which reads the files after both asked.
   * @returns faults
   */
  reload(): Promise<readonly string[]> {
    if (this.#nextReload !== undefined) return this.#nextReload;
    const next = this.#reloading.then(() => {
      this.#nextReload = undefined;
      return this.#reloadNow();
    });
    this.#nextReload = next;
    this.#reloading = next;
    return next;
  }

  /** Why nothing is put in force at this moment. */
  #obstacle(): readonly string[] | undefined {
    // It is told to go: what leaves the table at a stop does not come back.
    if (this.#stopping) return ['lvsentry is stopping'];
    this.#reloadAsked = this.#main === undefined;
    if (!this.#reloadAsked) return undefined;
    return ['the main part is being started; the configuration is read after that'];
  }

  async #reloadNow(): Promise<readonly string[]> {
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) return obstacle;
    try {
      const loaded = await this.#load();
      // Much may have happened while it was parsed.
      return this.#obstacle() ?? this.#putInForce(loaded);
    } catch (thrown) {
      // What needs a restart, and a defect in reading: neither may end a daemon that runs.
      return this.#refuse([errorText(thrown)]);
    }
  }

  #putInForce(loaded: ConfigResult): readonly string[] {
    if (!loaded.ok) return this.#refuse(loaded.faults.map(faultText));
    this.#main?.reload(loaded.config);
    this.#hooks.configure(loaded.config.hooks);
    this.#config = loaded.config;
    return [];
  }

  #refuse(faults: readonly string[]): readonly string[] {
    this.#main?.controller.refuse(faults);
    return faults;
  }

  /** @param isOrdered somebody wants it so: then what `on-stop` does not keep leaves the table */
  async stop(why: string, isOrdered: boolean): Promise<void> {
    this.#stopping = true;
    const drain = isOrdered ? longestStop(this.#config) : undefined;
    tellManager(stoppingState(drain), this.#log);
    // Resigned first: the others take over while the rest is put away.
    const resigned = this.#vrrp.close();
    const told = resigned.then(() => this.#hooks.close());
    await this.#main?.close(why, resigned, drain);
    await told;
  }

  /**
   * A defect in main. Where it is all that there is the process ends, and the table stays. Virtual routers go on:
   * main's part is made anew beside them, which adopts the table as a new process would.
   */
  onDefect({ message, stack }: Error): void {
    const now = systemClock.monotonic();
    this.#defects = [...this.#defects.filter((at) => now - at < DEFECTS_SPAN), now];
    const alone = this.#config.vrrp.length === 0 || this.#stopping;
    if (!alone && this.#main !== undefined && this.#defects.length <= DEFECTS_MAX) {
      this.#log.error({ stack }, `a defect ends the main part; the virtual routers go on: ${message}`);
      void this.#replaceMain(message);
      return;
    }
    this.#log.error({ stack }, `a defect ends lvsentry; the table stays as it is: ${message}`);
    if (alone) process.exit(1);
    // Another director can do better: it takes over at once.
    const told = this.#vrrp.close().then(() => this.#hooks.close());
    void told.finally(() => process.exit(1));
  }

  async #replaceMain(why: string): Promise<void> {
    const broken = this.#main;
    this.#main = undefined;
    try {
      await broken?.close('a defect');
    } catch (thrown) {
      this.#log.error({}, `the broken main part did not end well: ${errorText(thrown)}`);
    }
    if (this.#stopping) return;
    await this.#startMain();
    this.#tell({
      kind: 'worker-restarted',
      message: `the main part was started again after a defect: ${why}`,
    });
    if (this.#reloadAsked) void this.reload();
  }
}

function openLog(level: LogLevel, director: string): Logger {
  const options = {
    level,
    base: { director },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, new LogSink(1));
}

/**
 * Runs the daemon until it is told to stop.
 * @returns the exit code: 0 stopped, 1 could not start, 3 the configuration is wrong
 */
export async function runDaemon(path: string, level: LogLevel): Promise<number> {
  const cache = createConfigCache();
  const load = () => loadBesides(path, { clock: systemClock, turns: systemTurns }, cache);
  const loaded = await load();
  if (!loaded.ok) {
    for (const fault of loaded.faults) process.stderr.write(`${faultText(fault)}\n`);
    return 3;
  }
  const log = openLog(level, loaded.config.name);
  const daemon = new Daemon(load, loaded.config, log);
  process.on('uncaughtException', (thrown) => daemon.onDefect(thrown));
  process.on('SIGHUP', () => void daemon.reload());
  const stopped = new Promise<void>((resolve) => onStopSignal((why) => resolve(daemon.stop(why, true))));
  try {
    await daemon.start();
  } catch (thrown) {
    log.error({}, `cannot start: ${errorText(thrown)}`);
    await daemon.stop('it could not start', false);
    return 1;
  }
  await stopped;
  return 0;
}
