/** Reload storms: fifty signals a second while the files change under them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import type { Random } from '../../sim/random.js';
import { eventually } from '../client.js';
import type { Director } from '../director.js';
import { tableBecomes } from '../table-becomes.js';
import { runOn } from '../topology.js';
import type { TableWatch } from './watch.js';

const EVERY_MS = 20;
const LIMIT_MS = 120_000;

/** `stays` is in every variant as it is; `comes` is only in some, and its weights change. */
function variant(weights: readonly number[]): string {
  const servers = weights.map((weight, index) => `{ address: 192.0.2.${21 + index}, weight: ${weight} }`);
  const comes = `  comes: { address: 192.0.2.2:80, servers: [${servers.join(', ')}] }\n`;
  return `
name: storm
cold-start: 1s
resync: 1s
defaults: { check: { interval: 1h, timeout: 1s } }
services:
  stays: { address: 192.0.2.1:80, servers: [192.0.2.11, 192.0.2.12] }
${weights.length > 0 ? comes : ''}`;
}

function lines(weights: readonly number[]): string[] {
  const stays = ['-A -t 192.0.2.1:80 -s wlc', '-a -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 1'];
  stays.push('-a -t 192.0.2.1:80 -r 192.0.2.12:80 -g -w 1');
  if (weights.length === 0) return stays;
  const servers = weights.map(
    (weight, index) => `-a -t 192.0.2.2:80 -r 192.0.2.${21 + index}:80 -g -w ${weight}`,
  );
  return [...stays, '-A -t 192.0.2.2:80 -s wlc', ...servers];
}

function anyVariant(chance: Random): string {
  if (chance.chance(0.2)) return 'services: [';
  return variant(Array.from({ length: chance.whole(0, 3) }, () => chance.whole(1, 9)));
}

/** `seconds` of it; afterwards the last file is in force. */
export async function reloadStorm(
  t: Assertions,
  { director, watch, chance }: { director: Director; watch: TableWatch; chance: Random },
  seconds: number,
): Promise<void> {
  director.configure(variant([1]));
  await director.start();
  await tableBecomes(t, lines([1]), 'the first configuration', LIMIT_MS);
  const stays = [...watch.now()].filter((entry) => entry.includes('C0000201:'));
  t.equal(stays.length, 3, 'a service and its two servers');
  watch.guard(stays);
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(EVERY_MS)) {
    director.configure(anyVariant(chance));
    director.reload();
  }
  director.configure(variant([3, 5]));
  director.reload();
  await tableBecomes(t, lines([3, 5]), 'the last file is in force', LIMIT_MS);
  t.strictSame(watch.missed(), [], 'what no file changed was never away');
  const reloads = director.events('config-reloaded').length;
  t.ok(reloads > 1 && director.events('config-refused').length > 0, `${reloads} reloads, and refusals`);
  t.ok(await eventually(() => director.process.running, 0), 'it lives');
  await director.stop();
  runOn('director', 'ipvsadm', '-C');
}
