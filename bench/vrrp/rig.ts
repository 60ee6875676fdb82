/** Directors in namespaces, and an observer who is none of them: tcpdump on the bridge, with the kernel's times. */
import { type ChildProcess, spawn } from 'node:child_process';
import { bridgeOf, Stage } from '../../test/interop/stage.js';
import { PcapReader } from './pcap.js';
import { type Sight, sightOf } from './sight.js';

const FILTER = 'ip proto 112 or arp';
const open = new Set<Rig>();

/** Takes away every rig that is still there. */
export async function closeRigs(): Promise<void> {
  await Promise.all([...open].map((rig) => rig.close()));
}

export class Rig {
  readonly stage: Stage;
  /** In the order in which the kernel saw them. */
  readonly sights: Sight[] = [];
  readonly #capture: ChildProcess;
  #said = '';

  private constructor(stage: Stage) {
    this.stage = stage;
    open.add(this);
    const words = ['-i', bridgeOf('eth0'), '-n', '-U', '--immediate-mode', '-B', '8192', '-s', '96'];
    const times = '--time-stamp-precision=nano';
    this.#capture = spawn(
      'ip',
      ['netns', 'exec', this.stage.nameOf('net'), 'tcpdump', ...words, times, '-w', '-', FILTER],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
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

  /** Namespaces for these hosts, joined by a bridge that is listened to. */
  static async open(hosts: readonly string[]): Promise<Rig> {
    const rig = new Rig(await Stage.build(hosts, { isObserved: false }));
    await rig.stage.until('tcpdump listens', () => rig.#said.includes('listening on'));
    return rig;
  }

  macOf(host: string): string {
    return this.stage.macOf(host).replaceAll(':', '');
  }

  /** The first sight from `index` on for which this holds. */
  find(index: number, holds: (sight: Sight) => boolean): Sight | undefined {
    for (let at = index; at < this.sights.length; at += 1) {
      const sight = this.sights[at];
      if (sight !== undefined && holds(sight)) return sight;
    }
    return undefined;
  }

  /** Which virtual routers have sent an advert from `index` on. */
  heard(index = 0): ReadonlySet<number> {
    const ids = new Set<number>();
    for (const sight of this.sights.slice(index)) if (sight.kind === 'advert') ids.add(sight.id);
    return ids;
  }

  /** Ends everything in it. @returns how many frames the observer missed */
  async close(): Promise<number> {
    if (!open.delete(this)) return 0;
    const gone = new Promise<void>((resolve) => this.#capture.once('close', () => resolve()));
    if (this.#capture.exitCode === null) this.#capture.kill('SIGTERM');
    await gone;
    await this.stage.close();
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#said)?.[1] ?? 0);
  }
}
