/** Checks by files: what a number says, and what is read of a file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { fileProber, judgeNumber } from '../../src/checks/file.js';
import type { ProbeResult } from '../../src/checks/model.js';
import { outcomeOf, reasonText } from '../../src/checks/reason.js';
import type { FileCheck } from '../../src/checks/spec-program.js';
import { weightOf } from '../../src/policy/weight.js';
import { systemClock } from '../../src/sys/clock.js';
import { LOCALHOST } from './listeners.js';
import { folder } from './servers.js';

type Rule = Pick<FileCheck, 'weight' | 'reverse'>;
const PLAIN: Rule = { weight: undefined, reverse: false };
const REVERSE: Rule = { weight: undefined, reverse: true };
const by = (weight: number, reverse = false): Rule => ({ weight, reverse });

const ROWS: readonly (readonly [Rule, number, 'up' | 'down' | number])[] = [
  [PLAIN, 0, 'up'],
  [PLAIN, 1, 'down'],
  [PLAIN, -1, 'down'],
  [REVERSE, 0, 'down'],
  [REVERSE, 1, 'up'],
  [REVERSE, -7, 'up'],
  [by(1), 0, 0],
  [by(1), 5, 5],
  [by(1), -5, -5],
  [by(-3), 5, -15],
  [by(-3, true), 5, 15],
  [by(1, true), 0, 0],
  [by(2_147_483_647), 9_999_999_999, 2_147_483_647],
  [by(1), -2_147_483_647, -2_147_483_647],
  [by(1), -2_147_483_648, 'down'],
  [by(-2), 1_073_741_824, 'down'],
  [by(2, true), 1_073_741_824, 'down'],
];

t.test('what a number says: keepalived’s FILE_CHECK', async (t) => {
  for (const [rule, value, expected] of ROWS) {
    const { reason, weight } = judgeNumber(rule, value, 'it holds it');
    const name = `${JSON.stringify(rule)} ${value}`;
    t.equal(outcomeOf(reason), expected === 'down' ? 'fail' : 'pass', name);
    t.same(weight, typeof expected === 'number' ? { kind: 'offset', value: expected } : undefined, name);
    t.notOk(Object.is(weight?.value, -0), name);
  }
});

t.test('law: what is added is a whole number that a weight can take', async (t) => {
  const bound = 2_147_483_647;
  const weight = fc.integer({ min: -bound, max: bound }).filter((value) => value !== 0);
  const value = fc.integer({ min: -9_999_999_999, max: 9_999_999_999 });
  fc.assert(
    fc.property(weight, value, fc.boolean(), (times, number, reverse) => {
      const said = judgeNumber({ weight: times, reverse }, number, '').weight;
      if (said === undefined) return true;
      const all = weightOf(10, undefined, [said]);
      return Number.isInteger(said.value) && all >= 0 && all <= bound;
    }),
  );
  t.pass('held');
});

const textOf = ({ outcome, reason, weight }: ProbeResult): string =>
  `${outcome} ${reasonText(reason)}${weight === undefined ? '' : ` ${weight.kind} ${weight.value}`}`;

t.test('a file is read with every probe', async (t) => {
  const path = join(folder(t, {}), 'value');
  const prober = fileProber(systemClock);
  const spec: FileCheck = {
    type: 'file',
    target: { address: LOCALHOST, port: 0 },
    path,
    weight: undefined,
    reverse: false,
  };
  const probe = async (of = spec): Promise<string> => textOf(await prober(of, AbortSignal.timeout(10_000)));
  t.equal(await probe(), 'pass ok', 'what is not there holds 0');
  t.equal(await probe({ ...spec, reverse: true }), `fail rejected in data: ${path} is not there`);
  const rows: readonly (readonly [string | Uint8Array, string])[] = [
    ['1\n', `fail rejected in data: ${path} holds 1`],
    [' 0 \n', 'pass ok'],
    ['-3', `fail rejected in data: ${path} holds -3`],
    ['', `unknown not probed: ${path} holds no whole number`],
    ['up\n', `unknown not probed: ${path} holds no whole number`],
    ['1.5', `unknown not probed: ${path} holds no whole number`],
    ['1\n2\n', `unknown not probed: ${path} holds no whole number`],
    [new Uint8Array(8), `unknown not probed: ${path} holds no whole number`],
    ['1'.repeat(65), `unknown not probed: ${path}: has more than 64 bytes`],
    [`0${' '.repeat(1_000_000)}`, `unknown not probed: ${path}: has more than 64 bytes`],
    ['0', 'pass ok'],
  ];
  for (const [content, expected] of rows) {
    writeFileSync(path, content);
    t.equal(await probe(), expected, JSON.stringify(String(content).slice(0, 20)));
  }
  writeFileSync(path, '4');
  t.equal(await probe({ ...spec, weight: -2 }), 'pass ok offset -8');
  rmSync(path);
  t.equal(await probe({ ...spec, weight: -2 }), 'pass ok offset 0', 'removing it ends what it said');
});

t.test('what is no file is unknown, and nothing is left open', async (t) => {
  const place = folder(t, { text: 'x' });
  const [pipe, loop, dir] = [join(place, 'pipe'), join(place, 'loop'), join(place, 'dir')];
  execFileSync('mkfifo', [pipe]);
  symlinkSync(loop, loop);
  mkdirSync(dir);
  const prober = fileProber(systemClock);
  const before = readdirSync('/proc/self/fd').length;
  const rows = [
    [pipe, 'EINVAL'],
    [dir, 'EINVAL'],
    [loop, 'ELOOP'],
    [join(place, 'text/x'), 'ENOTDIR'],
    ['/dev/zero', 'EINVAL'],
  ] as const;
  for (const [path, errno] of rows) {
    const spec: FileCheck = {
      type: 'file',
      target: { address: LOCALHOST, port: 0 },
      path,
      weight: undefined,
      reverse: false,
    };
    const result = await prober(spec, AbortSignal.timeout(10_000));
    t.match(result, { outcome: 'unknown', reason: { kind: 'local', phase: 'data', errno } }, path);
    const late = await prober(spec, AbortSignal.abort());
    t.match(late, { outcome: 'unknown', reason: { kind: 'local', errno: 'ETIME' } }, `${path}, too late`);
  }
  // Readings whose deadline came first are done soon after.
  await prober(
    { type: 'file', target: { address: LOCALHOST, port: 0 }, path: pipe, weight: 1, reverse: false },
    AbortSignal.timeout(10_000),
  );
  t.ok(readdirSync('/proc/self/fd').length <= before + rows.length, 'no descriptor for each probe');
});
