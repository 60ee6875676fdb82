import fc from 'fast-check';
import t from 'tap';
import { NO_RESULT, type Side, stepRiseFall } from '../../src/tracks/rise-fall.js';

const SIDES: Readonly<Record<string, Side>> = { u: 'up', d: 'down' };

/** What counts after each result, as letters. */
function play(rise: number, fall: number, results: string): string {
  let state = NO_RESULT;
  return [...results]
    .map((letter) => {
      state = stepRiseFall({ rise, fall }, state, SIDES[letter] ?? 'up');
      return state.side?.[0] ?? '?';
    })
    .join('');
}

const ROWS: readonly (readonly [number, number, string, string])[] = [
  // rise, fall, results, what counts
  [1, 1, 'uduud', 'uduud'],
  [3, 1, 'uuu', 'uuu'],
  [3, 3, 'd', 'd'],
  [3, 3, 'duuduuu', 'ddddddu'],
  [3, 3, 'ddduuu', 'dddddu'],
  [1, 3, 'udduddd', 'uuuuuud'],
  [1, 2, 'udud', 'uuuu'],
  [2, 1, 'udu', 'udd'],
  [2, 2, 'uddduu', 'uudddu'],
];

t.test('so many results in a row turn it round, and the first counts at once', async (t) => {
  for (const [rise, fall, results, expected] of ROWS)
    t.equal(play(rise, fall, results), expected, `rise ${rise}, fall ${fall}: ${results}`);
});

const count = fc.integer({ min: 1, max: 5 });
const talk = fc.string({ unit: fc.constantFrom('u', 'd'), minLength: 1, maxLength: 40 });

t.test('law: it turns exactly after that many in a row of the other side', async (t) => {
  fc.assert(
    fc.property(count, count, talk, (rise, fall, results) => {
      const seen = play(rise, fall, results);
      let held = results[0];
      let run = 0;
      for (const [at, letter] of [...results].entries()) {
        run = letter === held ? 0 : run + 1;
        if (run === (letter === 'u' ? rise : fall)) [held, run] = [letter, 0];
        if (seen[at] !== held) return false;
      }
      return true;
    }),
  );
  t.pass('held');
});

t.test('law: with rise and fall 1 it is what was seen last', async (t) => {
  fc.assert(fc.property(talk, (results) => play(1, 1, results) === results));
  t.pass('held');
});
