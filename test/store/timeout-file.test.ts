import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { seconds } from '../../src/core/units.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import { TimeoutKeeper } from '../../src/ipvs/timeout-keeper.js';
import type { HeldTimeouts } from '../../src/ipvs/timeouts.js';
import { documentParts } from '../../src/store/document.js';
import { TimeoutFile } from '../../src/store/timeout-file.js';
import { FakeTime } from '../fakes/time.js';

const HELD: HeldTimeouts = { tcp: { original: 900, ours: [60, 70] }, udp: { original: 300, ours: [5] } };

function place(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-timeouts-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'state', 'timeouts.jsonl');
  const troubles: string[] = [];
  const open = () => new TimeoutFile({ path, onTrouble: (message) => troubles.push(message) });
  const write = (text: string): void => {
    mkdirSync(join(folder, 'state'), { recursive: true, mode: 0o700 });
    writeFileSync(path, text);
  };
  return { folder, path, troubles, open, write };
}

const text = (boot: string, line: string): string =>
  [...documentParts('timeouts', { boot }, [line])].join('');
const BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

t.test('what is saved is what the next run loads; nothing held leaves no file', async (t) => {
  const { path, troubles, open } = place(t);
  t.same(await open().load(), {});
  await open().save({});
  t.notOk(existsSync(path));
  await open().save(HELD);
  t.equal(statSync(path).mode & 0o077, 0, 'nobody else reads it');
  t.same(await open().load(), HELD);
  await open().save({});
  t.notOk(existsSync(path));
  t.same(troubles, []);
});

t.test('a file of another boot is nothing: the kernel has its own values again', async (t) => {
  const { troubles, open, write } = place(t);
  write(text('another-boot', JSON.stringify(HELD)));
  t.same(await open().load(), {});
  write(text(BOOT, JSON.stringify(HELD)));
  t.same(await open().load(), HELD);
  t.same(troubles, []);
});

t.test('a file that is damaged is set aside, and told', async (t) => {
  const { path, troubles, open, write } = place(t);
  const whole = text(BOOT, JSON.stringify(HELD));
  for (const broken of ['', 'x', whole.slice(0, -2), whole.replace('900', '901'), 'x'.repeat(5000)]) {
    write(broken);
    t.same(await open().load(), {});
    t.notOk(existsSync(path));
  }
  t.equal(troubles.length, 5);
  for (const trouble of troubles)
    t.match(trouble, /timeouts\.jsonl .*cannot be put back; it was set aside as/);
});

t.test('values that no kernel has are left out', async (t) => {
  const { open, write } = place(t);
  const odd = [
    { tcp: { original: 0, ours: [5] } },
    { tcp: { original: 1.5, ours: [5] } },
    { tcp: { original: 900, ours: ['5'] } },
    { tcp: { original: 900, ours: 5 } },
    { tcp: { original: 900, ours: new Array(17).fill(5) } },
    { tcp: { original: 2 ** 31, ours: [5] } },
    { tcp: null, other: { original: 900, ours: [5] } },
    [],
    null,
    7,
  ];
  write(text(BOOT, 'no JSON'));
  t.same(await open().load(), {});
  for (const value of odd) {
    write(text(BOOT, JSON.stringify(value)));
    t.same(await open().load(), {}, JSON.stringify(value));
  }
});

t.test('a disk that does not take it is told, and nothing rejects', async (t) => {
  const { folder, troubles, open } = place(t);
  writeFileSync(join(folder, 'state'), 'a file where a folder should be');
  await open().save(HELD);
  t.match(troubles, [
    /timeouts\.jsonl is not written: .* is not a folder; after a crash the next run would not know/,
  ]);
});

t.test('a run that was killed leaves its originals to the next', async (t) => {
  const { path, open } = place(t);
  const table = new MemoryTable();
  const run = async (tcp: number): Promise<TimeoutKeeper> => {
    const keeper = new TimeoutKeeper({
      table,
      store: open(),
      timers: new FakeTime(),
      events: {
        onState: () => undefined,
        onChanged: () => undefined,
        onDrift: () => undefined,
        onFailure: () => undefined,
      },
    });
    keeper.aim({ tcp }, seconds(10));
    await keeper.settled();
    return keeper;
  };
  await run(60);
  const next = await run(70);
  t.equal((await table.timeouts()).tcp, 70);
  await next.close();
  t.equal((await table.timeouts()).tcp, 900);
  t.notOk(existsSync(path));
});
