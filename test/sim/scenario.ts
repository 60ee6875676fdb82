/** A scenario: some directors, their rules and what happens to them, as plain data that can be printed and shrunk. */
import { type Millis, millis } from '../../src/core/units.js';
import { Random } from './random.js';

export interface DirectorSpec {
  readonly name: string;
  readonly priority: number;
  readonly interval: Millis;
  readonly preempt: boolean;
  readonly preemptDelay: Millis;
  readonly startupDelay: Millis;
  readonly failbackDelay: Millis;
  readonly waitReady: boolean;
  /** From each start until the first verdicts are in. */
  readonly readyAfter: number;
  /** When it starts first. */
  readonly startAt: number;
  /** Its clock gains this many parts in a million. */
  readonly drift: number;
}

/** What goes wrong, from `at` until `until`. Directors are numbers from 0. */
export type Disturbance = { readonly at: number; readonly until: number } & (
  | { readonly kind: 'loss'; readonly probability: number }
  | { readonly kind: 'delay'; readonly most: number }
  | { readonly kind: 'duplicate'; readonly probability: number }
  /** Nothing from one reaches the other; the other way is open. */
  | { readonly kind: 'cut'; readonly from: number; readonly to: number }
  /** The directors named and the others do not hear each other. */
  | { readonly kind: 'partition'; readonly side: readonly number[] }
  /** SIGSTOP and SIGCONT, or a machine that is suspended and loses what was sent to it. */
  | { readonly kind: 'pause'; readonly director: number; readonly keepsPackets: boolean }
  /** SIGKILL; started again at the end. */
  | { readonly kind: 'kill'; readonly director: number }
  /** SIGTERM; started again at the end. */
  | { readonly kind: 'stop'; readonly director: number }
  /** Cable pulled, seen as a fault. */
  | { readonly kind: 'unplug'; readonly director: number }
  | { readonly kind: 'priority'; readonly director: number; readonly priority: number }
);

export interface Scenario {
  readonly seed: number;
  readonly duration: number;
  readonly version: 2 | 3;
  /** Links that each director has an instance on; two make a sync group. */
  readonly links: 1 | 2;
  /** Between sending and hearing while nothing is wrong, and how late a timer runs then: at most. */
  readonly calm: number;
  readonly directors: readonly DirectorSpec[];
  readonly disturbances: readonly Disturbance[];
}

type Times = Pick<Scenario, 'directors' | 'calm'>;

/** So long after the last disturbance there is a master, whatever the state they were left in. */
export function masterWithin({ directors, calm }: Times): number {
  const interval = Math.max(...directors.map((director) => director.interval));
  const startup = Math.max(...directors.map((director) => director.startupDelay));
  const skew = Math.max(interval, 1000);
  // A whole master-down interval, once more an interval and a skew for one that overslept, and the way there.
  return startup + 3 * interval + skew + interval + skew + 10 * calm;
}

/** So long after the last disturbance nobody changes his role any more. */
export function settledWithin(scenario: Times): number {
  const { directors } = scenario;
  const interval = Math.max(...directors.map((director) => director.interval));
  const waits = directors.map(({ preemptDelay, failbackDelay, readyAfter }) => {
    return preemptDelay + failbackDelay + readyAfter;
  });
  // After the first master, a preemption by each of the others in turn at worst.
  const preemption = 3 * interval + Math.max(interval, 1000) + 2 * interval;
  return masterWithin(scenario) + Math.max(...waits) + directors.length * preemption;
}

const DURATION = 600_000;

function makeDirector(random: Random, index: number, interval: number, mixed: boolean): DirectorSpec {
  const own = mixed && random.chance(0.5) ? interval * random.pick([1, 2, 3]) : interval;
  return {
    name: String.fromCharCode(97 + index),
    priority: random.pick([50, 100, 100, 100, 150, 200, 254, 255, random.whole(1, 254)]),
    interval: millis(own),
    preempt: random.chance(0.7),
    preemptDelay: millis(random.chance(0.2) ? 3000 : 0),
    startupDelay: millis(random.chance(0.15) ? 2000 : 0),
    failbackDelay: millis(random.chance(0.15) ? 8000 : 0),
    waitReady: random.chance(0.2),
    readyAfter: random.chance(0.3) ? random.between(0, 9000) : 0,
    startAt: random.chance(0.5) ? 0 : random.between(0, 10_000),
    drift: random.between(-500, 500),
  };
}

