/** A maintenance window drains ahead, and its servers come back by stages. */
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES } from '../topology.js';
import { lines, rs1At, web } from './tables.js';

const AHEAD_MS = 6000;
const FROM_MS = 12_000;
const UNTIL_MS = 20_000;
const WEIGHT = 8;

/** Whole seconds. */
const at = (ms: number): string => new Date(Date.now() + ms).toISOString().replace(/\.\d+/, '');

const SERVERS = `servers:
      - { name: web1, address: ${ADDRESSES.rs1}, weight: ${WEIGHT} }
      - { name: web2, address: ${ADDRESSES.rs2} }
`;

const CONFIG = web('    admit: { canary: 1, ramp: 4s }\n', SERVERS);

export async function maintenance(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, CONFIG);
  await tableBecomes(t, lines(WEIGHT, 1), 'at the start nothing is staged');
  const talks = await scene.talks(t, 10);
  const weights: number[] = [];
  scene.watch.expect((now) => {
    const weight = [...Array(WEIGHT + 1).keys()].find((one) => now.has(rs1At(one)));
    if (weight !== weights.at(-1)) weights.push(weight ?? -1);
    return weight === undefined ? ['it is out of the table'] : [];
  });
  await scene.reload(`
maintenance:
  disks: { from: ${at(FROM_MS)}, until: ${at(UNTIL_MS)}, ahead: ${AHEAD_MS}ms, servers: [web1], reason: new disks }
${CONFIG}`);
  const drain = await scene.event(t, 'drain-started');
  await tableBecomes(t, lines(0, 1), 'it drains');
  await scene.newOnes(t, ['rs2'], 'new connections go elsewhere');
  const window = await scene.event(t, 'maintenance-begins');
  t.ok(Number(drain.at) < Number(window.at), 'the drain began ahead of the window');
  const { admin } = await scene.server('web1');
  t.strictSame([admin?.by, admin?.reason], ['maintenance disks', 'new disks'], 'the status says who and why');
  await scene.liveOn(t, talks, 'established connections live on');
  t.ok(
    (await scene.tell('web1', 'undrain')).servers[0]?.server.admin !== null,
    'no operator undoes the window',
  );
  await scene.event(t, 'maintenance-ends');
  t.ok(await eventually(() => weights.at(-1) === WEIGHT, PATIENCE_MS), 'it comes back');
  const [first, drained, ...rest] = weights;
  t.strictSame([first, drained, rest[0]], [WEIGHT, 0, 1], 'small at first');
  t.ok(rest.length > 3, `by stages: ${rest.join(', ')}`);
  t.strictSame(
    rest,
    [...rest].sort((a, b) => a - b),
    'that only grow',
  );
  t.strictSame(scene.watch.missed(), [], 'it was in the table all the time');
  await scene.liveOn(t, talks, 'and nobody was lost');
  scene.hangUp(talks);
}
