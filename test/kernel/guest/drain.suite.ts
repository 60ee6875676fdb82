/** Drains, maintenance and fallbacks beside a real kernel, with connections that live through them. */
import type { Assertions } from '../../contract/assertions.js';
import { byHand, undone, untilDeadline } from '../drain/by-hand.js';
import { backAndForth } from '../drain/fallback.js';
import { afterReload, stopRemoves } from '../drain/leaving.js';
import { maintenance } from '../drain/maintenance.js';
import { persistent } from '../drain/persistent.js';
import { recurring } from '../drain/recurring.js';
import { throughKills } from '../drain/restart.js';
import { Scene } from '../scene.js';

const TESTS: readonly (readonly [string, (t: Assertions, scene: Scene) => Promise<void>])[] = [
  ['a drain that is waited for, until nothing is left', byHand],
  ['a drain that is taken back, and a server that is disabled', undone],
  ['a drain until its deadline', untilDeadline],
  ['a drain through reloads, kill -9 and restarts', throughKills],
  ['persistent clients', persistent],
  ['a maintenance window', maintenance],
  ['a window that comes again, over TCP and UDP at one address', recurring],
  ['what leaves the configuration drains', afterReload],
  ['a stop that removes', stopRemoves],
  ['a fallback, there and back', backAndForth],
];

export async function suite(t: Assertions): Promise<void> {
  const scene = await Scene.build('drain');
  await scene.runAll(t, TESTS);
}
