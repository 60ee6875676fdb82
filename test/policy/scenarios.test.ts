/** Plays the transcripts of safety rails and of most servers failing at once. `UPDATE=1` writes them anew; a human reads the difference. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { perform } from './stage.js';

const FOLDER = new URL('../../../test/scenarios/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => /^(rails|mass)-.*\.txt$/.test(name));

t.test('every dialogue goes as it is written', async (t) => {
  t.ok(FILES.length >= 10);
  for (const name of FILES) {
    const file = new URL(name, FOLDER);
    const text = readFileSync(file, 'utf8');
    const played = perform(text);
    if (process.env.UPDATE === '1') writeFileSync(file, played);
    else t.equal(played, text, name);
  }
});

t.test('the stage itself: a wrong line and an unknown command are noticed', async (t) => {
  const text = readFileSync(new URL('rails-minimum.txt', FOLDER), 'utf8');
  t.not(perform(text.replace('down c', 'down b')), text);
  const [head = ''] = text.split('====');
  for (const [command, problem] of [
    ['dance', /no command/],
    ['down nobody', /no server/],
    ['run far', /not a duration/],
    ['reload web quorum 2', /no quorum of web/],
  ] as const)
    t.throws(() => perform(`${head}====\n\n${command}\n----\nnothing\n`), problem);
});
