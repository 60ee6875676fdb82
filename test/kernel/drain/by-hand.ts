/** What an operator says: drained, waited for, taken back, given up, disabled. */
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { exitOf, PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { lines, rs2At, web } from './tables.js';

/** Numbers of connections that `drain --wait` printed, in order. */
function counts(printed: readonly string[]): number[] {
  return printed.flatMap((line) => {
    const [, count] = /: (\d+) connections? \(/.exec(line) ?? [];
    return count === undefined ? [] : [Number(count)];
  });
}

export async function byHand(t: Assertions, scene: Scene): Promise<void> {
  // One that is down stays in the table, and its connections are counted still.
  await scene.start(t, web('    on-failure: quiesce\n'));
  await tableBecomes(t, lines(1, 1), 'both serve');
  const talks = await scene.talks(t, 6);
  const its = talks.filter(({ server }) => server === 'rs1');
  t.ok(its.length > 1 && its.length < talks.length, `${its.length} of ${talks.length} are with the first`);
  scene.watch.guard([rs2At(1)]);
  const waiting = scene.lvsentry('drain', 'web1', '--wait');
  await tableBecomes(t, lines(0, 1), 'it gets weight 0', PATIENCE_MS);
  await scene.newOnes(t, ['rs2'], 'new connections go elsewhere');
  await scene.liveOn(t, talks, 'established ones live on');
  const { verdict, standing, admin } = await scene.server('web1');
  t.strictSame(
    [verdict, standing, admin?.state],
    ['up', 'admin', 'draining'],
    'health and the word are apart',
  );
  await scene.servers.rs1.order({ status: 500 });
  await scene.event(t, 'server-down');
  const down = await scene.server('web1');
  t.strictSame(
    [down.verdict, down.standing, down.admin?.state],
    ['down', 'down', 'draining'],
    'of one that is down, too',
  );
  await scene.servers.rs1.order({ status: 200 });
  await scene.event(t, 'server-up');
  await tableBecomes(t, lines(0, 1), 'and when it is up again it drains still');
  await scene.liveOn(t, talks, 'nobody was lost by that');
  // Half of it goes, and that is told ten seconds after the drain began at the soonest.
  scene.hangUp(its.slice(1));
  const half = await scene.event(t, 'drain-progress');
  t.ok(Number(half.left) < Number(its.length) && Number(half.left) > 0, `half is gone: ${half.left} left`);
  t.ok(waiting.running, 'somebody still waits');
  scene.hangUp(its);
  t.equal(await exitOf(t, waiting), 0, 'the command says that nothing is left');
  const printed = counts(waiting.lines);
  t.ok(printed[0] !== undefined && printed[0] >= its.length, `it printed ${printed.join(', ')} connections`);
  t.equal(printed.at(-1), 0);
  const finished = await scene.event(t, 'drain-finished');
  t.strictSame([finished.how, finished.left], ['empty', 0]);
  t.equal(scene.director.events('drain-started').length, 1);
  t.strictSame(scene.watch.missed(), [], 'the other server had its weight all the time');
  await tableBecomes(t, lines(0, 1), 'it stays drained');
  await scene.tell('web1', 'undrain');
  await tableBecomes(t, lines(1, 1), 'until that is taken back');
  await scene.newOnes(t, ['rs1', 'rs2'], 'both get new connections');
  await scene.liveOn(
    t,
    talks.filter((talk) => !its.includes(talk)),
    'those of the other server live on',
  );
  scene.hangUp(talks);
}

export async function undone(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, web());
  const talks = await scene.talks(t, 4);
  await scene.tell('web1', 'drain', { reason: 'new disks' });
  await tableBecomes(t, lines(0, 1), 'it drains');
  const { server } = (await scene.tell('web1', 'undrain')).servers[0] ?? {};
  t.strictSame([server?.standing, server?.admin], ['serving', null]);
  await tableBecomes(t, lines(1, 1), 'it serves again');
  await scene.event(t, 'drain-undone');
  t.equal(scene.director.events('drain-finished').length, 0);
  await scene.newOnes(t, ['rs1', 'rs2'], 'new connections come back');
  await scene.liveOn(t, talks, 'and nobody was lost');
  await scene.tell('web1', 'disable');
  await tableBecomes(t, lines(undefined, 1), 'disabled: it is out of the table');
  await scene.newOnes(t, ['rs2'], 'new requests succeed');
  const { verdict, standing, admin } = await scene.server('web1');
  t.strictSame([verdict, standing, admin?.state], ['up', 'admin', 'disabled'], 'it is probed all the same');
  await scene.tell('web1', 'enable');
  await tableBecomes(t, lines(1, 1), 'enabled: it is back');
  await scene.liveOn(t, talks, 'its old connections found it again');
  scene.hangUp(talks);
}

export async function untilDeadline(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, web());
  const talks = await scene.talks(t, 4);
  const its = talks.filter(({ server }) => server === 'rs1');
  // A short request that is under way at the deadline would count.
  scene.observer.rest();
  const waiting = scene.lvsentry('drain', 'web1', '--wait', '--deadline', '4s');
  await tableBecomes(t, lines(0, 1), 'it drains', PATIENCE_MS);
  t.equal(await exitOf(t, waiting), 1, 'the command says that something is left');
  const given = await scene.event(t, 'drain-finished');
  t.strictSame([given.how, given.active], ['deadline', its.length], 'and so does the event');
  t.equal((await scene.server('web1')).admin?.state, 'drained');
  await tableBecomes(t, lines(0, 1), 'it keeps its weight 0');
  await scene.liveOn(t, talks, 'what is left lives on');
  await scene.tell('web1', 'drain', { deadline: '2s', finish: 'disabled' });
  await tableBecomes(t, lines(undefined, 1), 'one that is disabled after its drain goes', PATIENCE_MS);
  await scene.tell('web1', 'undrain');
  await eventually(async () => (await scene.server('web1')).admin === null, 5000);
  await scene.tell('web1', 'enable');
  await tableBecomes(t, lines(1, 1), 'and comes back');
  await scene.liveOn(t, talks, 'to its connections');
  scene.observer.rest(false);
  scene.hangUp(talks);
}
