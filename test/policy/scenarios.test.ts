/** Plays the transcripts of safety rails and of most servers failing at once. `UPDATE=1` writes them anew; a human reads the difference. */
import t from 'tap';
import { playAll, transcript } from '../scenarios/play.js';
import { perform } from './stage.js';

playAll(/^(rails|mass)-.*\.txt$/, 10, perform);

t.test('the stage itself: a wrong line and an unknown command are noticed', async (t) => {
  const text = transcript('rails-minimum.txt');
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
