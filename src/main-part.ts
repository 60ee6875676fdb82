/** Main's part of the daemon: everything but the virtual routers, put together and taken apart in the right order. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Outbox } from './alerts/outbox.js';
import { webhookCourier } from './alerts/webhook.js';
import type { Api } from './api/server.js';
import type { Reloaded } from './api/source.js';
import { type Applied, AppliedSteps } from './applied.js';
import { SharedPool } from './checks/shared-pool.js';
import type { Config } from './config/model.js';
import { PATH_MARKS_MAX } from './config/path-marks.js';
import { Controller } from './controller.js';
import { LvsError } from './core/errors.js';
import type { Logger, Timer } from './core/ports.js';
import { type Millis, millis, seconds } from './core/units.js';
import { DrainWatcher } from './drains.js';
import { IpvsClient } from './ipvs/client.js';
import { MemoryTable } from './ipvs/memory.js';
import type { IpvsTable } from './ipvs/model.js';
import { PathTable } from './ipvs/path-table.js';
import { KernelRoutes, timeoutsOf } from './main-kernel.js';
import { MaintenanceFollower } from './maintenance.js';
import { dnsLookUp } from './names/resolver.js';
import { NameFollower, type RecalledNames, recallNames } from './names.js';
import { PathFollower } from './paths.js';
import type { AdminWord } from './policy/model.js';
import { probingHappening } from './probing.js';
import { blindHappening, RoleFollower, type RouterEngine, trackHappening } from './roles.js';
import { Shared } from './shared.js';
import { StateKeeper } from './state.js';
import { SyncFollower } from './sync.js';
import { systemClock, systemEntropy, systemTimers, systemTurns } from './sys/clock.js';
import { openNetlink } from './sys/netlink.js';
import { openPipe, reapChild } from './sys/pipe.js';
import { systemSysctls } from './sys/sysctl.js';
import type { TimeoutFollower } from './timeouts.js';
import { TrackWatcher } from './tracks/watcher.js';
import type { VrrpDigest } from './vrrp/status.js';
import type { ProbingState, World } from './world.js';

const STOP_LIMIT = seconds(5);
/** Whoever asks waits a second longer for the answer. */
const RELOAD_LIMIT = seconds(4);
/** For the removal of what does not stay, beside its drain: fifty thousand servers take about one. */
const LEAVE_LIMIT = seconds(10);
const ALERTS_LIMIT = seconds(3);
/** After this a check without a verdict does not keep a director from being master. */
const VERDICTS_LIMIT = seconds(60);

async function openTable(config: Config): Promise<IpvsTable> {
  if (config.table === 'memory') return new MemoryTable();
  const table = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  // Missing IPVS or privilege shows here, before anything runs.
  await table.info();
  return table;
}

function within(limit: Millis, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = systemTimers.after(limit, () => resolve(false));
    void work.finally(() => {
      timer.cancel();
      resolve(true);
    });
  });
}

interface Parts {
  readonly table: IpvsTable;
  readonly recalled: RecalledNames;
  readonly vrrp: RouterEngine;
  readonly log: Logger;
}

