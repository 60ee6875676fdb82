/**
 * lvsentry, keepalived and FRR against each other: who is master is said by an observer's capture. With a part of a
 * cell's name as an argument only those cells are played, one after the other.
 */
import t, { type Test } from 'tap';
import { Duel } from './duel.js';
import { CELLS, type Cell, nameOf, PEERS } from './matrix.js';
import {
  cablePulled,
  healAfterPartition,
  higherPreempts,
  lastStopped,
  masterKilled,
  masterStopped,
  noPreempt,
  startUp,
  tie,
} from './scenarios.js';
import { ASKING, whyNot } from './stage.js';

/** In this order: each begins where the one before it ended. */
const SCENARIOS: readonly (readonly [string, (t: Test, duel: Duel) => Promise<void>])[] = [
  ['start-up', startUp],
  ['the higher one preempts', higherPreempts],
  ['the cable is pulled', cablePulled],
  ['the network is cut and healed', healAfterPartition],
  ['the master is killed', masterKilled],
  ['the higher one does not preempt', noPreempt],
  ['the master is stopped', masterStopped],
  ['the last one is stopped', lastStopped],
  ['a tie', tie],
];

/** Stages at work at once. Version 2 counts in seconds and mostly waits. */
const GROUPS = [
  { name: 'version 2', jobs: 7, version: 2 },
  { name: 'version 3', jobs: 4, version: 3 },
] as const;

async function play(t: Test, { mode, high, low }: Cell): Promise<void> {
  const duel = await Duel.build(mode, high, low);
  t.teardown(() => duel.close());
  for (const [name, scenario] of SCENARIOS) {
    await t.test(name, { timeout: 120_000 }, (t) => scenario(t, duel));
    // What follows would begin somewhere else.
    if (!t.passing()) return;
  }
  await Promise.all([duel.stop('a'), duel.stop('b')]);
  t.same(duel.complaints(), [], 'nobody finds anything wrong with the packets of the other');
}

t.test('every pairing stands in the matrix; those that cannot be say why', async (t) => {
  t.equal(CELLS.length, 6 * 3 * 3);
  for (const cell of CELLS)
    if (cell.cannot !== undefined) t.comment(`not played: ${nameOf(cell)}: ${cell.cannot}`);
  const all = CELLS.filter(({ cannot }) => cannot === undefined);
  t.equal(all.length, 3 * 9 + 3 * 4, 'all have plain VRRP; a password and unicast only two of them');
  const ours = all.filter(({ high, low }) => [high.name, low.name].includes('lvsentry'));
  t.equal(ours.length, 3 * 5 + 3 * 3, 'we meet everybody, above and below');
});

const skip = whyNot(...ASKING, ...PEERS.flatMap(({ programs }) => programs)) ?? false;
const only = process.argv[2];
t.setTimeout(550_000);
t.jobs = only === undefined ? GROUPS.length : 1;

for (const { name, jobs, version } of GROUPS) {
  const cells = CELLS.filter(({ mode, cannot }) => mode.version === version && cannot === undefined);
  const played = cells.filter((cell) => only === undefined || nameOf(cell).includes(only));
  const buffered = only === undefined;
  void t.test(name, { skip, jobs: buffered ? jobs : 1, buffered, timeout: 540_000 }, async (t) => {
    for (const cell of played)
      void t.test(nameOf(cell), { buffered, timeout: 530_000 }, (t) => play(t, cell));
  });
}
