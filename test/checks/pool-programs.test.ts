/** Programs of probe workers: what a reload leaves alone, and what nobody may leave behind. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Check, VerdictChange } from '../../src/checks/model.js';
import { ProbePool, type WorkerDeath } from '../../src/checks/pool.js';
import { finish } from '../../src/core/steps.js';
import { millis } from '../../src/core/units.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { reapChild } from '../../src/sys/pipe.js';
import { eventually, lives, Scripts } from '../exec/scripts.js';
import { LOCALHOST } from './listeners.js';
import { tell } from './orders.js';
import { EVEN } from './rule.js';

/** The first probe comes at a random part of the interval: soon. */
const SOON = { ...EVEN, interval: millis(200), timeout: millis(60_000), rise: 1, fall: 1 };

function poolOf(t: Test): { pool: ProbePool; changes: VerdictChange[]; deaths: WorkerDeath[] } {
  const [changes, deaths]: [VerdictChange[], WorkerDeath[]] = [[], []];
  const pool = new ProbePool({
    workerFile: new URL('./mortal-worker.js', import.meta.url),
    workersMax: 1,
    timers: systemTimers,
    turns: systemTurns,
    reapChild,
    onChanges: (some) => void changes.push(...some),
    onSuspicions: () => undefined,
    onRemarks: () => undefined,
    onDigest: () => undefined,
    onWorkerDied: (death) => void deaths.push(death),
    onDefect: () => undefined,
  });
  t.teardown(() => pool.close());
  return { pool, changes, deaths };
}

function update(
  pool: ProbePool,
  checks: readonly Check[],
  verdicts: ReadonlyMap<Check['id'], 'up' | 'down'>,
): void {
  finish(pool.update(checks, verdicts));
}

function check(id: string, path: string): Check {
  const target = { address: LOCALHOST, port: 1 };
  const rest = { user: undefined, environment: {}, contract: 'exit' } as const;
  return { id, rule: SOON, probe: { type: 'exec', target, argv: [path], ...rest } };
}

const zombies = (): string =>
  execFileSync('ps', ['-o', 'stat=,comm=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('Z'))
    .join();

/** Ignores TERM, and has a child that does too. */
const STUBBORN = `trap '' TERM
  (trap '' TERM; echo $$ > /dev/null; while :; do sleep 0.1; done) & echo $! >> $DIR/pids
  echo $$ >> $DIR/pids
  while :; do sleep 0.1; done`;

const pidsOf = (scripts: Scripts): readonly number[] =>
  scripts.read('pids').trim().split('\n').filter(Boolean).map(Number);

for (const how of ['throw', 'exit'] as const) {
  t.test(`a worker that dies by ${how} leaves no program`, async (t) => {
    const scripts = new Scripts(t);
    const { pool, deaths } = poolOf(t);
    const path = scripts.write('stubborn', STUBBORN);
    update(pool, [check('web/a', path), check('web/b', path)], new Map());
    await eventually('some run', () => pidsOf(scripts).length >= 4);
    const pids = pidsOf(scripts);
    t.ok(pids.every(lives));
    tell(0, { kind: how });
    await eventually('the worker is dead', () => deaths.length === 1);
    await eventually('nothing of it is left', () => !pids.some(lives));
    await pool.close();
    await eventually('nor of its successor', () => !pidsOf(scripts).some(lives));
    await eventually('no zombie', () => zombies() === '');
  });
}

t.test('the end leaves no program, not even one that ignores being told', async (t) => {
  const scripts = new Scripts(t);
  const { pool } = poolOf(t);
  update(pool, [check('web/a', scripts.write('stubborn', STUBBORN))], new Map());
  await eventually('it runs', () => pidsOf(scripts).length === 2);
  await pool.close();
  await eventually('nothing is left', () => !pidsOf(scripts).some(lives));
  await eventually('no zombie', () => zombies() === '');
});

t.test(
  'a reload leaves the programs of checks alone that did not change, and ends those of others',
  async (t) => {
    const scripts = new Scripts(t);
    const { pool, changes } = poolOf(t);
    const body = (name: string): string =>
      `echo $$ >> $DIR/${name}.pid; while [ ! -e $DIR/go ]; do sleep 0.02; done`;
    const [kept, gone] = ['kept', 'gone'].map((name) =>
      check(`web/${name}`, scripts.write(name, body(name))),
    );
    if (kept === undefined || gone === undefined) throw new Error('two checks');
    update(pool, [kept, gone], new Map());
    await eventually('both run', () => scripts.read('kept.pid') !== '' && scripts.read('gone.pid') !== '');
    update(pool, [structuredClone(kept), check('web/new', scripts.write('new', 'exit 0'))], new Map());
    await eventually('the other is ended', () => !lives(Number(scripts.read('gone.pid'))));
    await eventually('the new one is probed', () => changes.some(({ id }) => id === 'web/new'));
    writeFileSync(scripts.path('go'), '');
    await eventually('the old one ends', () => changes.some(({ id }) => id === 'web/kept'));
    t.match(
      changes.find(({ id }) => id === 'web/kept'),
      { verdict: 'up' },
    );
  },
);
