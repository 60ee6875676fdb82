/** Plays the transcripts of this folder. `UPDATE=1` writes them anew; a human reads the difference. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';

const FOLDER = new URL('../../../test/scenarios/', import.meta.url);

/** The text of one transcript. */
export function transcript(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** Every transcript whose name matches must come out of `perform` as it went in. @param least how many there are */
export function playAll(names: RegExp, least: number, perform: (text: string) => string): void {
  const files = readdirSync(FOLDER).filter((name) => names.test(name));
  t.test('every dialogue goes as it is written', async (t) => {
    t.ok(files.length >= least);
    for (const name of files) {
      const text = transcript(name);
      const played = perform(text);
      if (process.env.UPDATE === '1') writeFileSync(new URL(name, FOLDER), played);
      else t.equal(played, text, name);
    }
  });
}
