/** The last good answers in their file: what comes back, and what of a file is not believed. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ip } from '../../src/core/ip.js';
import { epochMillis } from '../../src/core/units.js';
import type { RememberedName } from '../../src/names/model.js';
import { documentParts } from '../../src/store/document.js';
import { NameFile, readNames } from '../../src/store/name-file.js';
import { FakeTime } from '../fakes/time.js';

const APP = 'ipv4 app.example';
const KNOWN: RememberedName = {
  addresses: [ip('192.0.2.1'), ip('192.0.2.2')],
  answeredAt: epochMillis(1_700_000_000_000),
};

function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-names-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'names.jsonl');
  const troubles: string[] = [];
  const events = { onTrouble: (message: string) => troubles.push(message), onWell: () => undefined };
  const file = new NameFile({ path, director: 'd', timers: new FakeTime(), events });
  return { folder, path, file, troubles };
}

t.test('what was kept is what the next run reads', async (t) => {
  const { path, file, troubles } = place(t);
  t.same(await readNames(path), { names: new Map(), problem: undefined });
  file.keep(new Map([[APP, KNOWN]]));
  file.keep(
    new Map([
      [APP, KNOWN],
      ['ipv6 b.example', { ...KNOWN, addresses: [ip('2001:db8::1')] }],
    ]),
  );
  await file.close();
  const { names, problem } = await readNames(path);
  t.equal(problem, undefined);
  t.same(
    [...names],
    [
      [APP, KNOWN],
      ['ipv6 b.example', { ...KNOWN, addresses: ['2001:db8::1'] }],
    ],
  );
  t.same(troubles, []);
});

t.test('a file that is not needed is not made', async (t) => {
  const { path, file } = place(t);
  await file.close();
  t.notOk(existsSync(path));
});

t.test('a disk that does not take it is told, with what follows', async (t) => {
  const { folder, file, troubles } = place(t);
  rmSync(folder, { recursive: true });
  file.keep(new Map([[APP, KNOWN]]));
  await file.close();
  t.match(troubles[0], /names\.jsonl .*a start without a resolver will not know the addresses of names/);
});

t.test('a damaged file is nothing, and a line that is none is left out', async (t) => {
  const { path } = place(t);
  writeFileSync(path, 'nonsense');
  const damaged = await readNames(path);
  t.equal(damaged.names.size, 0);
  t.match(damaged.problem, /names\.jsonl is damaged/);
  const good = { name: APP, at: 5, addresses: ['192.0.2.1', '192.0.2.1'] };
  const lines: readonly unknown[] = [
    good,
    { ...good, name: '' },
    { ...good, name: 'x'.repeat(400) },
    { ...good, name: 'b', at: -1 },
    { ...good, name: 'c', at: 'now' },
    { ...good, name: 'd', addresses: [] },
    { ...good, name: 'e', addresses: ['192.0.2.1', 'nonsense'] },
    { ...good, name: 'f', addresses: [7] },
    { ...good, name: 'g', addresses: Array.from({ length: 5000 }, () => '192.0.2.1') },
    'text',
    null,
  ];
  const text = [
    ...documentParts(
      'names',
      { director: 'd' },
      lines.map((line) => JSON.stringify(line)),
    ),
  ].join('');
  writeFileSync(path, text);
  t.same([...(await readNames(path)).names], [[APP, { addresses: ['192.0.2.1'], answeredAt: 5 }]]);
});
