/** The switch to a fallback and back: somebody serves all the time, and healthy servers keep their connections. */
import type { Assertions } from '../../contract/assertions.js';
import { ip } from '../guest/run-program.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { VIP } from '../topology.js';
import { lines, web } from './tables.js';

/** An address of the second host. */
const FALLBACK = '192.168.2.31';
const WITH_FALLBACK = `-a -t ${VIP}:80 -r ${FALLBACK}:80 -g -w 1`;
const ROUNDS = 3;

/** Whether some server would get a new connection. */
function nobodyServes(now: ReadonlySet<string>): readonly string[] {
  return [...now].some((entry) => /-> .* Route [1-9]/.test(entry)) ? [] : ['nobody serves'];
}

export async function backAndForth(t: Assertions, scene: Scene): Promise<void> {
  ip(`-n rs2 addr add ${FALLBACK}/24 dev eth0`);
  await scene.start(t, web(`    quorum: { weight: 2 }\n    fallback: [[${FALLBACK}]]\n`));
  await tableBecomes(t, lines(1, 1), 'the servers serve');
  const talks = await scene.talks(t, 4);
  const healthy = talks.filter(({ server }) => server === 'rs2');
  scene.watch.expect(nobodyServes);
  const mark = scene.observer.answers.length;
  for (let round = 1; round <= ROUNDS; round += 1) {
    await scene.servers.rs1.order({ status: 503 });
    await tableBecomes(t, [...lines(undefined, 0), WITH_FALLBACK], 'the fallback serves', PATIENCE_MS);
    await scene.liveOn(t, healthy, 'connections to the healthy server live on');
    t.equal((await scene.server('web2')).standing, 'quorum-lost');
    await scene.servers.rs1.order({ status: 200 });
    await tableBecomes(t, lines(1, 1), 'the servers serve again', PATIENCE_MS);
    await scene.liveOn(t, talks, 'all of the connections do');
  }
  t.strictSame(scene.watch.missed(), [], 'at every look somebody served');
  const failed = scene.observer.answers.slice(mark).filter(({ status }) => status === undefined);
  t.strictSame(failed, [], 'no request failed');
  t.strictSame(
    [scene.director.events('fallback-used').length, scene.director.events('fallback-left').length],
    [ROUNDS, ROUNDS],
  );
  scene.hangUp(talks);
}
