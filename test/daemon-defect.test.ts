/** A defect in main while virtual routers run: they go on, and main's part is made anew beside them. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/src/main.js', import.meta.url));
const VIP = '10.78.0.100';

/** Planted from outside: with SIGUSR2 main meets an exception that nobody expects. */
const PLANT = `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('SIGUSR2', () => { throw new Error('planted'); });
`;

type Line = Readonly<Record<string, unknown>>;

let hosts = 0;

/** A host of its own with one interface, and a daemon on it. */
class Host {
  readonly #name = `lvd${process.pid.toString(36)}-${++hosts}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'lvsentry-defect-'));
  readonly #children: ChildProcess[] = [];
  readonly log: Line[] = [];
  /** Adverts as tcpdump shows them. */
  readonly adverts: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor() {
    execFileSync('ip', ['netns', 'add', this.#name]);
    for (const words of [
      'link add d0 type veth peer name d1',
      'addr add 10.78.0.1/24 dev d0',
      'link set d1 up',
      'link set d0 up',
      'link set lo up',
    ])
      execFileSync('ip', ['-n', this.#name, ...words.split(' ')]);
  }

  #start(
    words: readonly string[],
    onLine: (line: string) => void,
    env: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#name, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#children.push(child);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        onLine(line);
        for (const look of this.#waiting) look();
      });
    return child;
  }

  daemon(): ChildProcess {
    const plant = join(this.#folder, 'plant.mjs');
    const file = join(this.#folder, 'lvsentry.yaml');
    writeFileSync(plant, PLANT);
    writeFileSync(
      file,
      `name: t
table: memory
api: { listen: "unix:${join(this.#folder, 'api.sock')}" }
services: {}
vrrp: { v: { interface: d0, id: 51, interval: 100ms, addresses: [${VIP}/24] } }
`,
    );
    const note = (line: string) => this.log.push(line.startsWith('{') ? JSON.parse(line) : { text: line });
    const words = [process.execPath, PROGRAM, 'run', '-c', file];
    return this.#start(words, note, { NODE_OPTIONS: `--import=file://${plant}` });
  }

  async observe(): Promise<void> {
    let listening = false;
    this.#start(['tcpdump', '-i', 'd0', '-nn', '-l', '--immediate-mode', 'ip proto 112'], (line) => {
      if (line.startsWith('listening on')) listening = true;
      else if (line.includes('VRRPv3')) this.adverts.push(line);
    });
    await this.until(() => listening);
  }

  /** Resolves as soon as a line makes it true. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  count(kind: string): number {
    return this.log.filter((line) => line.kind === kind).length;
  }

  hasVip(): boolean {
    return execFileSync('ip', ['-n', this.#name, 'addr', 'show', 'dev', 'd0'], { encoding: 'utf8' }).includes(
      VIP,
    );
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    execFileSync('ip', ['netns', 'del', this.#name]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function master(t: Test): Promise<{ host: Host; daemon: ChildProcess }> {
  const host = new Host();
  t.teardown(() => host.close());
  await host.observe();
  const daemon = host.daemon();
  await host.until(() => host.count('became-master') === 1 && host.count('daemon-started') === 1);
  await host.until(() => host.adverts.length > 2);
  return { host, daemon };
}

const resigned = (line: string): boolean => / prio 0,/.test(line);
const missing = ['ip', 'tcpdump'].find((program) => spawnSync('which', [program]).status !== 0);
const skip = process.getuid?.() !== 0 ? 'needs root, for a network namespace' : missing && `needs ${missing}`;

t.test('a defect in main while virtual routers run', { skip: skip ?? false }, async (t) => {
  await t.test('they go on, and main begins anew in the same process', async (t) => {
    const { host, daemon } = await master(t);
    for (const round of [1, 2, 3]) {
      daemon.kill('SIGUSR2');
      await host.until(() => host.count('worker-restarted') === round);
    }
    const heard = host.adverts.length;
    await host.until(() => host.adverts.length > heard + 2);
    t.equal(daemon.exitCode, null, 'it is the same process');
    t.equal(host.count('became-master'), 1, 'it was master all the time');
    t.same(host.adverts.filter(resigned), [], 'it never resigned');
    t.ok(host.hasVip());
    t.match(
      host.log.find((line) => line.kind === 'worker-restarted'),
      { msg: 'the main part was started again after a defect: planted' },
    );
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
    t.equal(daemon.exitCode, 0, 'the new main part stops as the first one would');
    await host.until(() => host.adverts.some(resigned));
    t.notOk(host.hasVip());
  });

  await t.test('a main part that is beyond help makes way for another director', async (t) => {
    const { host, daemon } = await master(t);
    for (const round of [1, 2, 3]) {
      daemon.kill('SIGUSR2');
      await host.until(() => host.count('worker-restarted') === round);
    }
    daemon.kill('SIGUSR2');
    await once(daemon, 'exit');
    t.equal(daemon.exitCode, 1);
    await host.until(() => host.adverts.some(resigned));
    t.notOk(host.hasVip(), 'the virtual IP is not left behind');
  });
});
