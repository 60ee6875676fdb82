/** Most servers fail at once: a cable, a firewall, or they are dead indeed; with and without canaries. */
import type { Assertions } from '../../contract/assertions.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES } from '../topology.js';
import {
  allIn,
  cable,
  configuration,
  cutProbes,
  entries,
  FALLBACK,
  lines,
  mendProbes,
  nameOf,
  SERVERS,
  without,
} from './servers.js';
import { heldBy, requestsSince } from './view.js';

const [A = '', B = ''] = SERVERS;
const CANARIES = `canaries: [{ name: gateway, address: ${ADDRESSES.client}, check: { port: 81, interval: 250ms, timeout: 200ms } }]`;

/** A guest on a busy machine is slow: what is at once takes a while there. */
const rule = (action: string, more = ''): string =>
  `mass-failure: { do: ${action}, minimum: 3, within: 5s${more === '' ? '' : `, ${more}`} }`;
/** So that even then the last first failure comes before the first verdict. */
const PATIENT = 'check: { fall: 4 }';

/** The cable is pulled and put back. Whether a canary hears of it or not: the table stays, and so do connections. */
async function cableIsPulled(t: Assertions, scene: Scene, canaries: string): Promise<void> {
  await scene.start(t, configuration(rule('hold', canaries), PATIENT));
  await tableBecomes(t, lines(allIn()), 'six serve');
  const talks = await scene.talks(t, 6);
  scene.watch.guard(entries());
  cable('down');
  const told = await scene.event(t, 'mass-failure');
  t.strictSame(
    [told.failing, told.action],
    [SERVERS.length, 'hold'],
    'it is told, with how many and what is done',
  );
  for (const address of SERVERS) await scene.sees(nameOf(address), ({ standing }) => standing === 'held');
  t.equal((await heldBy(scene)).length, SERVERS.length, 'all are down, and held');
  const { massFailure } = await scene.status();
  t.strictSame([massFailure?.active, massFailure?.failing, massFailure?.count], [true, SERVERS.length, 1]);
  if (canaries !== '') t.strictSame(massFailure?.canaries, [{ name: 'gateway', voice: 'down' }]);
  t.ok(/mass-failure/.test((await scene.server('a')).why), 'the status says why they are in');
  cable('up');
  await scene.event(t, 'mass-failure-over');
  for (const address of SERVERS) await scene.sees(nameOf(address), ({ standing }) => standing === 'serving');
  await scene.liveOn(t, talks, 'every connection lives on');
  t.strictSame(scene.watch.missed(), [], 'no entry was away at any time');
  await tableBecomes(t, lines(allIn()), 'the table is as it was', 0);
  await scene.newOnes(t, ['rs1', 'rs2'], 'new requests succeed');
  t.equal((await scene.status()).massFailure?.active, false, 'it is over');
  scene.hangUp(talks);
}

export const cutWithout = (t: Assertions, scene: Scene): Promise<void> => cableIsPulled(t, scene, '');
export const cutWith = (t: Assertions, scene: Scene): Promise<void> => cableIsPulled(t, scene, CANARIES);

/** Only the director's probes are lost: who would believe them would take six healthy servers out. */
export async function probesAlone(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration(rule('hold'), PATIENT));
  const talks = await scene.talks(t, 6);
  const requests = requestsSince(scene);
  scene.watch.guard(entries());
  cutProbes(SERVERS);
  for (const address of SERVERS) await scene.sees(nameOf(address), ({ standing }) => standing === 'held');
  await scene.newOnes(t, ['rs1', 'rs2'], 'new requests succeed while all is held');
  await scene.liveOn(t, talks, 'and connections live');
  await scene.director.stop('SIGKILL');
  await scene.director.start();
  await scene.newOnes(t, ['rs1', 'rs2'], 'a restart in the middle of it takes nothing out');
  mendProbes(SERVERS);
  for (const address of SERVERS) await scene.sees(nameOf(address), ({ standing }) => standing === 'serving');
  t.strictSame(scene.watch.missed(), [], 'no entry was away at any time');
  await scene.liveOn(t, talks, 'no connection was lost');
  requests.noneFailed(t);
  scene.hangUp(talks);
}

