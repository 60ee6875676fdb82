/** The composition root of `lvsentry run`: puts the parts together, and takes them apart in the right order. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Level } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import { Outbox } from './alerts/outbox.js';
import { webhookCourier } from './alerts/webhook.js';
import { checkListen } from './api/listen.js';
import type { Api } from './api/server.js';
import { ProbePool } from './checks/pool.js';
import { createConfigCache } from './config/cache.js';
import { faultText } from './config/faults.js';
import { loadConfig } from './config/load.js';
import type { Config, ConfigResult } from './config/model.js';
import { Controller } from './controller.js';
import { errorText } from './core/errors.js';
import type { Logger } from './core/ports.js';
import { type Millis, seconds } from './core/units.js';
import { IpvsClient } from './ipvs/client.js';
import { MemoryTable } from './ipvs/memory.js';
import type { IpvsTable } from './ipvs/model.js';
import { noticeHappening, RoleFollower, roleHappening } from './roles.js';
import { systemClock, systemEntropy, systemTimers, systemTurns } from './sys/clock.js';
import { openNetlink } from './sys/netlink.js';
import { notifyManager } from './sys/notify.js';
import { VrrpThread } from './vrrp/thread.js';

export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>;

const STOP_LIMIT = seconds(5);
const ALERTS_LIMIT = seconds(3);
/** After this a check without a verdict does not keep a director from being master. */
const VERDICTS_LIMIT = seconds(60);

/** Everything that runs, made of one configuration. */
interface Parts {
  readonly controller: Controller;
  readonly probes: ProbePool;
  readonly alerts: Outbox;
  readonly table: IpvsTable;
  readonly vrrp: VrrpThread;
  readonly roles: RoleFollower;
  readonly log: Logger;
}

async function openTable(config: Config): Promise<IpvsTable> {
  if (config.table === 'memory') return new MemoryTable();
  const table = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  // Missing IPVS or privilege shows here, before anything runs.
  await table.info();
  return table;
}

function openVrrp(controller: () => Controller): VrrpThread {
  return new VrrpThread({
    workerFile: new URL('./vrrp/worker.js', import.meta.url),
    timers: systemTimers,
    onRole: (change) => {
      const happening = roleHappening(change);
      if (happening !== undefined) controller().tell(happening);
    },
    onNotice: (notice) => controller().tell(noticeHappening(notice)),
    onDigest: (digest) => controller().onVrrp(digest),
    onDied: (error) => {
      controller().onVrrp(undefined);
      controller().tell({ kind: 'worker-restarted', message: `${error.message}; it is restarted` });
    },
  });
}

function assemble(config: Config, table: IpvsTable, log: Logger): Parts {
  const alerts = new Outbox(randomUUID(), {
    courier: webhookCourier(systemClock),
    timers: systemTimers,
    entropy: systemEntropy,
    log,
  });
  const probes = new ProbePool({
    workerFile: new URL('./checks/worker.js', import.meta.url),
    workersMax: availableParallelism(),
    timers: systemTimers,
    onChanges: (changes) => {
      controller.onVerdicts(changes);
      roles.follow(controller.world());
    },
    onDigest: (digest) => controller.onDigest(digest),
    onWorkerDied: (death) => controller.onWorkerDied(death.worker, death.checks, death.error.message),
    onDefect: (check, text) => log.error({ check }, `a prober broke its promise: ${text}`),
  });
  const vrrp = openVrrp(() => controller);
  const roles = new RoleFollower(vrrp);
  const clock = systemClock;
  const controller = new Controller({ config, table, probes, alerts, clock, timers: systemTimers, log });
  return { controller, probes, alerts, table, vrrp, roles, log };
}

/** Reads the configuration again and puts it in force, or tells why not; the old one then goes on. */
function reload(load: () => ConfigResult, { controller, roles }: Parts): void {
  try {
    const loaded = load();
    if (!loaded.ok) {
      controller.refuse(loaded.faults.map(faultText));
      return;
    }
    controller.reload(loaded.config);
    roles.configure(controller.world());
  } catch (thrown) {
    // What needs a restart, and a defect in reading: neither may end a daemon that runs.
    controller.refuse([errorText(thrown)]);
  }
}

function tellManager(state: string, log: Logger): void {
  try {
    notifyManager(process.env.NOTIFY_SOCKET, state);
  } catch (thrown) {
    log.warn({}, errorText(thrown));
  }
}

/** Resolves with the first signal that asks to stop. A second one ends the process where it stands. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        resolve(signal);
      });
    }
  });
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

/** The table first: it is finished and left alone before anything else goes. */
async function takeApart(parts: Parts, api: Api | undefined, why: string): Promise<void> {
  tellManager('STOPPING=1', parts.log);
  // Resigned first: the others take over while the rest is put away.
  const resigned = parts.vrrp.close();
  const settled = await within(STOP_LIMIT, parts.controller.stop(why));
  if (!settled) parts.log.error({}, `the table did not settle within ${STOP_LIMIT} ms`);
  await Promise.all([resigned, parts.probes.close(), parts.alerts.close(ALERTS_LIMIT), api?.close()]);
  parts.table.close();
}

/** The HTTP server is large: it is loaded when the table is right, not before. */
async function openApi(config: Config, { controller, log }: Parts): Promise<Api> {
  const { startApi } = await import('./api/server.js');
  return startApi(config.api.listen, { world: () => controller.world(), clock: systemClock, log });
}

async function run(load: () => ConfigResult, config: Config, log: Logger): Promise<number> {
  const stop = stopSignal();
  // Before the table is touched: an address that is taken may mean that another lvsentry owns the table.
  await checkListen(config.api.listen);
  const parts = assemble(config, await openTable(config), log);
  let api: Api | undefined;
  process.on('SIGHUP', () => reload(load, parts));
  const stopped = stop.then((why) => takeApart(parts, api, why));
  await parts.controller.start();
  parts.roles.configure(parts.controller.world());
  const patience = systemTimers.after(VERDICTS_LIMIT, () => parts.roles.ready());
  api = await openApi(config, parts);
  tellManager('READY=1', log);
  await stopped;
  patience.cancel();
  return 0;
}

function openLog(level: LogLevel, director: string): Logger {
  const options = {
    level,
    base: { director },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Written at once: the last line before a crash is the one that matters.
  return pino(options, destination({ dest: 1, sync: true }));
}

/**
 * Runs the daemon until it is told to stop.
 * @returns the exit code: 0 stopped, 1 could not start, 3 the configuration is wrong
 */
export async function runDaemon(path: string, level: LogLevel): Promise<number> {
  const cache = createConfigCache();
  const load = () => loadConfig(path, undefined, cache);
  const loaded = load();
  if (!loaded.ok) {
    for (const fault of loaded.faults) process.stderr.write(`${faultText(fault)}\n`);
    return 3;
  }
  const log = openLog(level, loaded.config.name);
  process.on('uncaughtException', (thrown) => {
    log.error({ stack: thrown.stack }, `a defect ends lvsentry; the table stays as it is: ${thrown.message}`);
    process.exit(1);
  });
  try {
    return await run(load, loaded.config, log);
  } catch (thrown) {
    log.error({}, `cannot start: ${errorText(thrown)}`);
    return 1;
  }
}
