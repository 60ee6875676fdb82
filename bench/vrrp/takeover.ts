/** How long nobody is master after the master was killed, beyond what the protocol asks for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Millis, millis } from '../../src/core/units.js';
import { type Contender, type Director, KEEPALIVED, LVSENTRY, sweep } from './director.js';
import { type Figures, figures, masterDown } from './figures.js';
import { Rig } from './rig.js';

const PRIORITY = 100;
const ID = 51;
const HOSTS = ['a', 'b'] as const;
/** From the death of one contender's master to that of the other's: its end has been paid for by then. */
const STAGGER = millis(60);
const SETTLING = millis(200);

/** How often at which interval. */
const ROUNDS: readonly (readonly [interval: Millis, rounds: number])[] = [
  [millis(10), 30],
  [millis(100), 30],
  [millis(1000), 10],
];

export interface TakeOver {
  readonly contender: string;
  readonly interval: Millis;
  /** From the last advert of the dead to the first of the new master, less the master-down interval. */
  readonly beyond: Figures;
  /** The same for its first gratuitous ARP. */
  readonly announced: Figures;
}

export interface TakeOverResult {
  readonly rows: readonly TakeOver[];
  readonly notes: readonly string[];
}

/** Two directors of one kind. Equal priorities: whoever comes back stays backup, and the next to die is the other. */
class Pair {
  readonly beyond: number[] = [];
  readonly announced: number[] = [];
  /** How often the role had moved before the kill. */
  moved = 0;
  readonly #directors: (Director | undefined)[] = [];
  #master: 0 | 1 = 0;

  constructor(
    readonly rig: Rig,
    readonly contender: Contender,
    readonly interval: Millis,
  ) {}

  #start(index: 0 | 1): Director {
    const router = { id: ID, interval: this.interval, priority: PRIORITY };
    const director = this.contender.start(this.rig.stage, HOSTS[index], [router]);
    this.#directors[index] = director;
    return director;
  }

  async begin(): Promise<void> {
    this.#start(0);
    await this.rig.stage.until('the first is master', () => this.rig.at('a').routers === 1);
    await this.#addBackup(1);
  }

  async #addBackup(index: 0 | 1): Promise<void> {
    const backup = this.#start(index);
    await this.rig.stage.until(`${this.contender.name} is backup`, backup.isBackup);
  }

  /** Whoever spoke last: who is late himself may have lost the role before he is killed. */
  #findMaster(): 0 | 1 {
    const [a = 0, b = 0] = HOSTS.map((host) => {
      const { sights } = this.rig.at(host);
      return sights.findLast(({ kind }) => kind === 'advert')?.at;
    });
    const master = b > a ? 1 : 0;
    if (master !== this.#master) this.moved += 1;
    return master;
  }

  /** Kills the master at any moment of its interval, and measures the other. */
  async killMaster(): Promise<void> {
    const { rig, interval } = this;
    await sleep(Math.random() * interval);
    const dead = this.#findMaster();
    const heir = dead === 0 ? 1 : 0;
    const [old, fresh] = [rig.at(HOSTS[dead]), rig.at(HOSTS[heir])];
    const mark = fresh.sights.length;
    await this.#directors[dead]?.kill();
    const announced = () => fresh.find(mark, 'announcement')?.at;
    await rig.stage.until('the other takes over', () => announced() !== undefined);
    const first = fresh.find(mark, 'advert')?.at ?? Number.NaN;
    const last = old.sights.findLast(({ kind }) => kind === 'advert')?.at ?? Number.NaN;
    const due = last + masterDown(interval, PRIORITY);
    this.beyond.push(first - due);
    this.announced.push((announced() ?? Number.NaN) - due);
    this.#master = heir;
  }

  /** Starts the dead one again. */
  async restore(): Promise<void> {
    const dead = this.#master === 0 ? 1 : 0;
    sweep(this.rig.stage, HOSTS[dead], [ID]);
    await this.#addBackup(dead);
  }

  result(): TakeOver {
    const { contender, interval, beyond, announced } = this;
    return { contender: contender.name, interval, beyond: figures(beyond), announced: figures(announced) };
  }
}

async function measure(interval: Millis, rounds: number): Promise<TakeOverResult> {
  const pairs: Pair[] = [];
  try {
    for (const contender of [LVSENTRY, KEEPALIVED])
      pairs.push(new Pair(await Rig.open(HOSTS), contender, interval));
    await Promise.all(pairs.map((pair) => pair.begin()));
    for (let round = 0; round < rounds; round += 1) {
      if (round > 0) await Promise.all(pairs.map((pair) => pair.restore()));
      await sleep(interval + SETTLING);
      await Promise.all(
        pairs.map(async (pair, index) => {
          await sleep(index * (interval + STAGGER));
          await pair.killMaster();
        }),
      );
    }
    const notes = pairs
      .filter(({ moved }) => moved > 0)
      .map(
        ({ contender, moved }) =>
          `${contender.name} at ${interval} ms changed roles ${moved} times by itself`,
      );
    return { rows: pairs.map((pair) => pair.result()), notes };
  } finally {
    await Promise.all(pairs.map(({ rig }) => rig.close()));
  }
}

export async function measureTakeOver(say: (text: string) => void): Promise<TakeOverResult> {
  const rows: TakeOver[] = [];
  const notes: string[] = [];
  for (const [interval, rounds] of ROUNDS) {
    say(`take-over after SIGKILL: ${rounds} rounds at ${interval} ms`);
    const result = await measure(interval, rounds);
    rows.push(...result.rows);
    notes.push(...result.notes);
  }
  return { rows, notes };
}
