/** A daemon without probes: the real controller, memory table, drains and API, on the real clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { LvsEvent } from '../../src/alerts/model.js';
import { startApi } from '../../src/api/server.js';
import type { ApiSource } from '../../src/api/source.js';
import type { Applied } from '../../src/applied.js';
import type { Config } from '../../src/config/model.js';
import { Controller } from '../../src/controller.js';
import { DrainWatcher } from '../../src/drains.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { change, config, dest, key, service, serviceConfig } from '../ipvs/build.js';
import { NOTHING_BESIDE, source } from './build.js';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const RIG_CONFIG: Config = {
  ...config(
    serviceConfig('web', service(), [dest('192.0.2.11'), dest('192.0.2.12', { weight: 5 })]),
    serviceConfig('mail', service(key('192.0.2.1', 25)), [dest('192.0.2.12', {}, 25)]),
  ),
  api: {
    listen: { kind: 'tcp', host: '127.0.0.1', port: 8405 },
    tokens: [
      { name: 'ann', token: 'the-token-of-ann-1' },
      { name: 'bob', token: 'the-token-of-bob-1' },
    ],
  },
};

export interface Rig {
  readonly controller: Controller;
  readonly table: MemoryTable;
  readonly source: ApiSource;
  readonly events: LvsEvent[];
  /** What a reload says. */
  faults: readonly string[];
  applied: Applied;
  /** `unix:/PATH`, where it listens. */
  readonly url: string;
  /** `192.0.2.11:80 1`: servers and weights of a service in the table. */
  weights(text: string): Promise<readonly string[]>;
}

/** All servers are up. */
export async function rig(t: Test): Promise<Rig> {
  const table = new MemoryTable();
  const events: LvsEvent[] = [];
  const controller = new Controller({
    config: RIG_CONFIG,
    table,
    probes: { update: () => undefined },
    alerts: { configure: () => undefined, offer: (event) => events.push(event) },
    clock: systemClock,
    timers: systemTimers,
    log: SILENT,
    turns: { soon: (run: () => void) => void setImmediate(run) },
  } as ConstructorParameters<typeof Controller>[0]);
  await controller.start();
  controller.onVerdicts(
    ['web/192.0.2.11:80', 'web/192.0.2.12:80', 'mail/192.0.2.12:25'].map((id) => change(id, 'up', 'unknown')),
  );
  const drains = new DrainWatcher({ table, controller, timers: systemTimers, log: SILENT });
  drains.start();
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-rig-'));
  const path = join(folder, 'api.sock');
  const its: Rig = {
    controller,
    table,
    events,
    faults: [],
    applied: { steps: [], done: 0, failed: 0 },
    url: `unix:${path}`,
    source: {
      ...source(),
      clock: systemClock,
      timers: systemTimers,
      world: () => controller.world(),
      administer: (words) => controller.administer(words),
      preview: async () => ({ ...(await controller.preview()), ...NOTHING_BESIDE }),
      refused: () => undefined,
      reload: async () => ({ faults: its.faults, applied: its.applied }),
    },
    weights: async (text) => {
      const dests = (await table.dump()).get(text)?.dests ?? new Map();
      return [...dests].map(([name, { settings }]) => `${name} ${settings.weight}`).sort();
    },
  };
  const api = await startApi({ kind: 'unix', path }, its.source);
  t.teardown(async () => {
    drains.close();
    await api.close();
    await controller.stop('the test is over');
    rmSync(folder, { recursive: true });
  });
  return its;
}
