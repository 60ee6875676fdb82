/** `minimum-healthy` and `maximum-removals`: what they hold serves on, and is shown. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import {
  allIn,
  configuration,
  cutProbes,
  entries,
  lines,
  mendProbes,
  nameOf,
  SERVERS,
  without,
} from './servers.js';
import { heldBy, requestsSince } from './view.js';

const [A = '', B = '', C = '', D = '', E = ''] = SERVERS;

export async function minimum(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration('', `on-failure: quiesce\n    minimum-healthy: 50%`));
  await tableBecomes(t, lines(allIn()), 'six serve, under both addresses');
  const talks = await scene.talks(t, 6);
  const requests = requestsSince(scene);
  const gone = [A, B, D];
  const kept = SERVERS.filter((address) => !gone.includes(address));
  scene.watch.guard(entries(kept));
  for (const address of gone) {
    cutProbes([address]);
    await scene.event(t, 'server-down', ({ server }) => server === nameOf(address));
  }
  await tableBecomes(t, lines(without(...gone)), 'three leave, one after the other');
  cutProbes([C, E]);
  await scene.event(t, 'rail-held');
  await scene.sees(nameOf(C), ({ standing }) => standing === 'held');
  await scene.sees(nameOf(E), ({ standing }) => standing === 'held');
  t.strictSame(
    await heldBy(scene),
    [`${nameOf(C)} down`, `${nameOf(E)} down`],
    'two more are down, and held',
  );
  const { why } = await scene.server(nameOf(C));
  t.ok(/minimum-healthy/.test(why), `the status says why: ${why}`);
  await tableBecomes(t, lines(without(...gone)), 'the table stays');
  await scene.tell(nameOf(C), 'drain');
  await tableBecomes(t, lines(without(...gone, C)), 'no rail holds up an operator');
  t.strictSame(scene.watch.missed(), entries([C]).sort(), 'and nothing else was away at any time');
  await scene.tell(nameOf(C), 'undrain');
  mendProbes([...gone, C, E]);
  await tableBecomes(t, lines(allIn()), 'well again: all are in', PATIENCE_MS);
  await scene.event(t, 'rail-released');
  t.strictSame(await heldBy(scene), []);
  await scene.liveOn(t, talks, 'no connection was lost');
  requests.noneFailed(t);
  scene.hangUp(talks);
}

export async function removals(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration('', `on-failure: quiesce\n    maximum-removals: 2`));
  await tableBecomes(t, lines(allIn()), 'six serve');
  const requests = requestsSince(scene);
  const [first, second, ...held] = [A, B, C, D];
  for (const address of [first, second]) {
    cutProbes([address ?? '']);
    await scene.event(t, 'server-down', ({ server }) => server === nameOf(address ?? ''));
  }
  const left = SERVERS.slice(2);
  await tableBecomes(t, lines(without(A, B)), 'two leave');
  scene.watch.guard(entries(left));
  cutProbes(held);
  for (const address of held) await scene.sees(nameOf(address), ({ standing }) => standing === 'held');
  t.strictSame(
    await heldBy(scene),
    held.map((address) => `${nameOf(address)} down`),
    'two more wait',
  );
  const told = await scene.event(t, 'rail-held');
  t.equal(told.rail, 'maximum-removals', 'the event names the rail');
  await tableBecomes(t, lines(without(A, B)), 'the table stays');
  t.strictSame(scene.watch.missed(), [], 'and was so all the time');
  mendProbes([D]);
  await scene.sees(nameOf(D), ({ standing }) => standing === 'serving');
  await pause(500);
  await tableBecomes(t, lines(without(A, B)), 'one comes back that never left');
  await tableBecomes(t, lines(without(A, B, C)), 'the other leaves when the minute has room', 90_000);
  mendProbes([A, B, C]);
  await tableBecomes(t, lines(allIn()), 'well again: all are in', PATIENCE_MS);
  requests.noneFailed(t);
}
