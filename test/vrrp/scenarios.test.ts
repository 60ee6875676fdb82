/** Plays the transcripts of test/scenarios. `UPDATE=1` writes them anew; a human reads the difference. */
import t from 'tap';
import { playAll, transcript } from '../scenarios/play.js';
import { perform } from '../sim/theatre.js';

playAll(/^vrrp-.*\.txt$/, 11, perform);

t.test('the stage itself: a wrong line and an unknown command are noticed', async (t) => {
  const text = transcript('vrrp-start.txt');
  t.not(perform(text.replace('run 10s', 'run 9s')), text);
  t.throws(() => perform('dance\n----\nnothing\n'), /no director|no command/);
  t.throws(() => perform('director a\n\ndance a\n----\nnothing\n'), /no command dance/);
  t.throws(() => perform('director a\n\nrun far\n----\nnothing\n'), /not a duration/);
});