/** The contrary: the servers are dead, and the canary says that the network is well. */
export async function serversDie(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration(rule('hold', CANARIES), PATIENT));
  await tableBecomes(t, lines(allIn()), 'six serve');
  scene.observer.rest();
  await Promise.all([scene.servers.rs1.stop(), scene.servers.rs2.stop()]);
  await tableBecomes(t, lines({}), 'the verdicts are believed', PATIENCE_MS);
  await scene.event(t, 'service-lost');
  t.strictSame(await heldBy(scene), [], 'nothing is held');
  const ends = scene.director.events('mass-failure-over').map(({ end }) => end);
  t.equal(scene.director.events('mass-failure').length, ends.length, 'nor is anything suspected any more');
  // The canary is often heard before the first verdict; then nothing is held for a moment.
  t.ok(
    ends.every((end) => end === 'canaries'),
    'for the canary was heard',
  );
  await Promise.all([scene.servers.rs1.start(), scene.servers.rs2.start()]);
  await tableBecomes(t, lines(allIn()), 'they come back', PATIENCE_MS);
  scene.observer.rest(false);
  await scene.newOnes(t, ['rs1', 'rs2'], 'and serve');
}

/** With `open` those that were out before are put in, too; but for what the operator took out. */
export async function open(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration(rule('open'), PATIENT));
  cutProbes([A]);
  await tableBecomes(t, lines(allIn(SERVERS.slice(1))), 'one is down, long before', PATIENCE_MS);
  await scene.tell(nameOf(B), 'disable');
  await tableBecomes(t, lines(allIn(SERVERS.slice(2))), 'and one is disabled');
  const talks = await scene.talks(t, 4);
  const requests = requestsSince(scene);
  scene.watch.guard(entries(SERVERS.slice(2)));
  cutProbes(SERVERS.slice(1));
  const all = SERVERS.filter((address) => address !== B);
  await tableBecomes(t, lines(allIn(all)), 'all are in, but for that one', PATIENCE_MS);
  await scene.newOnes(t, ['rs1', 'rs2'], 'and serve');
  mendProbes(SERVERS);
  await scene.event(t, 'mass-failure-over');
  await scene.tell(nameOf(B), 'enable');
  await tableBecomes(t, lines(allIn()), 'well again', PATIENCE_MS);
  await scene.liveOn(t, talks, 'no connection was lost');
  t.strictSame(scene.watch.missed(), [], 'no entry was away at any time');
  requests.noneFailed(t);
  scene.hangUp(talks);
}

/** With `closed` it is told, and the verdicts are believed; with a rail, as far as that goes. */
export async function closed(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration(rule('closed'), `on-failure: quiesce\n    minimum-healthy: 2`));
  await tableBecomes(t, lines(allIn()), 'six serve');
  const requests = requestsSince(scene);
  cutProbes(SERVERS);
  const told = await scene.event(t, 'mass-failure');
  t.equal(told.action, 'closed');
  for (const address of SERVERS) await scene.sees(nameOf(address), ({ verdict }) => verdict === 'down');
  const held = await heldBy(scene);
  t.equal(held.length, 2, `${held.join(', ')}: the rail holds two`);
  const gone = SERVERS.filter((address) => !held.includes(`${nameOf(address)} down`));
  await tableBecomes(t, lines(without(...gone)), 'the others get nothing new');
  mendProbes(SERVERS);
  await tableBecomes(t, lines(allIn()), 'well again', PATIENCE_MS);
  requests.noneFailed(t);
}

/** With `fallback` another one serves; quiesced servers keep their connections. */
export async function fallback(t: Assertions, scene: Scene): Promise<void> {
  await scene.start(t, configuration(rule('fallback'), `on-failure: quiesce\n    fallback: [[${FALLBACK}]]`));
  await tableBecomes(t, lines(allIn()), 'six serve');
  const talks = await scene.talks(t, 6);
  const requests = requestsSince(scene);
  cutProbes(SERVERS);
  await tableBecomes(t, lines({ ...without(...SERVERS), [FALLBACK]: 1 }), 'the fallback serves', PATIENCE_MS);
  await scene.event(t, 'fallback-used');
  await scene.newOnes(t, ['rs2'], 'it answers');
  await scene.liveOn(t, talks, 'connections to the others live');
  mendProbes(SERVERS);
  await tableBecomes(t, lines(allIn()), 'the servers serve again', PATIENCE_MS);
  await scene.event(t, 'fallback-left');
  await scene.liveOn(t, talks, 'and no connection was lost');
  requests.noneFailed(t);
  scene.hangUp(talks);
}
