/** `npm run bench -- checks [ROUNDS | tcp|http CHECKS | flap]`: what a check costs, beside keepalived and a C program that does the least. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable } from '../scripts/markdown.js';
import { bundleForGuest } from '../test/kernel/bundle.js';
import { PROJECT } from '../test/kernel/lab.js';
import { upOf } from './checks/ask.js';
import { apiSocket, CONTENDERS, type Contender, type Kind, type Load, PORT } from './checks/contenders.js';
import { measureFlaps } from './checks/flap.js';
import { keepalivedVersion, loadText, machineText, publish } from './report.js';

/** The contenders take turns, for what else goes on; the figures are medians. The largest load has one round. */
const ROUNDS = 3;
const LARGEST = 20_000;
const LOADS: readonly Load[] = (['tcp', 'http'] as const).flatMap((kind) =>
  [1000, 5000, LARGEST].map((checks) => ({ kind, checks })),
);
const SETTLE_MS = 6000;
const MEASURE_MS = 10_000;
/** From the start of a daemon until its memory is looked at: what V8 leaves about of a start is collected by then. */
const MEMORY_MS = 30_000;
const VERDICTS_LIMIT_MS = 120_000;
/** Jiffies of /proc (USER_HZ) are the same on every machine that Node runs on. */
const JIFFIES_PER_SECOND = 100;

interface Cost {
  readonly contender: string;
  readonly load: Load;
  /** Of the processor, for one check: all processes of the program, user and kernel. */
  readonly micros: number;
  /** A second, as the kernel counted the connections. */
  readonly rate: number;
  readonly megabytes: number;
  /** From exec until every check has passed once; undefined where nobody says. */
  readonly verdictsMs: number | undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function must(command: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}

function build(folder: string): void {
  const source = (name: string): string => join(PROJECT, 'bench/checks', name);
  for (const name of ['target', 'bound']) must('cc', '-O2', '-o', join(folder, name), source(`${name}.c`));
  must('cc', '-O2', '-shared', '-fPIC', '-o', join(folder, 'table-stub.so'), source('table-stub.c'));
}

/** The process and all that it started. */
function family(pid: number): readonly number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => statOf(Number(name))?.[1] === String(pid))
    .map(Number);
  return [pid, ...children.flatMap(family)];
}

/** Fields of proc(5) from the third on; undefined where the process is gone. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function cpuSeconds(pids: readonly number[]): number {
  const jiffies = pids.map((pid) => Number(statOf(pid)?.[11] ?? 0) + Number(statOf(pid)?.[12] ?? 0));
  return jiffies.reduce((sum, value) => sum + value, 0) / JIFFIES_PER_SECOND;
}

function megabytesOf(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}

/** A namespace with nothing but loopback, and the target in it. */
class Place {
  readonly name = `lvbench-${process.pid}`;
  readonly #children: ChildProcess[] = [];

  constructor() {
    must('ip', 'netns', 'add', this.name);
    must('ip', '-n', this.name, 'link', 'set', 'lo', 'up');
  }

  run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return child;
  }

  /** Connections that were begun, since the namespace is there. */
  begun(): number {
    const { stdout } = spawnSync('ip', ['netns', 'exec', this.name, 'cat', '/proc/net/snmp'], {
      encoding: 'utf8',
    });
    return Number(/^Tcp: \d.*/m.exec(stdout)?.[0].split(' ')[5]);
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await pause(200);
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}

async function untilVerdicts(
  one: Contender,
  load: Load,
  folder: string,
  said: () => string,
): Promise<number | undefined> {
  if (one.name === 'C') return undefined;
  const start = performance.now();
  while (performance.now() - start < VERDICTS_LIMIT_MS) {
    const passed = one.passed === undefined ? await upOf(folder) : one.passed(said());
    if (passed >= load.checks) return performance.now() - start;
    await pause(20);
  }
  throw new Error(
    `${one.name} has not passed all of ${load.checks} ${load.kind} checks:\n${said().slice(-2000)}`,
  );
}

async function measure(place: Place, one: Contender, load: Load, folder: string): Promise<Cost> {
  const began = performance.now();
  const child = place.run(one.command(load, folder), one.environment?.(folder));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
  try {
    const verdictsMs = await untilVerdicts(one, load, folder, () => said);
    await pause(SETTLE_MS);
    const cost = await costOf(place, child);
    if (one.name !== 'C') await pause(Math.max(0, MEMORY_MS - (performance.now() - began)));
    const megabytes = megabytesOf(family(child.pid ?? 0));
    return { contender: one.name, load, verdictsMs, megabytes, ...cost };
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(apiSocket(folder), { force: true });
  }
}

