/** Last verdicts, from one run to the next: of the same checks, of the same boot, and not too old. */
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Check, CheckId } from '../../src/checks/model.js';
import { epochMillis, millis } from '../../src/core/units.js';
import { VerdictFile } from '../../src/store/verdict-file.js';
import { fingerprint, staleness } from '../../src/store/verdicts.js';
import type { ServerHealth } from '../../src/world.js';
import { Told } from '../contract/store.js';
import { FakeTime } from '../fakes/time.js';
import { folder } from '../files/places.js';
import { idOf, web } from '../policy/build.js';

const CHECKS: readonly Check[] = web([1, 1, 1]).servers.map(({ checks }) => checks[0]);
const byId = (checks: readonly Check[]) => new Map(checks.map((check) => [check.id, check]));
const health = (held: ServerHealth['held'], since: number): ServerHealth => ({
  verdict: held ?? 'unknown',
  held,
  since: epochMillis(since),
  lastChange: undefined,
});
const HEALTH: ReadonlyMap<CheckId, ServerHealth> = new Map([
  [idOf(11), health('up', 100)],
  [idOf(12), health('down', 200)],
  [idOf(13), health(undefined, 300)],
]);

interface Setting {
  readonly path: string;
  readonly time: FakeTime;
  readonly told: Told;
  readonly file: VerdictFile;
}

function setting(path: string, boot: string | undefined = 'boot-1', checks = CHECKS): Setting {
  const time = new FakeTime();
  const told = new Told();
  const file = new VerdictFile({
    path,
    director: 'a',
    boot,
    ageMax: millis(60_000),
    clock: time,
    timers: time,
    turns: { soon: (run) => void setImmediate(run) },
    known: () => ({ checks, health: HEALTH }),
    events: told,
  });
  return { path, time, told, file };
}

/** A file that a run left behind, and that was true `age` milliseconds before a FakeTime begins. */
async function left(t: Test, age = 0): Promise<string> {
  const path = join(folder(t), 'verdicts.jsonl');
  const { file, told, time } = setting(path);
  file.start();
  await file.close();
  t.same(told.troubles, []);
  const at = (time.wall() - age) / 1000;
  utimesSync(path, at, at);
  return path;
}

t.test('what was known is known again; what was not, is not', async (t) => {
  const { file } = setting(await left(t));
  t.same(await file.open(byId(CHECKS)), {
    verdicts: new Map([
      [idOf(11), { verdict: 'up', since: epochMillis(100) }],
      [idOf(12), { verdict: 'down', since: epochMillis(200) }],
    ]),
    ignored: undefined,
    problem: undefined,
  });
});

t.test('a verdict of another check under the same name is not used', async (t) => {
  const [first, second] = CHECKS;
  if (first === undefined || second === undefined) throw new Error('no checks');
  const path = await left(t);
  const changed = { ...second, rule: { ...second.rule, fall: second.rule.fall + 1 } };
  const found = await setting(path).file.open(byId([first, changed]));
  t.same([...found.verdicts.keys()], [first.id]);
  t.match(found.ignored, /^1 of the last verdicts are not used: the configuration has no such checks/);
  t.same((await setting(path).file.open(new Map())).verdicts.size, 0);
});

t.test('each setting of a check counts, and nothing else does', async (t) => {
  const [check] = CHECKS;
  if (check === undefined) throw new Error('no check');
  t.equal(fingerprint({ ...check }), fingerprint(check));
  t.not(fingerprint({ ...check, rule: { ...check.rule, interval: millis(1) } }), fingerprint(check));
  t.not(fingerprint({ ...check, id: 'other' }), fingerprint(check));
});

const REASONS: readonly (readonly [string, number, string | undefined, RegExp | undefined])[] = [
  ['fresh', 0, 'boot-1', undefined],
  ['as old as may be', 60_000, 'boot-1', undefined],
  ['too old', 61_000, 'boot-1', /are not used: they are 61s old, more than 1m/],
  ['of another boot', 0, 'boot-2', /are not used: the machine was booted since/],
  ['of a machine that does not tell', 0, undefined, /does not tell its boots apart/],
  ['of the far future', -120_000, 'boot-1', /they are of the future: the clock was set back/],
];

t.test('verdicts are not used when they are too old or of another boot, and it is said so', async (t) => {
  for (const [name, age, boot, expected] of REASONS) {
    const path = await left(t, age);
    // The setting's own default would hide a missing boot.
    const { file } = boot === undefined ? withoutBoot(path) : setting(path, boot);
    const found = await file.open(byId(CHECKS));
    t.equal(found.verdicts.size, expected === undefined ? 2 : 0, name);
    if (expected === undefined) t.equal(found.ignored, undefined, name);
    else t.match(found.ignored, expected, name);
    t.equal(found.problem, undefined, 'which is no trouble');
  }
});

function withoutBoot(path: string): Setting {
  const its = setting(path);
  const file = new VerdictFile({
    path,
    director: 'a',
    boot: undefined,
    ageMax: millis(60_000),
    clock: its.time,
    timers: its.time,
    turns: { soon: (run) => void setImmediate(run) },
    known: () => ({ checks: CHECKS, health: HEALTH }),
    events: its.told,
  });
  return { ...its, file };
}

t.test('a run without boot ids leaves nothing that a later one would use', async (t) => {
  const circumstances = { at: epochMillis(0), now: epochMillis(0), ageMax: millis(1) };
  t.type(staleness({ ...circumstances, bootThen: '', bootNow: 'x' }), 'string');
  t.type(staleness({ ...circumstances, bootThen: undefined, bootNow: undefined }), 'string');
});

t.test('a damaged file is told and set aside, and no verdict of it is used', async (t) => {
  const path = await left(t);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"down"', '"up"'));
  const { verdicts, problem } = await setting(path).file.open(byId(CHECKS));
  t.equal(verdicts.size, 0);
  t.match(problem, /is damaged: it is not what was written; it was set aside/);
});

t.test('a first start finds nothing, and nothing is wrong with that', async (t) => {
  const { file } = setting(join(folder(t), 'verdicts.jsonl'));
  t.same(await file.open(byId(CHECKS)), { verdicts: new Map(), ignored: undefined, problem: undefined });
});

t.test('while nothing changes the file is not written, but marked as true', async (t) => {
  const path = join(folder(t), 'verdicts.jsonl');
  const { file, time } = setting(path);
  file.start();
  while (time.waiting < 2) await new Promise((resolve) => setImmediate(resolve));
  const before = statSync(path);
  await time.advance(15_000);
  const marked = (): boolean => Math.abs(statSync(path).mtimeMs - time.wall()) < 1;
  while (!marked()) await new Promise((resolve) => setImmediate(resolve));
  t.equal(statSync(path).ino, before.ino, 'the same file');
  file.changed();
  while (statSync(path).ino === before.ino) await new Promise((resolve) => setImmediate(resolve));
  await file.close();
});

t.test('a start that failed leaves the file of the run before alone', async (t) => {
  const path = await left(t);
  const before = statSync(path);
  const { file } = setting(path);
  await file.open(byId(CHECKS));
  file.changed();
  await file.close();
  t.equal(statSync(path).ino, before.ino);
});
