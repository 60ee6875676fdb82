/** A director whose tracked script fails loses the mastership to another one; hooks are told of all of it, in order. */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { configureLvsentry, startLvsentry } from './peers/lvsentry.js';
import { type Program, Stage, whyNot } from './stage.js';

const skip = whyNot() ?? false;
t.setTimeout(120_000);

class Director {
  readonly program: Program;
  readonly lines: string[] = [];
  readonly #stage: Stage;
  readonly #host: string;
  #fifo: number | undefined;

  constructor(t: Test, stage: Stage, host: string, priority: number) {
    this.#stage = stage;
    this.#host = host;
    const track = 'track: { objects: [uplink] }';
    const router = `outside: { interface: eth0, id: 51, priority: ${priority}, interval: 100ms, addresses: [10.77.0.100/24], ${track} }`;
    const file = configureLvsentry(stage, host, [router]);
    const check = this.#script('check', `[ ! -e ${this.path('bad')} ]`);
    // As slow as the test wants.
    const slow = `while [ $3 = MASTER ] && [ ! -e ${this.path('go')} ]; do sleep 0.02; done; echo "$*" >> ${this.path('told')}`;
    const hook = this.#script('hook', slow);
    appendFileSync(
      file,
      [
        `tracks: { uplink: { script: { program: [${check}], interval: 100ms }, weight: -60 } }`,
        `hooks: { program: [${hook}], deadline: 60s, fifo: ${this.path('fifo')} }`,
        '',
      ].join('\n'),
    );
    this.program = startLvsentry(stage, host, file);
    t.teardown(() => {
      if (this.#fifo !== undefined) closeSync(this.#fifo);
    });
  }

  path(name: string): string {
    return join(this.#stage.folder, `${this.#host}-${name}`);
  }

  #script(name: string, body: string): string {
    const path = this.path(name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  set(name: 'bad' | 'go', is: boolean): void {
    if (is) writeFileSync(this.path(name), '');
    else unlinkSync(this.path(name));
  }

  /** What the program was told, in the order in which it was done with it. */
  get told(): readonly string[] {
    const path = this.path('told');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  #read(): void {
    if (!existsSync(this.path('fifo'))) return;
    this.#fifo ??= openSync(this.path('fifo'), constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(65_536);
    try {
      const text = bytes.toString('utf8', 0, readSync(this.#fifo, bytes));
      this.lines.push(...text.split('\n').slice(0, -1));
    } catch {
      // Nothing new.
    }
  }

  /** Until the FIFO has had exactly so many lines, the last of which says this. */
  async says(count: number, state: string): Promise<void> {
    await this.#stage.until(`line ${count} of ${this.#host} is ${state}`, () => {
      this.#read();
      return this.lines.length === count && this.lines.at(-1)?.split(' ')[2] === state;
    });
  }

  /** Until the program has been told so many times. */
  async wasTold(count: number): Promise<void> {
    await this.#stage.until(`${this.#host} was told ${count} times`, () => this.told.length === count);
  }

  /** The lines as the program's arguments. */
  get expected(): readonly string[] {
    return this.lines.map((line) => line.replaceAll('"', ''));
  }
}

t.test('a failing script moves the mastership, and hooks see it in order', { skip }, async (t) => {
  const stage = await Stage.build(['a', 'b']);
  t.teardown(() => stage.close());
  const b = new Director(t, stage, 'b', 100);
  b.set('go', true);
  await b.says(2, 'MASTER');
  const a = new Director(t, stage, 'a', 150);
  await a.says(2, 'MASTER');
  await b.says(3, 'BACKUP');

  const since = stage.capture.mark();
  await a.wasTold(1);
  await stage.until('a goes on while its hook hangs', () => stage.capture.claims(since, 'a').length >= 20);
  t.same(a.told, ['INSTANCE outside BACKUP 150'], 'it hangs');
  t.same(stage.capture.claims(since, 'b'), [], 'nobody else took the hook for a master’s silence');

  a.set('bad', true);
  await a.says(3, 'BACKUP');
  await b.says(4, 'MASTER');
  t.equal(a.lines.at(-1), 'INSTANCE "outside" BACKUP 90', 'with what the script takes away');
  a.set('bad', false);
  await a.says(4, 'MASTER');
  await b.says(5, 'BACKUP');
  t.same(a.told.length, 1, 'the hook hangs still, and nothing was told beside it');
  a.set('go', true);
  await a.wasTold(4);

  await a.program.stop('SIGTERM');
  await a.says(5, 'STOP');
  await b.says(6, 'MASTER');
  await b.program.stop('SIGTERM');
  await b.says(7, 'STOP');
  t.same(a.lines, [
    'INSTANCE "outside" BACKUP 150',
    'INSTANCE "outside" MASTER 150',
    'INSTANCE "outside" BACKUP 90',
    'INSTANCE "outside" MASTER 150',
    'INSTANCE "outside" STOP 150',
  ]);
  t.same(a.told, a.expected, 'the program was told the same, in the same order, to the end');
  t.same(b.told, b.expected);
  t.same(
    b.lines.map((line) => line.split(' ')[2]),
    ['BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'STOP'],
  );
});