async function costOf(place: Place, child: ChildProcess): Promise<Pick<Cost, 'micros' | 'rate'>> {
  const pids = family(child.pid ?? 0);
  const [cpu, begun, start] = [cpuSeconds(pids), place.begun(), performance.now()];
  await pause(MEASURE_MS);
  const seconds = (performance.now() - start) / 1000;
  const done = place.begun() - begun;
  const micros = ((cpuSeconds(pids) - cpu) * 1e6) / done;
  return { micros, rate: done / seconds };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The medians of each contender with each load. */
function medians(costs: readonly Cost[]): readonly Cost[] {
  const groups = new Map<string, Cost[]>();
  for (const cost of costs) {
    const name = `${cost.load.kind} ${cost.load.checks} ${cost.contender}`;
    groups.set(name, [...(groups.get(name) ?? []), cost]);
  }
  return [...groups.values()].flatMap((its) => {
    const of = (figure: 'micros' | 'rate' | 'megabytes') => median(its.map((cost) => cost[figure]));
    const verdicts = its.flatMap(({ verdictsMs }) => verdictsMs ?? []);
    const verdictsMs = verdicts.length === 0 ? undefined : median(verdicts);
    return its.slice(0, 1).map((one) => ({
      ...one,
      micros: of('micros'),
      rate: of('rate'),
      megabytes: of('megabytes'),
      verdictsMs,
    }));
  });
}

/** One that cannot be measured is told of, and takes nothing from the others. */
async function measureAll(place: Place, loads: readonly Load[], rounds: number, folder: string) {
  const costs: Cost[] = [];
  const failed: string[] = [];
  for (const load of loads)
    for (let round = 0; round < (load.checks === LARGEST ? 1 : rounds); round += 1)
      for (const one of CONTENDERS) {
        console.error(`${one.name}: ${load.checks} ${load.kind} checks (load ${loadText()}) ...`);
        try {
          costs.push(await measure(place, one, load, folder));
        } catch (thrown) {
          console.error(thrown);
          const what = `${one.name} with ${load.checks} ${load.kind} checks, round ${round + 1}`;
          failed.push(`* not measured: ${what}`);
        }
      }
  return { costs, failed };
}

function table(costs: readonly Cost[], loads: readonly Load[]): string {
  const head = [
    'checks',
    'program',
    'µs of processor a check',
    '× keepalived',
    'a second',
    'PSS, MB',
    'exec to all passed, ms',
  ];
  const rows = loads.flatMap((load) => {
    const its = costs.filter((cost) => cost.load === load);
    const theirs = its.find(({ contender }) => contender === 'keepalived')?.micros ?? Number.NaN;
    return its.map(({ contender, micros, rate, megabytes, verdictsMs }) => [
      `${load.checks.toLocaleString('en')} ${load.kind}`,
      contender,
      micros.toFixed(1),
      (micros / theirs).toFixed(2),
      rate.toFixed(0),
      megabytes.toFixed(1),
      verdictsMs?.toFixed(0) ?? '–',
    ]);
  });
  return markdownTable([head, ...rows]);
}

/** Once, after the costs: the target is another one then. */
async function flapText(place: Place, folder: string): Promise<string> {
  const loopDelay = join(folder, 'loop-delay.mjs');
  try {
    await bundleForGuest(fileURLToPath(new URL('./guest/loop-delay.js', import.meta.url)), loopDelay);
    const run = place.run.bind(place);
    const program = join(PROJECT, 'dist/bundle/src/main.js');
    const { held, toTable, late } = await measureFlaps({ run, folder, program, loopDelay });
    const row = (what: string, { p50, p99, max }: { p50?: number; p99: number; max: number }) => [
      what,
      p50?.toFixed(2) ?? '–',
      p99.toFixed(2),
      max.toFixed(2),
    ];
    const rows = [
      ['lvsentry, 5,000 http checks a second, ms', 'p50', 'p99', 'longest'],
      row('event loop of main held while all fail and come back, three times', held),
      row("from a worker's verdict to the table changed, all at once (clocks of 1 ms)", toTable),
      row('from the deadline of a probe to its end, all silent', late),
    ];
    return markdownTable(rows);
  } catch (thrown) {
    console.error(thrown);
    return '* not measured: all fail and come back';
  }
}

async function main(words: readonly string[]): Promise<number> {
  const rounds = Number(words[0]) || ROUNDS;
  const [kind, checks] = Number(words[0]) > 0 ? [] : words;
  const loads = kind === undefined ? LOADS : [{ kind: kind as Kind, checks: Number(checks) }];
  const folder = mkdtempSync(join(tmpdir(), 'lvbench-'));
  const place = new Place();
  const before = loadText();
  try {
    build(folder);
    const target = place.run([join(folder, 'target'), `${PORT}`]);
    await pause(200);
    const { costs, failed } =
      kind === 'flap' ? { costs: [], failed: [] } : await measureAll(place, loads, rounds, folder);
    target.kill('SIGKILL');
    const flaps = kind === undefined || kind === 'flap' ? [await flapText(place, folder)] : [];
    const where = `${machineText()}, keepalived ${keepalivedVersion()}; load average ${before} before and ${loadText()} after.`;
    const how =
      'Each server is probed once a second, on loopback in a network namespace. keepalived runs its checkers alone (`-C`), its ' +
      'questions to the table answered by a stub; lvsentry is the whole daemon with the memory table. `C` connects (and for ' +
      'http asks and reads), and does nothing else; it makes a socket for each check, as keepalived does, and completes the ' +
      'handshake, where lvsentry uses sockets again and holds the last packet of the handshake back. Medians of ' +
      `${rounds} rounds (one of the largest load). Aims: at most 0.6 of keepalived for tcp and 0.8 for http, and ` +
      '90 MB at 5,000 checks, which is looked at half a minute after the start: until then up to 30 MB of garbage of the ' +
      'start lie about.';
    const body = [where, how, table(medians(costs), loads), ...flaps, ...failed].join('\n\n');
    console.log(body);
    if (kind === undefined) publish('Checks', body);
    return 0;
  } finally {
    await place.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
