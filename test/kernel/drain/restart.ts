/** A drain outlives reloads, kill -9 and restarts: in none of them does its server get new connections. */
import type { Assertions } from '../../contract/assertions.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { lines, rs1At, rs2At, web } from './tables.js';

const KILLS = 3;

export async function throughKills(t: Assertions, scene: Scene): Promise<void> {
  const { director, watch } = scene;
  await scene.start(t, web());
  const talks = await scene.talks(t, 4);
  const its = talks.filter(({ server }) => server === 'rs1');
  await scene.tell('web1', 'drain', { deadline: '10m', reason: 'new kernel' });
  await tableBecomes(t, lines(0, 1), 'it drains');
  const { deadline, since } = (await scene.server('web1')).admin ?? {};
  watch.guard([rs1At(0), rs2At(1)]);
  await scene.reload(web('    quorum: { weight: 1 }\n    minimum-healthy: 1\n'));
  t.equal(
    (await scene.server('web1')).admin?.state,
    'draining',
    'a reload that changes its service keeps it',
  );
  for (let count = 1; count <= KILLS; count += 1) {
    await director.stop('SIGKILL');
    await scene.restart(t);
    await scene.liveOn(t, talks, `connections live through kill ${count}`);
    const { admin } = await scene.server('web1');
    t.strictSame(
      [admin?.state, admin?.deadline, admin?.since],
      ['draining', deadline, since],
      'and the drain',
    );
    t.equal(director.events('drain-started').length, 0, 'which is no news');
  }
  await scene.newOnes(t, ['rs2'], 'new connections go elsewhere still');
  t.strictSame(watch.missed(), [], 'at no time did it have another weight, nor the other one');
  t.ok(watch.looks > KILLS, `somebody looked ${watch.looks} times`);
  scene.hangUp(its);
  const finished = await scene.event(t, 'drain-finished');
  t.equal(finished.how, 'empty', 'the last run brings it to its end');
  await director.stop();
  await scene.restart(t);
  t.equal((await scene.server('web1')).admin?.state, 'drained', 'and after a stop it is drained still');
  await tableBecomes(t, lines(0, 1), 'with weight 0', PATIENCE_MS);
  await scene.tell('web1', 'undrain');
  await tableBecomes(t, lines(1, 1), 'until that is taken back');
  scene.hangUp(talks);
}
