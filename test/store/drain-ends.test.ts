import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { epochMillis } from '../../src/core/units.js';
import type { AdminWord } from '../../src/policy/model.js';
import { documentParts } from '../../src/store/document.js';
import { DrainEnds } from '../../src/store/drain-ends.js';
import { FakeTime } from '../fakes/time.js';
import { entry } from '../policy/build.js';

function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-drains-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'drains.jsonl');
  const told: string[] = [];
  const events = { onTrouble: (text: string) => told.push(text), onWell: (text: string) => told.push(text) };
  const open = async () => {
    const ends = new DrainEnds({ path, director: 'director-t', timers: new FakeTime(), events });
    return { ends, problems: await ends.open() };
  };
  return { path, told, open };
}

function draining(server: string, since: number, more: Partial<AdminWord> = {}): AdminWord {
  const source = more.source ?? 'operator';
  const its = entry({ source, state: 'draining', since: epochMillis(since), finish: 'disabled' });
  return { server, source, entry: its, ...more };
}

t.test('the drain of a word is over for the next run too; of no other word', async (t) => {
  const { path, told, open } = place(t);
  const first = await open();
  await first.ends.close();
  t.notOk(existsSync(path), 'nothing to keep makes no file');
  const again = await open();
  again.ends.keep([draining('web/a', 1000), draining('web/b', 1000, { source: 'maintenance disks' })]);
  await again.ends.close();
  const { ends, problems } = await open();
  t.same(problems, []);
  const states = (words: readonly AdminWord[]) => ends.finish(words).map((word) => word.entry?.state);
  t.same(states([draining('web/a', 1000)]), ['disabled'], 'as the word says how it ends');
  t.same(states([draining('web/a', 2000)]), ['draining'], 'it was said anew');
  t.same(states([draining('web/b', 1000)]), ['draining'], 'somebody else said it');
  t.same(states([draining('web/b', 1000, { source: 'maintenance disks' })]), ['disabled']);
  const back: AdminWord = { server: 'web/a', source: 'operator', entry: undefined };
  const enabled = { ...back, entry: entry({ state: 'enabled', weight: 3, since: epochMillis(1000) }) };
  t.same(ends.finish([back, enabled]), [back, enabled], 'what does not drain is left alone');
  t.same(told, []);
  await ends.close();
});

t.test('a file that is damaged is set aside; lines that mean nothing are passed over', async (t) => {
  const { path, open } = place(t);
  writeFileSync(path, 'no document');
  const first = await open();
  t.match(first.problems, [/drains\.jsonl is damaged.*aside/]);
  t.ok(existsSync(`${path}.aside`));
  const lines = [
    'null',
    '{',
    '{"key":1,"since":1}',
    '{"key":"web/a operator","since":1000}',
    'x'.repeat(2000),
  ];
  writeFileSync(path, [...documentParts('drains', { director: 'director-t' }, lines)].join(''));
  const { ends, problems } = await open();
  t.same(problems, []);
  t.match(ends.finish([draining('web/a', 1000)]), [{ entry: { state: 'disabled' } }]);
  await ends.close();
  t.notMatch(readFileSync(path, 'utf8'), /null/);
});
