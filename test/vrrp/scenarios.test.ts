/** Plays the transcripts of test/scenarios. `UPDATE=1` writes them anew; a human reads the difference. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { perform } from '../sim/theatre.js';

const FOLDER = new URL('../../../test/scenarios/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => /^vrrp-.*\.txt$/.test(name));

t.test('every dialogue goes as it is written', async (t) => {
  t.ok(FILES.length > 10);
  for (const name of FILES) {
    const file = new URL(name, FOLDER);
    const text = readFileSync(file, 'utf8');
    const played = perform(text);
    if (process.env.UPDATE === '1') writeFileSync(file, played);
    else t.equal(played, text, name);
  }
});

t.test('the stage itself: a wrong line and an unknown command are noticed', async (t) => {
  const text = readFileSync(new URL('vrrp-start.txt', FOLDER), 'utf8');
  t.not(perform(text.replace('run 10s', 'run 9s')), text);
  t.throws(() => perform('dance\n----\nnothing\n'), /no director|no command/);
  t.throws(() => perform('director a\n\ndance a\n----\nnothing\n'), /no command dance/);
  t.throws(() => perform('director a\n\nrun far\n----\nnothing\n'), /not a duration/);
});