function makeDisturbance(random: Random, count: number, at: number, until: number): Disturbance {
  const director = random.whole(0, count - 1);
  const when = { at, until };
  const other = (director + random.whole(1, count - 1)) % count;
  switch (random.whole(0, 9)) {
    case 0:
      return { ...when, kind: 'loss', probability: random.pick([0.05, 0.3, 0.7]) };
    case 1:
      return { ...when, kind: 'delay', most: random.pick([50, 800, 4000]) };
    case 2:
      return { ...when, kind: 'duplicate', probability: random.pick([0.1, 1]) };
    case 3:
      return { ...when, kind: 'cut', from: director, to: other };
    case 4: {
      const side = Array.from({ length: count }, (_, index) => index).filter(() => random.chance(0.5));
      return { ...when, kind: 'partition', side };
    }
    case 5:
      return { ...when, kind: 'pause', director, keepsPackets: random.chance(0.6) };
    case 6:
      return { ...when, kind: 'kill', director };
    case 7:
      return { ...when, kind: 'stop', director };
    case 8:
      return { ...when, kind: 'unplug', director };
    default:
      return { ...when, kind: 'priority', director, priority: random.whole(1, 254) };
  }
}

/** Bad times with several things at once, and calm ones long enough to settle. */
function makeDisturbances(random: Random, times: Times, duration: number): Disturbance[] {
  const disturbances: Disturbance[] = [];
  const { directors } = times;
  const settled = settledWithin(times);
  const interval = Math.max(...directors.map((director) => director.interval));
  let now = 10_000 + (random.chance(0.5) ? settled : 0);
  while (now + 20 * interval < duration) {
    const end = now + random.pick([4, 8, 20]) * interval;
    for (let count = random.whole(1, 4); count > 0; count -= 1) {
      const at = random.between(now, end);
      disturbances.push(makeDisturbance(random, directors.length, at, random.between(at, end)));
    }
    now = end + (random.chance(0.8) ? settled + random.between(0, 5) * interval : random.between(0, settled));
  }
  return disturbances.sort((a, b) => a.at - b.at);
}

/** The scenario of a seed. */
export function makeScenario(seed: number, duration = DURATION): Scenario {
  const random = new Random(seed);
  const version = random.chance(0.3) ? 2 : 3;
  const interval = version === 2 ? 1000 : random.pick([1000, 1000, 1000, 1000, 2500, 300, 100]);
  const count = random.pick([2, 2, 3, 3, 4, 5]);
  const mixed = version === 3 && random.chance(0.2);
  const directors = Array.from({ length: count }, (_, index) => makeDirector(random, index, interval, mixed));
  const links = random.chance(0.2) ? 2 : 1;
  // Less than a twentieth of the shortest interval, so that calm is calm.
  const calm = Math.min(5, interval / 20);
  const disturbances = makeDisturbances(random, { directors, calm }, duration);
  return { seed, duration, version, links, calm, directors, disturbances };
}

function seconds(value: number): string {
  return (value / 1000).toFixed(3);
}

/** For people: what a scenario holds. */
export function describeScenario(scenario: Scenario): string {
  const { seed, version, links, duration, directors, disturbances } = scenario;
  const lines = [`seed ${seed}, version ${version}, ${links} link(s), ${seconds(duration)} s`];
  for (const [index, { name, ...rest }] of directors.entries())
    lines.push(`  ${index} ${name}: ${JSON.stringify(rest)}`);
  for (const { at, until, ...rest } of disturbances)
    lines.push(`  ${seconds(at)}-${seconds(until)} ${JSON.stringify(rest)}`);
  return lines.join('\n');
}
