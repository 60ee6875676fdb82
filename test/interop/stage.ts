/**
 * A network of this test's own: directors and an observer, each in a network namespace, joined by bridges in one more.
 * Everything that is made here is taken away by `close`, by name and by process id; what a test that was killed left
 * behind is taken away by the next one.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Capture, portOf } from './capture.js';

const execute = promisify(execFile);

/** What the observer asks with. */
export const ASKING: readonly string[] = ['arping', 'ndisc6'];

/** Why tests with namespaces cannot run here; undefined: they can. */
export function whyNot(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  for (const program of ['ip', 'tcpdump', ...programs])
    if (spawnSync('which', [program]).status !== 0) return `needs ${program}; apt-get install it`;
  return undefined;
}

/** A program in a namespace. */
export interface Program {
  readonly child: ChildProcess;
  readonly output: string[];
  readonly isGone: () => boolean;
  /** Sends the signal, and resolves when the program is gone. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** The observer's number, out of the directors' way. */
const OBSERVER = 9;
const PREFIX = 'lvio';
const FOLDER = 'lvsentry-interop-';
/** The bridge of a network, in the namespace `net`. No port is named so. */
const bridgeOf = (link: string): string => `net_${link}`;

export interface StageOptions {
  /** The interfaces of every host, each on a bridge of its own; `eth0` alone by default. */
  readonly links?: readonly string[];
  /** Without: no observer, and nothing is captured. */
  readonly isObserved?: boolean;
}

const WAIT_LIMIT = 30_000;

function namespaces(): string[] {
  const list = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  return list.split('\n').flatMap((line) => (line.startsWith(PREFIX) ? [line.split(' ')[0] ?? ''] : []));
}

/** Whether a process runs; one that is dead and that nobody has waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Ends every process in a namespace of ours, and the namespace. */
function destroy(namespace: string): void {
  const pids = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout ?? '';
  for (const pid of pids.split('\n').filter((line) => line !== ''))
    if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
  spawnSync('ip', ['netns', 'del', namespace]);
}

/** Whether what is named so, after a prefix, belongs to a run that is dead. */
function isLeft(name: string, prefix: string): boolean {
  const pid = /^([0-9a-z]+)-/.exec(name.slice(prefix.length))?.[1];
  return name.startsWith(prefix) && pid !== undefined && !isAlive(Number.parseInt(pid, 36));
}

/** Takes away what runs of this test that were killed have left behind. */
function sweep(): void {
  for (const name of namespaces()) if (isLeft(name, PREFIX)) destroy(name);
  for (const name of readdirSync(tmpdir()))
    if (isLeft(name, FOLDER)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

const open = new Set<Stage>();
let stages = 0;

function closeAll(): void {
  for (const stage of open) stage.closeNow();
}

export class Stage {
  readonly capture = new Capture();
  /** For configurations and sockets. */
  readonly folder = mkdtempSync(join(tmpdir(), `${FOLDER}${process.pid.toString(36)}-`));
  readonly #prefix = `${PREFIX}${process.pid.toString(36)}-${++stages}`;
  readonly #namespaces: string[] = [];
  readonly #programs: Program[] = [];
  readonly #macs = new Map<string, string>();
  readonly #waiters = new Set<() => void>();

  /** Use `build`. */
  private constructor() {
    if (stages === 1) {
      sweep();
      process.once('exit', closeAll);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => process.exit(1));
    }
    open.add(this);
    // FRR's programs run as a user of their own, and have their folders in here.
    chmodSync(this.folder, 0o711);
  }

  /**
   * Namespaces for directors (a, b ...) and the observer o, listened to. Director number i has 10.77.0.i/24,
   * 2001:db8:77::i/64 and fe80::i:1/64 on eth0, and likewise with 78 on eth1; the observer is number 9.
   */
  static async build(directors: readonly string[], options: StageOptions = {}): Promise<Stage> {
    const { links = ['eth0'], isObserved = true } = options;
    const stage = new Stage();
    const hosts = new Map(directors.map((host, index) => [host, index + 1]));
    if (isObserved) hosts.set('o', OBSERVER);
    try {
      await stage.#build(hosts, links);
      if (isObserved) await stage.#listen();
    } catch (thrown) {
      stage.closeNow();
      throw thrown;
    }
    return stage;
  }

  async #build(hosts: ReadonlyMap<string, number>, links: readonly string[]): Promise<void> {
    for (const host of ['net', ...hosts.keys()]) {
      await execute('ip', ['netns', 'add', this.nameOf(host)]);
      this.#namespaces.push(this.nameOf(host));
      await this.ip(host, 'link', 'set', 'lo', 'up');
    }
    for (const [index, link] of links.entries()) {
      await this.ip('net', 'link', 'add', bridgeOf(link), 'type', 'bridge', 'mcast_snooping', '0');
      await this.ip('net', 'link', 'set', bridgeOf(link), 'up');
      for (const [host, number] of hosts) await this.#plugIn(host, number, link, 77 + index);
    }
  }

  async #plugIn(host: string, number: number, link: string, net: number): Promise<void> {
    const port = portOf(host, link);
    const peer = ['peer', 'name', link, 'netns', this.nameOf(host)];
    await this.ip('net', 'link', 'add', 'name', port, 'type', 'veth', ...peer);
    await this.attach(host, link);
    await this.plug(host, link);
    await this.ip(host, 'link', 'set', link, 'addrgenmode', 'none');
    await this.ip(host, 'addr', 'add', `10.${net}.0.${number}/24`, 'dev', link);
    for (const address of [`2001:db8:${net}::${number}/64`, `fe80::${number}:1/64`])
      await this.ip(host, 'addr', 'add', address, 'dev', link, 'nodad');
    await this.ip(host, 'link', 'set', link, 'up');
    this.#macs.set(port, (await this.in(host, 'cat', `/sys/class/net/${link}/address`)).trim());
  }

