/** Bad luck in bulk: how much of it is the caller's. The seed is printed, and the same one gives the same deeds. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import { Random } from '../../sim/random.js';
import { Director } from '../director.js';
import { buildTopology } from '../topology.js';
import { kills, rightTable } from './kills.js';
import { meddling } from './meddling.js';
import { reloadStorm } from './storm.js';
import { TableWatch } from './watch.js';

export interface Amount {
  readonly kills: number;
  readonly deeds: number;
  readonly stormSeconds: number;
  readonly seed: number;
}

/** A suite of this much bad luck. */
export function chaos({ kills: count, deeds, stormSeconds, seed }: Amount): (t: Assertions) => Promise<void> {
  return async (t) => {
    t.comment(`seed ${seed}`);
    const chance = new Random(seed);
    buildTopology();
    const folder = process.env.LAB_SHARED ?? '';
    const watch = TableWatch.start();
    // Its program has to be in the director's namespace before anybody looks.
    await pause(500);
    const director = new Director(`${folder}/chaos.yaml`);
    await t.test('kill -9 at random moments of an apply', async (t) => {
      const lab = { folder, director, watch, chance };
      await kills(t, { ...lab, whole: await rightTable(t, lab) }, count);
    });
    await t.test('a reload storm', (t) => reloadStorm(t, { director, watch, chance }, stormSeconds));
    await t.test('others at the table, under traffic', (t) => meddling(t, director, chance, deeds));
    await watch.close();
  };
}
