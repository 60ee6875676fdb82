/**
 * Directors in namespaces, and for each an observer that is not it: tcpdump on its interface, for what goes out, with the
 * kernel's times. Behind the interface it would see when the bridge had time for a frame, which on a busy machine may be
 * tens of milliseconds later: a bridge forwards at ordinary priority.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Stage } from '../../test/interop/stage.js';
import { PcapReader } from './pcap.js';
import { type Sight, sightOf } from './sight.js';

const FILTER = 'ip proto 112 or arp';
const WORDS = ['-i', 'eth0', '-Q', 'out', '-n', '-U', '--immediate-mode', '-B', '8192', '-s', '96'];
const TIMES = '--time-stamp-precision=nano';
const open = new Set<Rig>();

/** Takes away every rig that is still there. */
export async function closeRigs(): Promise<void> {
  await Promise.all([...open].map((rig) => rig.close()));
}

/** What one director sent. */
export class Observer {
  /** In the order in which the kernel took them. */
  readonly sights: Sight[] = [];
  readonly #capture: ChildProcess;
  #said = '';

  constructor(stage: Stage, host: string) {
    const command = ['netns', 'exec', stage.nameOf(host), 'tcpdump', ...WORDS, TIMES, '-w', '-', FILTER];
    this.#capture = spawn('ip', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const reader = new PcapReader();
    this.#capture.stdout?.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        const sight = sightOf(frame);
        if (sight !== undefined) this.sights.push(sight);
      }
      stage.news();
    });
    this.#capture.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
      stage.news();
    });
  }

  get listens(): boolean {
    return this.#said.includes('listening on');
  }

  /** The first of its kind from `index` on. */
  find(index: number, kind: Sight['kind']): Sight | undefined {
    for (let at = index; at < this.sights.length; at += 1) {
      const sight = this.sights[at];
      if (sight?.kind === kind) return sight;
    }
    return undefined;
  }

  /** How many virtual routers have sent an advert. */
  get routers(): number {
    return new Set(this.sights.flatMap((sight) => (sight.kind === 'advert' ? [sight.id] : []))).size;
  }

  /** Ends it. @returns how many frames it missed */
  async close(): Promise<number> {
    const gone = new Promise<void>((resolve) => this.#capture.once('close', () => resolve()));
    if (this.#capture.exitCode === null) this.#capture.kill('SIGTERM');
    await gone;
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#said)?.[1] ?? 0);
  }
}

export class Rig {
  readonly #observers: ReadonlyMap<string, Observer>;

  private constructor(
    readonly stage: Stage,
    hosts: readonly string[],
  ) {
    open.add(this);
    this.#observers = new Map(hosts.map((host) => [host, new Observer(stage, host)]));
  }

  /** Namespaces for these hosts, joined by a bridge, each of them observed. */
  static async open(hosts: readonly string[]): Promise<Rig> {
    const rig = new Rig(await Stage.build(hosts, { isObserved: false }), hosts);
    for (const host of hosts) await rig.stage.until('tcpdump listens', () => rig.at(host).listens);
    return rig;
  }

  /** The observer of a host. */
  at(host: string): Observer {
    const observer = this.#observers.get(host);
    if (observer === undefined) throw new Error(`no host ${host}`);
    return observer;
  }

  /** Ends everything in it. @returns how many frames were missed */
  async close(): Promise<number> {
    if (!open.delete(this)) return 0;
    const missed = await Promise.all([...this.#observers.values()].map((observer) => observer.close()));
    await this.stage.close();
    return missed.reduce((sum, count) => sum + count, 0);
  }
}
