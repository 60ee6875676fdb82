import fc from 'fast-check';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import {
  type CountState,
  commOf,
  fitsArguments,
  isDead,
  needsArguments,
  stepCount,
} from '../../src/tracks/count.js';
import { processes } from './build.js';

t.test('the kernel keeps 15 bytes of a name', async (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['bird', 'bird'],
    ['123456789012345', '123456789012345'],
    ['1234567890123456', '123456789012345'],
    ['systemd-networkd', 'systemd-network'],
    ['ööööööööö', 'ööööööö'],
    ['aaaaaaaaaaaaa😀', 'aaaaaaaaaaaaa'],
  ];
  for (const [program, comm] of rows) t.equal(commOf(program), comm, program);
});

const LONG = 'very-long-program-name';

t.test('arguments are looked at where the name says too little', async (t) => {
  t.notOk(needsArguments(processes()));
  t.ok(needsArguments(processes({ arguments: ['-f'] })));
  t.ok(needsArguments(processes({ program: LONG })));
});

const FITS: readonly (readonly [string, string, readonly string[], readonly string[], boolean])[] = [
  // what, program, wanted, argv, fits
  ['no arguments wanted', 'bird', [], ['/usr/sbin/bird', '-f'], true],
  ['the first arguments', 'bird', ['-c', 'a'], ['bird', '-c', 'a', '-f'], true],
  ['all arguments', 'bird', ['-f'], ['bird', '-f'], true],
  ['others', 'bird', ['-c', 'b'], ['bird', '-c', 'a'], false],
  ['in another place', 'bird', ['-f'], ['bird', '-c', '-f'], false],
  ['too few', 'bird', ['-c', 'a'], ['bird', '-c'], false],
  ['a part of a word', 'bird', ['-c'], ['bird', '-cfile'], false],
  ['a name that it gave itself', 'bird', [], ['bird: worker'], true],
  ['a script', 'check', ['-q'], ['/bin/sh', '/opt/check', '-q'], true],
  ['a script with other arguments', 'check', ['-q'], ['/bin/sh', '/opt/check', '-v', '-q'], false],
  ['a program that has itself as argument', 'bird', ['bird'], ['bird', 'bird'], true],
  ['a long name', LONG, [], [`/opt/${LONG}`], true],
  ['a long name of a script', LONG, [], ['/bin/sh', `/opt/${LONG}`], true],
  ['another name that begins like it', LONG, [], ['/opt/very-long-program-other'], false],
  ['a kernel thread', LONG, [], [''], false],
];

t.test('arguments fit from the first one on', async (t) => {
  for (const [what, program, wanted, argv, expected] of FITS)
    t.equal(fitsArguments(processes({ program, arguments: wanted }), argv), expected, what);
});

t.test('a zombie is dead, whatever its name holds', async (t) => {
  t.ok(isDead('12 (bird) Z 1 12 12 0'));
  t.ok(isDead('12 (bird) X 1 12 12 0'));
  t.notOk(isDead('12 (bird) S 1 12 12 0'));
  t.notOk(isDead('12 (a) Z 1) R 1 12 12 0'));
});

/** What counts after each second's number of processes. */
function play(counts: readonly number[], rest: Parameters<typeof processes>[0]): string {
  let state: CountState | undefined;
  return counts
    .map((count, second) => {
      state = stepCount(processes(rest), state, count, millis(second * 1000));
      return state.up ? 'u' : 'd';
    })
    .join('');
}

t.test('up from the minimum to the maximum', async (t) => {
  t.equal(play([0, 1, 2, 1, 0], {}), 'duuud');
  t.equal(play([1, 2, 3, 4], { minimum: 2, maximum: 3 }), 'duud');
  t.equal(play([0, 1], { minimum: 0, maximum: 0 }), 'ud');
});

t.test('a change counts when it has lasted; the first number counts at once', async (t) => {
  const delay = { delay: millis(2000) };
  t.equal(play([0, 1, 1, 1], delay), 'dddu');
  t.equal(play([1, 0, 0, 0], delay), 'uuud');
  t.equal(play([1, 0, 0, 1, 0, 0, 0], delay), 'uuuuuud', 'back in between begins the delay anew');
  t.equal(play([1, 0, 1, 0, 1, 0], delay), 'uuuuuu');
});

t.test('law: without a delay the last number alone decides', async (t) => {
  const numbers = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 });
  fc.assert(
    fc.property(numbers, (counts) => {
      const expected = counts.map((count) => (count >= 2 && count <= 3 ? 'u' : 'd')).join('');
      return play(counts, { minimum: 2, maximum: 3 }) === expected;
    }),
  );
  t.pass('held');
});
