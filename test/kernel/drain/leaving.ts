/** What leaves: with a reload, and at a stop. */
import { readFileSync } from 'node:fs';
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, directorTable, runOn } from '../topology.js';
import { lines, rs2At, web } from './tables.js';

const FOREIGN = ['-A -t 192.0.2.200:80 -s rr', '-a -t 192.0.2.200:80 -r 192.0.2.201:80 -m -w 3'];
const ALONE = `servers: [{ name: web2, address: ${ADDRESSES.rs2} }]\n`;

export async function afterReload(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, web('    on-remove: drain\n'));
  const talks = await scene.talks(t, 4);
  const its = talks.filter(({ server }) => server === 'rs1');
  scene.watch.guard([rs2At(1)]);
  await scene.reload(web('    on-remove: drain\n', ALONE));
  await tableBecomes(t, lines(0, 1), 'a server that was dropped has weight 0');
  await scene.newOnes(t, ['rs2'], 'new connections go elsewhere');
  await scene.liveOn(t, talks, 'established ones live on');
  await scene.reload(web('    on-remove: drain\n'));
  await tableBecomes(t, lines(1, 1), 'in the configuration again it serves as before');
  await scene.reload(web('    on-remove: drain\n', ALONE));
  await tableBecomes(t, lines(0, 1), 'and is dropped once more');
  // Who is leaving is written a moment after it is decided.
  await eventually(() => readFileSync(`${scene.folder}/table.jsonl`, 'utf8').includes('web1'), PATIENCE_MS);
  await scene.director.stop('SIGKILL');
  await scene.restart(t);
  await scene.liveOn(t, talks, 'through a kill and a restart');
  await tableBecomes(t, lines(0, 1), 'the next run lets it finish, too');
  t.strictSame((await scene.status()).table.foreign, [], 'it is not foreign to it');
  scene.hangUp(its);
  await tableBecomes(t, lines(undefined, 1), 'it goes when nothing is left', PATIENCE_MS);
  await scene.liveOn(
    t,
    talks.filter((talk) => !its.includes(talk)),
    'those of the other server live on',
  );
  t.strictSame(scene.watch.missed(), [], 'which had its weight all the time');
  scene.hangUp(talks);
}

export async function stopRemoves(t: Assertions, scene: Scene): Promise<void> {
  for (const line of FOREIGN) runOn('director', 'ipvsadm', ...line.split(' '));
  await scene.start(t, `on-stop: remove\n${web()}`);
  await tableBecomes(t, [...lines(1, 1), ...FOREIGN], 'ours beside what is foreign');
  await scene.director.stop();
  t.strictSame(directorTable().sort(), [...FOREIGN].sort(), 'ours is gone when it has ended');
  runOn('director', 'ipvsadm', '-C');
  await scene.start(t, `on-stop: { drain: 3s }\n${web()}`);
  const talks = await scene.talks(t, 2);
  const stopped = scene.director.stop();
  await tableBecomes(t, lines(0, 0), 'a stop that drains gives nobody new connections');
  await scene.liveOn(t, talks, 'those that are there live on');
  await stopped;
  t.strictSame(directorTable(), [], 'until its deadline');
  scene.hangUp(talks);
}