  async #listen(): Promise<void> {
    // Short snapshots: the kernel's ring has room for 2 MB of whole ones, and a burst is more frames than that.
    const words = 'tcpdump -i any -Q in -s 256 -nn -l -e -tt -v --immediate-mode'.split(' ');
    const program = this.#start('net', [...words, 'ip proto 112 or ip6 proto 112 or arp or icmp6'], (line) =>
      this.capture.line(line),
    );
    await this.until('tcpdump listens', () => program.output.some((line) => line.includes('listening on')));
  }

  nameOf(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  /** Runs a command in a host's namespace. @returns what it printed @throws (rejects) where it fails */
  async in(host: string, ...words: string[]): Promise<string> {
    const { stdout } = await execute('ip', ['netns', 'exec', this.nameOf(host), ...words]);
    return stdout;
  }

  /** `ip` for a host. */
  async ip(host: string, ...words: string[]): Promise<string> {
    const { stdout } = await execute('ip', ['-n', this.nameOf(host), ...words]);
    return stdout;
  }

  /** Starts a program in a host's namespace. */
  start(host: string, ...words: string[]): Program {
    return this.#start(host, words);
  }

  /** What it prints is kept, but for what goes to `onLine`. */
  #start(host: string, words: readonly string[], onLine?: (line: string) => void): Program {
    const child = spawn('ip', ['netns', 'exec', this.nameOf(host), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    void gone.then(() => this.news());
    const output: string[] = [];
    const listen = (stream: Readable, take: (line: string) => void): void => {
      createInterface({ input: stream }).on('line', (line) => {
        take(line);
        this.news();
      });
    };
    listen(child.stdout, onLine ?? ((line) => output.push(line)));
    listen(child.stderr, (line) => output.push(line));
    const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      // `ip netns exec` becomes the program: the process id stays.
      if (!isGone()) child.kill(signal);
      await gone;
    };
    const program = { child, output, isGone, stop };
    this.#programs.push(program);
    return program;
  }

  /** Takes the cable out: both ends lose their carrier. */
  async pull(host: string, link = 'eth0'): Promise<void> {
    await this.ip('net', 'link', 'set', portOf(host, link), 'down');
  }

  async plug(host: string, link = 'eth0'): Promise<void> {
    await this.ip('net', 'link', 'set', portOf(host, link), 'up');
  }

  /** Cuts a host off from everybody; its carrier stays. */
  async detach(host: string, link = 'eth0'): Promise<void> {
    await this.ip('net', 'link', 'set', portOf(host, link), 'nomaster');
  }

  async attach(host: string, link = 'eth0'): Promise<void> {
    await this.ip('net', 'link', 'set', portOf(host, link), 'master', bridgeOf(link));
  }

  /** The MAC of a host's interface. */
  macOf(host: string, link = 'eth0'): string {
    const mac = this.#macs.get(portOf(host, link));
    if (mac === undefined) throw new Error(`no ${link} on ${host}`);
    return mac;
  }

  /**
   * Has the observer ask who has an address, by ARP or neighbour solicitation.
   * @param others addresses that are asked for afterwards: whoever answers for one of them has heard the first question
   * @returns who answered, and with which MAC: `host mac`, each once, in order
   */
  async whoHas(address: string, others: readonly string[], link = 'eth0'): Promise<string[]> {
    const { capture } = this;
    const since = capture.mark();
    this.#ask(address, link);
    await this.until('the observer asks', () => capture.about(since, 'question', address).length > 0);
    for (const other of others) {
      this.#ask(other, link);
      await this.until(`${other} answers`, () => capture.about(since, 'answer', other).length > 0);
    }
    const answers = capture.about(since, 'answer', address).map(({ from, mac }) => `${from} ${mac}`);
    return [...new Set(answers)].sort();
  }

  /** Until exactly these answer for an address, as `whoHas` tells it. @throws (rejects) */
  async untilAnswers(
    expected: readonly string[],
    address: string,
    {
      others,
      link,
      why,
    }: { readonly others: readonly string[]; readonly link?: string; readonly why: string },
  ): Promise<void> {
    const wanted = [...expected].sort().join(', ') || 'nobody';
    const end = performance.now() + WAIT_LIMIT;
    for (;;) {
      const found = (await this.whoHas(address, others, link)).join(', ') || 'nobody';
      if (found === wanted) return;
      if (performance.now() > end)
        throw new Error(`${why}: ${found} answers for ${address}, not ${wanted}\n${this.told()}`);
    }
  }

  #ask(address: string, link: string): void {
    const words = address.includes(':')
      ? ['ndisc6', '-1', '-r', '1', '-w', '1000', address, link]
      : ['arping', '-q', '-c', '1', '-w', '1', '-I', link, address];
    this.start('o', ...words);
  }

  /** Has whoever waits look again. */
  news(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Waits until something holds; it is looked at whenever anything was seen or printed. @throws (rejects) with what everybody said */
  async until(what: string, holds: () => boolean, limit = WAIT_LIMIT): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#waiters.delete(look);
        clearTimeout(timer);
        settle();
      };
      const look = (): void => {
        if (holds()) end(resolve);
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`not within ${limit} ms: ${what}\n${this.told()}`))),
        limit,
      );
      this.#waiters.add(look);
    });
  }

  /** Everything that was printed and seen, for a failed test. */
  told(): string {
    const said = this.#programs
      .filter(({ output }) => output.length > 0)
      .flatMap(({ child, output }) => [`-- ${child.spawnargs.slice(3).join(' ')}`, ...output.slice(-15)]);
    return [
      ...said,
      '-- on the wire',
      ...this.capture.seen.slice(-40).map((seen) => JSON.stringify(seen)),
    ].join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop('SIGKILL')));
    this.closeNow();
  }

  /** As `close`, for a process that is about to exit. */
  closeNow(): void {
    open.delete(this);
    for (const namespace of this.#namespaces.splice(0)) destroy(namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
