/** As many virtual routers as one network holds, on one interface. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Millis, millis, seconds } from '../../src/core/units.js';
import { addressOf, type Router } from './configs.js';
import { type Contender, costOf, KEEPALIVED, LVSENTRY } from './director.js';
import { type Figures, figures, gapErrors, masterDown } from './figures.js';
import { Rig } from './rig.js';
import type { Sight } from './sight.js';

const COUNT = 255;
const INTERVALS = [1000, 100].map(millis);
const WINDOW = seconds(10);
const LIMIT = seconds(40);
/** keepalived announces again after 5 s, and so do we: the steady state begins behind that. */
const SETTLING = seconds(7);
const PRIORITY = 100;

export interface Many {
  readonly contender: string;
  readonly interval: Millis;
  /** From the start of the program to the first advert of the last virtual router, in ms. */
  readonly started: number;
  /** Of one core, in the steady state. */
  readonly cpuShare: number;
  readonly memory: number;
  readonly gaps: Figures;
  /** When the master of all of them is killed: beyond the master-down interval, for each. */
  readonly beyond: Figures;
  /** The same for the first gratuitous ARP of each. */
  readonly announced: Figures;
}

function routers(interval: Millis, priority: number): Router[] {
  return Array.from({ length: COUNT }, (_, index) => ({ id: index + 1, interval, priority }));
}

/** Adverts by virtual router. */
function byRouter(sights: readonly Sight[]): Map<number, Millis[]> {
  const times = new Map<number, Millis[]>();
  for (const sight of sights) {
    if (sight.kind !== 'advert') continue;
    const known = times.get(sight.id);
    if (known === undefined) times.set(sight.id, [sight.at]);
    else known.push(sight.at);
  }
  return times;
}

function announcements(sights: readonly Sight[]): Map<string, Millis> {
  const first = new Map<string, Millis>();
  for (const sight of sights)
    if (sight.kind === 'announcement' && !first.has(sight.address)) first.set(sight.address, sight.at);
  return first;
}

/** The gaps that a take-over left, one for each virtual router. */
function takeOver(rig: Rig, mark: number, interval: Millis): Pick<Many, 'beyond' | 'announced'> {
  const old = byRouter(rig.at('a').sights);
  const fresh = byRouter(rig.at('b').sights.slice(mark));
  const announced = announcements(rig.at('b').sights.slice(mark));
  const beyond: number[] = [];
  const behind: number[] = [];
  for (const [id, [first = Number.NaN]] of fresh) {
    const due = (old.get(id)?.at(-1) ?? Number.NaN) + masterDown(interval, PRIORITY);
    beyond.push(first - due);
    behind.push((announced.get(addressOf(id)) ?? Number.NaN) - due);
  }
  return { beyond: figures(beyond), announced: figures(behind) };
}

async function measure(contender: Contender, interval: Millis): Promise<Many> {
  const rig = await Rig.open(['a', 'b']);
  try {
    const begun = performance.timeOrigin + performance.now();
    const director = contender.start(rig.stage, 'a', routers(interval, PRIORITY));
    await rig.stage.until('all are master', () => rig.at('a').routers === COUNT, LIMIT);
    const firsts = [...byRouter(rig.at('a').sights).values()].map(([at]) => at ?? Number.NaN);
    const started = Math.max(...firsts) - begun;

    await sleep(SETTLING);
    const before = costOf(director);
    const mark = rig.at('a').sights.length;
    const since = performance.now();
    await sleep(WINDOW);
    const after = costOf(director);
    const cpuShare = (after.cpu - before.cpu) / ((performance.now() - since) / 1000);
    const steady = byRouter(rig.at('a').sights.slice(mark));
    const gaps = figures([...steady.values()].flatMap((times) => gapErrors(times, interval)));

    const backup = contender.start(rig.stage, 'b', routers(interval, PRIORITY));
    await rig.stage.until('the other is backup', backup.isBackup, LIMIT);
    await sleep(interval + 1000);
    const killed = rig.at('b').sights.length;
    await director.kill();
    const heirs = (): Map<string, Millis> => announcements(rig.at('b').sights.slice(killed));
    await rig.stage.until('the other takes all', () => heirs().size === COUNT, LIMIT);
    const taken = takeOver(rig, killed, interval);
    return { contender: contender.name, interval, started, cpuShare, memory: after.memory, gaps, ...taken };
  } finally {
    await rig.close();
  }
}

export async function measureMany(say: (text: string) => void): Promise<Many[]> {
  const results: Many[] = [];
  for (const interval of INTERVALS)
    for (const contender of [KEEPALIVED, LVSENTRY]) {
      say(`${COUNT} virtual routers at ${interval} ms: ${contender.name}`);
      results.push(await measure(contender, interval));
    }
  return results;
}
