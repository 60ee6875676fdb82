/**
 * A network of this test's own: directors and an observer, each in a network namespace, joined by a bridge in one more.
 * Everything that is made here is taken away by `close`, by name and by process id.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Why tests with namespaces cannot run here; undefined: they can. */
export function whyNot(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  for (const program of ['ip', 'tcpdump', ...programs])
    if (spawnSync('which', [program]).status !== 0) return `needs ${program}; apt-get install it`;
  return undefined;
}

/** One line of tcpdump, with the time in milliseconds. */
export interface Heard {
  readonly at: number;
  readonly text: string;
}

/** A program in a namespace. */
export interface Program {
  readonly child: ChildProcess;
  readonly output: string[];
  /** Resolves when it is gone. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

let stages = 0;

export class Stage {
  readonly #names: string[] = [];
  readonly #programs: Program[] = [];
  readonly #prefix = `lv${process.pid.toString(36)}-${++stages}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'lvsentry-interop-'));
  readonly heard: Heard[] = [];
  #capture: Program | undefined;

  /** Namespaces for these hosts (a, b ...); host number i has the address 10.77.0.i/24 on eth0. */
  constructor(hosts: readonly string[]) {
    try {
      this.#build(hosts);
    } catch (thrown) {
      void this.close();
      throw thrown;
    }
  }

  #build(hosts: readonly string[]): void {
    this.#namespace('net');
    this.in('net', 'ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    this.in('net', 'ip', 'link', 'set', 'br0', 'up');
    for (const [index, host] of hosts.entries()) {
      this.#namespace(host);
      const far = this.nameOf(host);
      this.in(
        'net',
        'ip',
        'link',
        'add',
        'name',
        `to-${host}`,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        far,
      );
      this.in('net', 'ip', 'link', 'set', `to-${host}`, 'master', 'br0', 'up');
      this.in(host, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0');
      this.in(host, 'ip', 'addr', 'add', `10.77.0.${index + 1}/24`, 'dev', 'eth0');
      this.in(host, 'ip', 'addr', 'add', `2001:db8:77::${index + 1}/64`, 'dev', 'eth0', 'nodad');
      this.in(host, 'ip', 'link', 'set', 'eth0', 'up');
    }
  }

  nameOf(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  #namespace(host: string): void {
    execFileSync('ip', ['netns', 'add', this.nameOf(host)]);
    this.#names.push(host);
    this.in(host, 'ip', 'link', 'set', 'lo', 'up');
  }

  /** Runs a command in a host's namespace. @returns what it printed */
  in(host: string, ...words: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.nameOf(host), ...words], { encoding: 'utf8' });
  }

  /** Starts a program in a host's namespace. */
  start(host: string, ...words: string[]): Program {
    const child = spawn('ip', ['netns', 'exec', this.nameOf(host), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => output.push(line));
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      // `ip netns exec` becomes the program: the process id stays.
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await gone;
    };
    const program = { child, output, stop };
    this.#programs.push(program);
    return program;
  }

  /** Begins to listen on the bridge; resolves when nothing is missed any more. */
  async observe(): Promise<void> {
    const words = ['tcpdump', '-i', 'br0', '-nn', '-l', '-e', '-tt', '--immediate-mode'];
    const capture = this.start('net', ...words, 'ip proto 112 or ip6 proto 112 or arp or icmp6');
    this.#capture = capture;
    await this.until('tcpdump listens', () => capture.output.some((line) => line.startsWith('listening on')));
    createInterface({ input: capture.child.stdout ?? process.stdin }).on('line', (line) => {
      const match = /^(\d+\.\d+) (.*)$/.exec(line);
      if (match !== null) this.heard.push({ at: Number(match[1]) * 1000, text: match[2] ?? '' });
    });
  }

  /** Starts lvsentry on a host with this `vrrp:` section (YAML in one line, or lines). */
  lvsentry(host: string, vrrp: string): Program {
    const file = join(this.folder, `${host}.yaml`);
    const socket = join(this.folder, `${host}.sock`);
    writeFileSync(
      file,
      `name: ${host}\ntable: memory\napi: { listen: 'unix:${socket}' }\nservices: {}\nvrrp:\n  v: ${vrrp}\n`,
    );
    return this.start(host, process.execPath, MAIN, 'run', '-c', file);
  }

  /** Starts keepalived on a host with this `vrrp_instance` body. */
  keepalived(host: string, body: string, globals = ''): Program {
    const file = join(this.folder, `${host}.conf`);
    const config = `global_defs {\n router_id ${host}\n ${globals}\n}\nvrrp_instance v {\n interface eth0\n ${body}\n}\n`;
    writeFileSync(file, config);
    const pids = ['-p', join(this.folder, `${host}.pid`), '-r', join(this.folder, `${host}-vrrp.pid`)];
    return this.start(host, 'keepalived', '-n', '-l', '-P', '-f', file, ...pids);
  }

  /** Whether a host has an address on eth0. */
  has(host: string, address: string): boolean {
    const found = JSON.parse(this.in(host, 'ip', '-j', 'addr', 'show', 'dev', 'eth0')) as {
      addr_info: { local: string }[];
    }[];
    return found[0]?.addr_info.some(({ local }) => local === address) === true;
  }

  macOf(host: string): string {
    return this.in(host, 'cat', '/sys/class/net/eth0/address').trim();
  }

  /** Waits until something holds. @throws with what everybody said where it does not within `limit` ms */
  async until(what: string, holds: () => boolean, limit = 12_000): Promise<void> {
    const end = performance.now() + limit;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}\n${this.told()}`);
      await sleep(20);
    }
  }

  /** Everything that was printed and heard, for a failed test. */
  told(): string {
    const said = this.#programs
      .filter((program) => program !== this.#capture)
      .flatMap(({ child, output }) => [`-- ${child.spawnargs.slice(4).join(' ')}`, ...output.slice(-30)]);
    return [...said, '-- on the wire', ...this.heard.slice(-40).map(({ at, text }) => `${at} ${text}`)].join(
      '\n',
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop('SIGKILL')));
    for (const host of this.#names) spawnSync('ip', ['netns', 'del', this.nameOf(host)]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