/** Table, sync daemons, checks, alerts, API and what virtual routers track, of one configuration. */
export class MainPart {
  readonly controller: Controller;
  readonly #config: Config;
  readonly #table: PathTable;
  readonly #paths: PathFollower;
  readonly #probes: SharedPool;
  readonly #alerts: Outbox;
  readonly #state: StateKeeper;
  readonly #maintenance: MaintenanceFollower;
  readonly #names: NameFollower;
  readonly #roles: RoleFollower;
  readonly #sync: SyncFollower;
  readonly #timeouts: TimeoutFollower;
  readonly #drains: DrainWatcher;
  readonly #tracks: TrackWatcher;
  readonly #log: Logger;
  readonly #routes = new KernelRoutes();
  #api: Api | undefined;
  readonly #previews = new Shared(async () => ({
    ...(await this.controller.preview()),
    sync: await this.#sync.preview(),
    timeouts: await this.#timeouts.preview(),
  }));
  #patience: Timer | undefined;
  #closed = false;
  /** Somebody asks the API for it. @returns faults */
  #reloadAsked: () => Promise<readonly string[]> = async () => [];
  /** What the last reload does to the table. */
  #applied: Promise<Applied> = Promise.resolve(new AppliedSteps());

  /** Nothing runs yet. @throws IPVS, PERMISSION, NATIVE (rejects) where there is no table */
  static async make(
    config: Config,
    vrrp: RouterEngine,
    log: Logger,
    reload: () => Promise<readonly string[]>,
  ): Promise<MainPart> {
    const table = await openTable(config);
    const recalled = await recallNames(config, table);
    const part = new MainPart(config, { table, recalled, vrrp, log });
    part.#reloadAsked = reload;
    await part.controller.open();
    await part.#state.open();
    await part.#maintenance.configure(part.controller.world().config.maintenance);
    const words = [...part.#state.words(), ...part.#state.finish(part.#maintenance.words())];
    await part.controller.recall(part.#state.recalled, words, part.#state.table);
    return part;
  }

  private constructor(config: Config, { table: ipvs, recalled, vrrp, log }: Parts) {
    this.#config = config;
    this.#names = this.#followNames(config, recalled);
    const effective = this.#names.effective();
    const table = new PathTable(ipvs, () => this.#paths.look());
    this.#table = table;
    this.#log = log;
    this.#tracks = this.#watcherFor(vrrp);
    this.#roles = new RoleFollower(vrrp, () => this.#tracks.isSettled);
    this.#alerts = new Outbox(randomUUID(), {
      courier: webhookCourier(systemClock),
      timers: systemTimers,
      entropy: systemEntropy,
      log,
    });
    this.#state = this.#keeperOf(effective);
    this.#probes = new SharedPool({
      workerFile: new URL('./checks/worker.js', import.meta.url),
      workersMax: availableParallelism(),
      clock: systemClock,
      timers: systemTimers,
      turns: systemTurns,
      health: () => this.controller.world().health,
      onState: (probing) => this.#onProbing(probing),
      reapChild,
      onChanges: (changes) => {
        this.controller.onVerdicts(changes);
        this.#state.onVerdicts();
        this.#roles.follow(() => this.controller.world());
      },
      onRemarks: (remarks) => this.controller.onRemarks(remarks),
      onSuspicions: (suspicions) => this.controller.onSuspicions(suspicions),
      onDigest: (digest) => this.controller.onDigest(digest),
      onWorkerDied: (death) => this.controller.onWorkerDied(death.worker, death.checks, death.error.message),
      onDefect: (check, text) => log.error({ check }, `a prober broke its promise: ${text}`),
    });
    this.#paths = this.#pathsOf(table);
    this.controller = new Controller({
      config: effective,
      table,
      probes: this.#paths,
      alerts: {
        configure: (director, rules) => this.#alerts.configure(director, rules),
        offer: (event) => {
          const kept = this.#state.record(event);
          if (!this.#maintenance.expects(kept)) this.#alerts.offer(kept);
        },
      },
      onDrained: (words) => this.#state.keepEnds(words),
      onMemory: (memory) => this.#state.keepTable(memory),
      clock: systemClock,
      timers: systemTimers,
      turns: systemTurns,
      log,
    });
    this.#drains = new DrainWatcher({ table, controller: this.controller, timers: systemTimers, log });
    this.#timeouts = this.#timeoutsOf(table);
    this.#maintenance = this.#followMaintenance();
    this.#sync = this.#syncOf(table);
  }

  #onProbing(probing: ProbingState): void {
    const happening = probingHappening(this.controller.world().probing, probing);
    this.controller.note({ probing });
    if (happening !== undefined) this.controller.tell(happening);
  }

  #pathsOf(table: PathTable): PathFollower {
    return new PathFollower({
      probes: this.#probes,
      table,
      wayTo: (destination, source) => this.#routes.wayTo(destination, source),
      sysctls: systemSysctls,
      timers: systemTimers,
      marks: () => ({ first: this.controller.world().config.pathMarks, count: PATH_MARKS_MAX }),
    });
  }

  #syncOf(table: IpvsTable): SyncFollower {
    return new SyncFollower({
      table,
      timers: systemTimers,
      indexOf: table.kind === 'memory' ? async () => 0 : (name) => this.#routes.linkIndex(name),
      onState: (sync) => {
        this.controller.note({ sync });
        this.#roles.follow(() => this.controller.world());
      },
      tell: (happening) => this.controller.tell(happening),
    });
  }

  #keeperOf(config: Config): StateKeeper {
    return new StateKeeper({
      config,
      run: randomUUID().replaceAll('-', ''),
      clock: systemClock,
      timers: systemTimers,
      turns: systemTurns,
      tell: (happening) => this.controller.tell(happening),
      world: () => this.controller.keptWorld(),
      onWords: (words) => this.controller.administer(this.#state.finish(words)),
    });
  }

  #timeoutsOf(table: IpvsTable): TimeoutFollower {
    return timeoutsOf(table, this.#config, {
      onState: (timeouts) => this.controller.note({ timeouts }),
      tell: (happening) => this.controller.tell(happening),
    });
  }

  #followMaintenance(): MaintenanceFollower {
    return new MaintenanceFollower({
      clock: systemClock,
      timers: systemTimers,
      world: () => this.controller.world(),
      administer: (words) => this.controller.administer(words),
      onState: (maintenance) => this.controller.note({ maintenance }),
      tell: (happening) => this.controller.tell(happening),
    });
  }

  #followNames(config: Config, recalled: RecalledNames): NameFollower {
    return new NameFollower({
      config,
      recalled,
      clock: systemClock,
      timers: systemTimers,
      entropy: systemEntropy,
      lookUp: dnsLookUp(systemTimers),
      world: () => this.controller.world(),
      adopt: (effective, why) => {
        this.controller.adopt(effective, why);
        this.#takeServers(effective);
        this.#roles.follow(() => this.controller.world());
      },
      onState: (names) => this.controller.note({ names }),
      tell: (happening) => this.controller.tell(happening),
    });
  }

  /** Takes words of the operator about servers; they outlive a restart where there is a store. */
  administer(words: readonly AdminWord[]): void {
    this.controller.administer(words);
    this.#state.keep(words);
  }

  /** The VRRP thread spoke, or died (undefined). */
  onVrrp(vrrp: VrrpDigest | undefined): void {
    const last = this.controller.world().vrrp;
    // When it spoke last is known still; what its virtual routers are now is not.
    this.controller.note({ vrrp: vrrp ?? (last === undefined ? undefined : { ...last, routers: [] }) });
    this.#sync.follow(vrrp);
  }

  #watcherFor(vrrp: RouterEngine): TrackWatcher {
    return new TrackWatcher({
      clock: systemClock,
      timers: systemTimers,
      turns: systemTurns,
      openPipe,
      onSeen: (what, seen) => vrrp.observe(what, seen),
      onNews: (news) => {
        const happening = trackHappening(news);
        if (happening !== undefined) this.controller.tell(happening);
      },
      onBlind: (what, problem) => this.controller.tell(blindHappening(what, problem)),
      onSettled: () => this.#roles.follow(() => this.controller.world()),
    });
  }

  /** Resolves when the table is right as far as is known, and the API listens. @throws API (rejects) */
  async start(): Promise<void> {
    await this.controller.start();
    this.#state.start();
    this.#maintenance.look();
    if (this.#closed) return;
    this.#names.start();
    this.#drains.start();
    this.#tracks.configure(this.#config.tracks);
    this.#roles.configure(this.controller.world());
    this.#sync.configure(this.#config);
    this.#timeouts.configure(this.#config);
    this.#patience = systemTimers.after(VERDICTS_LIMIT, () => this.#roles.ready());
    // The HTTP server is large: it is loaded when the table is right, not before.
    const { startApi } = await import('./api/server.js');
    const source = {
      world: () => this.controller.keptWorld(),
      look: (checks: readonly string[]) => this.#probes.look(checks),
      preview: () => this.#previews.take(),
      administer: (words: readonly AdminWord[]) => this.administer(words),
      refused: (code: keyof World['refused']) => this.#onRefused(code),
      reload: () => this.#reloadNow(),
      events: this.#state.journal,
      clock: systemClock,
      timers: systemTimers,
      log: this.#log,
    };
    if (this.#closed) return;
    this.#api = await startApi(this.#config.api.listen, source);
    if (this.#closed) await this.#api.close();
  }

  #onRefused(code: keyof World['refused']): void {
    const { refused } = this.controller.world();
    this.controller.note({ refused: { ...refused, [code]: refused[code] + 1 } });
  }

  /** Somebody asked the API for it, and waits for what comes of it. */
  async #reloadNow(): Promise<Reloaded> {
    const faults = await this.#reloadAsked();
    return { faults, applied: faults.length > 0 ? new AppliedSteps() : await this.#applied };
  }

  /** Puts a new configuration in force. @throws CONFIG where it changes what needs a restart; nothing was applied then */
  reload(config: Config): void {
    if (JSON.stringify(config.state) !== JSON.stringify(this.#config.state))
      throw new LvsError('CONFIG', 'state cannot change while running: restart lvsentry for it');
    const effective = this.#names.propose(config);
    this.controller.reload(effective);
    // Verdicts that come meanwhile are done by the way; what is refused is not waited for.
    this.#applied = this.controller.applied(RELOAD_LIMIT);
    this.#takeServers(effective);
    this.#names.configure(config);
    this.#tracks.configure(config.tracks);
    this.#roles.configure(this.controller.world());
    this.#sync.configure(config);
    this.#timeouts.configure(config);
  }

  /** There are other servers. */
  #takeServers(effective: Config): void {
    this.#state.configure(effective);
    // A server that is new here may be one that something was said of.
    this.controller.administer(this.#state.words());
    void this.#maintenance.configure(effective.maintenance).then(() => this.#maintenance.look());
  }

  /**
   * The table first: it is finished and left alone before anything else goes.
   * @param resigned when the virtual routers have their last roles, which the sync daemons still take
   * @param drain how long what is not to be kept may drain (`on-stop`); undefined: the table stays as it is
   */
  async close(why: string, resigned: Promise<void> = Promise.resolve(), drain?: Millis): Promise<void> {
    this.#closed = true;
    this.#drains.close();
    const namesClosed = this.#names.close();
    this.#patience?.cancel();
    this.#maintenance.close();
    const tracksClosed = this.#tracks.close();
    const leaving = drain === undefined ? undefined : millis(drain + LEAVE_LIMIT);
    const limit = millis((leaving ?? 0) + STOP_LIMIT);
    const settled = await within(limit, this.controller.stop(why, leaving));
    if (!settled) this.#log.error({}, `the table did not settle within ${limit} ms`);
    const synchronised = resigned.then(() => within(STOP_LIMIT, this.#sync.close()));
    const restored = within(STOP_LIMIT, this.#timeouts.close());
    const alerted = this.#alerts.close(ALERTS_LIMIT);
    await Promise.all([
      synchronised,
      restored,
      tracksClosed,
      // Without its private service a probe would reach any server of its service.
      this.#probes.close().then(() => within(STOP_LIMIT, this.#paths.close())),
      alerted,
      this.#api?.close(),
    ]);
    const kept = Promise.all([namesClosed, this.#state.close()]);
    if (!(await within(STOP_LIMIT, kept)))
      this.#log.error({}, 'the disk did not take what is kept: the last events may be missing');
    this.#table.close();
    this.#routes.close();
  }
}
