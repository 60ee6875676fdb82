import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import type { TableMemory } from '../../src/ipvs/remembered.js';
import { documentParts } from '../../src/store/document.js';
import { TableFile } from '../../src/store/table-file.js';
import { FakeTime } from '../fakes/time.js';

const NOTHING: TableMemory = { leaving: [], accepted: [] };

function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-table-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'table.jsonl');
  const told: string[] = [];
  const events = { onTrouble: (text: string) => told.push(text), onWell: (text: string) => told.push(text) };
  const time = new FakeTime();
  const open = async (boot: string | null = 'boot-1', clock = time) => {
    const file = new TableFile({
      path,
      director: 'director-t',
      boot: boot ?? undefined,
      clock,
      timers: time,
      events,
    });
    return { file, ...(await file.open()) };
  };
  return { path, told, open, time };
}

function memory(until: number): TableMemory {
  const servers = [{ dest: '192.0.2.12:80', server: 'web2', until: millis(until) }];
  const common = { service: 'tcp 192.0.2.1:80', difference: 'what differs' };
  return {
    leaving: [{ service: 'tcp 192.0.2.1:80', name: 'web', whole: true, servers }],
    accepted: [
      { ...common, dest: undefined, kind: 'service', wanted: 'wlc', found: undefined },
      { ...common, dest: '192.0.2.11:80', kind: 'weight', wanted: '1', found: '9' },
    ],
  };
}

t.test('what is kept is what the next run of this boot finds, by the wall clock', async (t) => {
  const { path, told, open, time } = place(t);
  const { file, memory: found } = await open();
  t.same(found, NOTHING);
  file.keep(NOTHING);
  await file.close();
  t.notOk(existsSync(path), 'nothing to keep makes no file');
  const first = await open();
  first.file.keep(memory(time.monotonic() + 60_000));
  await first.file.close();
  await time.advance(20_000);
  // A process that starts has another monotonic clock.
  const later = Object.assign(new FakeTime(), { wall: () => time.wall() });
  const second = await open('boot-1', later);
  t.same(second.memory.accepted, memory(0).accepted);
  const until = second.memory.leaving[0]?.servers[0]?.until ?? 0;
  t.ok(Math.abs(until - later.monotonic() - 40_000) <= 1000, 'forty of its sixty seconds are left');
  t.same((await open('boot-2')).memory, NOTHING, 'a boot empties the table');
  t.same((await open(null)).memory, NOTHING);
  t.same(told, []);
});

t.test('the same as before is not written again', async (t) => {
  const { path, open, time } = place(t);
  const { file } = await open();
  file.keep(memory(60_000));
  await file.close();
  const again = await open();
  writeFileSync(path, 'somebody wrote here');
  again.file.keep(memory(60_000));
  await time.advance(5000);
  t.equal(readFileSync(path, 'utf8'), 'somebody wrote here');
  again.file.keep(NOTHING);
  await again.file.close();
  t.same((await open()).memory, NOTHING);
});

t.test('lines that mean nothing are passed over, and a damaged file is set aside', async (t) => {
  const { path, open } = place(t);
  const good = {
    accepted: 'tcp 192.0.2.1:80',
    dest: 'x',
    kind: 'removed',
    wanted: 'direct',
    difference: 'removed',
  };
  const lines = [
    'null',
    '{',
    '[]',
    JSON.stringify({ ...good, kind: 'added' }),
    JSON.stringify({ ...good, kind: 'service' }),
    JSON.stringify({ ...good, kind: 'weight', wanted: '1', found: 'heavy' }),
    JSON.stringify({ ...good, dest: 7 }),
    JSON.stringify({ ...good, wanted: 'x'.repeat(2000) }),
    JSON.stringify({ leaving: 'tcp 192.0.2.1:80', name: 'web', whole: 'yes', servers: [] }),
    JSON.stringify({ leaving: 'tcp 192.0.2.1:80', name: 'web', whole: true, servers: 7 }),
    JSON.stringify({
      leaving: 'udp 192.0.2.1:53',
      name: 'dns',
      whole: true,
      servers: [null, ['a', 'b', -1], []],
    }),
    JSON.stringify(good),
  ];
  writeFileSync(path, [...documentParts('table', { boot: 'boot-1' }, lines)].join(''));
  const { memory: found, problem } = await open();
  t.equal(problem, undefined);
  t.match(found, {
    leaving: [{ service: 'udp 192.0.2.1:53', servers: [] }],
    accepted: [{ kind: 'removed' }],
  });
  t.equal(found.accepted.length, 1);
  t.equal(found.leaving.length, 1);
  writeFileSync(path, 'no document');
  const damaged = await open();
  t.match(damaged.problem, /table\.jsonl is damaged.*aside/);
  t.same(damaged.memory, NOTHING);
});
