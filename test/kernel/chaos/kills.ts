/** kill -9 at random moments of an apply: the table ends right, and nothing that is right is ever taken away. */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import type { Random } from '../../sim/random.js';
import { eventually } from '../client.js';
import type { Director } from '../director.js';
import { manyLines, manyServices } from '../many.js';
import { tableBecomes } from '../table-becomes.js';
import { directorTable, runOn } from '../topology.js';
import type { TableWatch } from './watch.js';

const SERVICES = 300;
const SERVERS = 6;
/** After this without a verdict a server counts as what its check assumes: up. */
const CONFIG = `cold-start: 1s\n${manyServices(SERVICES, SERVERS)}`;
const FOREIGN = ['-A -t 192.0.2.200:80 -s rr', '-a -t 192.0.2.200:80 -r 192.0.2.201:80 -m -w 3'];
const LIMIT_MS = 120_000;
/** From the first change that is seen to the kill, at most: about what the whole apply takes. */
const KILL_WITHIN_MS = 60;

/** Commands of ipvsadm in one run of it: they cost a tenth of as many runs. */
function ipvsadmAll(folder: string, lines: readonly string[]): void {
  const file = `${folder}/damage`;
  writeFileSync(file, `${lines.join('\n')}\n`);
  runOn('director', 'sh', '-c', `ipvsadm -R < ${file}`);
}

/** What somebody might have done to one entry of a right table; undefined: nothing. */
function damageOf(line: string, chance: Random, isAway: boolean): string | undefined {
  const [command, ...rest] = line.split(' ');
  const at = rest.slice(0, 2).join(' ');
  if (chance.chance(0.6)) return undefined;
  if (command === '-A') return `-E ${at} -s rr`;
  const server = rest.slice(2, 4).join(' ');
  return isAway && chance.chance(0.5) ? `-d ${at} ${server}` : `-e ${at} ${server} -g -w 9`;
}

/**
 * Leaves a table of which some is right, some is not, some is missing, and some is foreign.
 * @param isAway whether single servers are missing, too: they wait for the end of the cold start
 */
function damage(folder: string, chance: Random, isAway: boolean): void {
  const gone = new Set<string>();
  const right: string[] = [];
  const wrong: string[] = [];
  for (const line of manyLines(SERVICES, SERVERS)) {
    const service = line.split(' ')[2] ?? '';
    if (line.startsWith('-A') && chance.chance(0.3)) gone.add(service);
    if (gone.has(service)) continue;
    right.push(line);
    const change = damageOf(line, chance, isAway);
    if (change !== undefined) wrong.push(change);
  }
  ipvsadmAll(folder, ['-C', ...right, ...wrong, ...FOREIGN]);
}

export interface KillLab {
  readonly folder: string;
  readonly director: Director;
  readonly watch: TableWatch;
  readonly chance: Random;
  /** How the whole table looks when it is right, without what is foreign. */
  readonly whole: ReadonlySet<string>;
}

/** The table of `CONFIG` when it is right. */
export async function rightTable(t: Assertions, lab: Omit<KillLab, 'whole'>): Promise<ReadonlySet<string>> {
  lab.director.configure(CONFIG);
  await lab.director.start();
  await tableBecomes(t, manyLines(SERVICES, SERVERS), 'the table is right', LIMIT_MS);
  const whole = lab.watch.now();
  await lab.director.stop('SIGKILL');
  return whole;
}

/** One start on a damaged table, killed at a random moment. @returns how much was wrong before, and what was left */
async function killOnce({ director, watch, chance, whole }: KillLab) {
  const before = watch.now();
  const wrong = (entries: ReadonlySet<string>): number =>
    [...whole].filter((one) => !entries.has(one)).length;
  const foreign = [...before].filter((one) => !whole.has(one));
  const kept = [...before].filter((one) => whole.has(one));
  watch.guard(kept);
  director.launch();
  await eventually(() => wrong(watch.now()) < wrong(before) || !director.process.running, LIMIT_MS, 2);
  await pause(chance.between(0, KILL_WITHIN_MS));
  await director.stop('SIGKILL');
  const after = watch.now();
  const own = new Set([...whole, ...foreign]);
  return {
    missed: watch.missed(),
    strange: [...after].filter((one) => !own.has(one)),
    before: wrong(before),
    after: wrong(after),
  };
}

/** As many kills; then a start that is left alone. */
export async function kills(t: Assertions, lab: KillLab, count: number): Promise<void> {
  let inTheMiddle = 0;
  for (let round = 1; round <= count; round += 1) {
    damage(lab.folder, lab.chance, false);
    const { missed, strange, before, after } = await killOnce(lab);
    if (after > 0 && after < before) inTheMiddle += 1;
    if (missed.length > 0 || strange.length > 0) {
      t.strictSame(missed, [], `round ${round}: nothing that was right was ever away`);
      t.strictSame(strange, [], `round ${round}: each entry is right, or as it was before`);
    }
  }
  t.comment(`${inTheMiddle} of ${count} kills came in the middle of the apply`);
  t.ok(inTheMiddle > 0, 'some came in the middle');
  damage(lab.folder, lab.chance, true);
  const kept = [...lab.watch.now()].filter((one) => lab.whole.has(one));
  lab.watch.guard(kept);
  await lab.director.start();
  const wanted = [...manyLines(SERVICES, SERVERS), ...FOREIGN];
  await tableBecomes(t, wanted, 'the next start makes all of it right, beside what is foreign', LIMIT_MS);
  t.strictSame(lab.watch.missed(), [], 'and what was right was never away');
  t.ok(lab.watch.looks > 1, 'somebody looked');
  await lab.director.stop();
  runOn('director', 'ipvsadm', '-C');
  t.equal(directorTable().length, 0);
}
