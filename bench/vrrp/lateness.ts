/** How punctual adverts are while nothing, or a lot, goes on beside them. */

import { get } from 'node:http';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Millis, millis, seconds } from '../../src/core/units.js';
import { type Checks, lvsentryConfig, type Router } from './configs.js';
import { type Contender, type Director, KEEPALIVED, KEEPALIVED_RT, LVSENTRY } from './director.js';
import { type Figures, figures, gapErrors, scheduleLateness } from './figures.js';
import { Rig } from './rig.js';
import type { Sight } from './sight.js';

const INTERVALS = [10, 100, 1000].map(millis);
/** The longer the interval, the more virtual routers, for enough adverts in the time there is. */
const ROUTERS: readonly Router[] = INTERVALS.flatMap((interval, index) =>
  Array.from({ length: [1, 2, 6][index] ?? 1 }, (_, number) => ({
    id: 10 * (index + 1) + number,
    interval,
    priority: 150,
  })),
);

const WINDOW = seconds(15);
const SETTLING = seconds(2);
const START_LIMIT = seconds(60);
const CHECKS: Checks = { count: 5000, interval: seconds(2), timeout: millis(1000) };
const SIGNAL_GAP = millis(50);
const ASK_GAP = millis(250);

const BUSY = 'for (;;);';
const ACCEPTING =
  'require("net").createServer((s) => { s.on("error", () => {}); s.destroy(); }).listen(80, "0.0.0.0", 4096)';

/** Something that goes on while adverts are measured; `stop` says what has to be known of it. */
interface Load {
  readonly stop: () => Promise<string | undefined>;
}

interface Condition {
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly checks?: Checks;
  readonly load?: (rig: Rig, director: Director) => Load;
}

/** What one contender's adverts were like in one condition. */
export interface Punctuality {
  readonly condition: string;
  readonly contender: string;
  readonly interval: Millis;
  /** From one advert to the next, against the interval. */
  readonly gaps: Figures;
  readonly schedule: Figures;
}

export interface LatenessResult {
  readonly rows: readonly Punctuality[];
  readonly notes: readonly string[];
}

function hogs(rig: Rig): Load {
  const programs = Array.from({ length: availableParallelism() }, () =>
    rig.stage.start('a', process.execPath, '-e', BUSY),
  );
  return {
    stop: async () => {
      await Promise.all(programs.map((program) => program.stop('SIGKILL')));
      return undefined;
    },
  };
}

/** How long main takes to say that it is alive. */
function ask(socketPath: string): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => {
    // An answer that breaks off has no end; a request that failed is closed too.
    const done = (): void => resolve(performance.now() - start);
    const request = get({ socketPath, path: '/healthz' }, (answer) => answer.resume());
    request.once('close', done).once('error', done);
  });
}

/** Every configuration changes each of the checks, and the next one waits already. */
function reloads(_rig: Rig, director: Director): Load {
  const texts = [CHECKS.timeout, millis(CHECKS.timeout - 1)].map((timeout) =>
    lvsentryConfig(ROUTERS, director.socket, { ...CHECKS, timeout }),
  );
  const answers: number[] = [];
  let count = 0;
  let over = false;
  const signals = setInterval(() => {
    director.rewrite(texts[count % 2] ?? '');
    count += 1;
    director.program.child.kill('SIGHUP');
  }, SIGNAL_GAP);
  const asking = (async () => {
    while (!over) {
      answers.push(await ask(director.socket));
      await sleep(ASK_GAP);
    }
  })();
  return {
    stop: async () => {
      clearInterval(signals);
      over = true;
      await asking;
      const { p50, max } = figures(answers);
      return `while main read configurations, \`/healthz\` was answered after ${p50.toFixed(0)} ms (median) to ${max.toFixed(0)} ms`;
    },
  };
}

const CONDITIONS: readonly Condition[] = [
  { name: 'idle', contenders: [KEEPALIVED, KEEPALIVED_RT, LVSENTRY] },
  { name: 'a busy process for every core', contenders: [KEEPALIVED, KEEPALIVED_RT, LVSENTRY], load: hogs },
  { name: '5,000 checks', contenders: [LVSENTRY], checks: CHECKS },
  { name: '5,000 checks, main blocked by reloads', contenders: [LVSENTRY], checks: CHECKS, load: reloads },
];

/** The adverts of each virtual router, as times. */
function timesOf(sights: readonly Sight[], interval: Millis): Millis[][] {
  return ROUTERS.filter((router) => router.interval === interval).map(({ id }) =>
    sights.filter((sight) => sight.kind === 'advert' && sight.id === id).map(({ at }) => at),
  );
}

function punctuality(condition: string, contender: string, sights: readonly Sight[]): Punctuality[] {
  return INTERVALS.map((interval) => {
    const times = timesOf(sights, interval);
    return {
      condition,
      contender,
      interval,
      gaps: figures(times.flatMap((each) => gapErrors(each, interval))),
      schedule: figures(times.flatMap((each) => scheduleLateness(each, interval))),
    };
  });
}

async function measure({ name, contenders, checks, load }: Condition): Promise<LatenessResult> {
  const notes: string[] = [];
  const rigs = await Promise.all(contenders.map(() => Rig.open(['a'])));
  try {
    if (checks !== undefined) rigs[0]?.stage.start('a', process.execPath, '-e', ACCEPTING);
    const directors = contenders.flatMap((contender, index) => {
      const rig = rigs[index];
      return rig === undefined ? [] : [contender.start(rig.stage, 'a', ROUTERS, checks)];
    });
    for (const { stage, heard } of rigs.map((rig) => ({
      stage: rig.stage,
      heard: () => rig.at('a').routers,
    })))
      await stage.until('all are master', () => heard() === ROUTERS.length, START_LIMIT);
    const [rig, director] = [rigs.at(-1), directors.at(-1)];
    const running = rig !== undefined && director !== undefined ? load?.(rig, director) : undefined;
    await sleep(SETTLING);
    const marks = rigs.map((rig) => rig.at('a').sights.length);
    await sleep(WINDOW);
    const seen = rigs.map((rig, index) => rig.at('a').sights.slice(marks[index]));
    const told = await running?.stop();
    if (told !== undefined) notes.push(told);
    const rows = contenders.flatMap((contender, at) => punctuality(name, contender.name, seen[at] ?? []));
    return { rows, notes };
  } finally {
    const missed = await Promise.all(rigs.map((rig) => rig.close()));
    for (const count of missed) if (count > 0) notes.push(`${name}: the observer missed ${count} frames`);
  }
}

export async function measureLateness(say: (text: string) => void): Promise<LatenessResult> {
  const rows: Punctuality[] = [];
  const notes: string[] = [];
  for (const condition of CONDITIONS) {
    say(`lateness of adverts: ${condition.name}`);
    const result = await measure(condition);
    rows.push(...result.rows);
    notes.push(...result.notes);
  }
  return { rows, notes };
}
