/** Lines into real FIFOs: with a reader, without one, and with one that is late. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { ProgramRunner } from '../../src/exec/runner.js';
import { Fifo } from '../../src/hooks/fifo.js';
import { systemTimers } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';
import { Scripts } from '../exec/scripts.js';

/** Holds a FIFO open for reading, and reads what is there. */
class Reader {
  readonly #descriptor: number;

  constructor(t: Test, path: string) {
    this.#descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    t.teardown(() => closeSync(this.#descriptor));
  }

  read(): string {
    const bytes = Buffer.alloc(100_000);
    try {
      return bytes.toString('utf8', 0, readSync(this.#descriptor, bytes));
    } catch {
      return '';
    }
  }
}

class Stage {
  readonly files: Scripts;
  readonly path: string;
  readonly troubles: string[] = [];
  readonly fifo: Fifo;

  constructor(t: Test, prepare: (path: string) => void = () => undefined, name = 'fifo') {
    this.files = new Scripts(t);
    this.path = this.files.path(name);
    prepare(this.path);
    const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax: 1 });
    this.fifo = new Fifo(this.path, {
      run: (program) => runner.run(program),
      onTrouble: (message) => this.troubles.push(message.replace(this.files.folder, '')),
    });
    t.teardown(async () => {
      this.fifo.close();
      await runner.close();
    });
  }
}

const make = (path: string): void => void execFileSync('mkfifo', [path]);

t.test('a FIFO that is not there is made for its owner alone; lines wait until it is', async (t) => {
  const stage = new Stage(t);
  stage.fifo.write('one\n');
  stage.fifo.write('two\n');
  await stage.fifo.settled();
  const stats = statSync(stage.path);
  t.ok(stats.isFIFO());
  t.equal(stats.mode & 0o777, 0o600);
  const reader = new Reader(t, stage.path);
  t.equal(reader.read(), 'one\ntwo\n');
  stage.fifo.write('three\n');
  t.equal(reader.read(), 'three\n', 'then it is written at once');
  t.same(stage.troubles, []);
});

t.test('lines wait for a reader that comes late, and outlive one that goes', async (t) => {
  const stage = new Stage(t, make);
  stage.fifo.write('early\n');
  const first = openSync(stage.path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.equal(readSync(first, Buffer.alloc(100)), 'early\n'.length);
  closeSync(first);
  stage.fifo.write('between\n');
  t.equal(new Reader(t, stage.path).read(), 'between\n');
  t.same(stage.troubles, []);
});

t.test(
  'a FIFO that nobody reads fills up: lines are lost whole, told once, and again when it was read',
  async (t) => {
    const stage = new Stage(t, make);
    const line = `${'x'.repeat(999)}\n`;
    for (let n = 0; n < 200; n += 1) stage.fifo.write(line);
    t.same(stage.troubles, ['lines for /fifo are lost: it is full: does anybody read it?']);
    const reader = new Reader(t, stage.path);
    const text = reader.read();
    t.equal(text, line.repeat(text.length / 1000), 'none is cut');
    t.ok(text.length >= 60_000 && text.length < 200_000);
    stage.fifo.write('after\n');
    t.equal(reader.read(), 'after\n');
    for (let n = 0; n < 200; n += 1) stage.fifo.write(line);
    t.equal(stage.troubles.length, 2);
  },
);

t.test('what is no FIFO is not written to', async (t) => {
  const stage = new Stage(t, (path) => writeFileSync(path, 'precious'));
  stage.fifo.write('line\n');
  stage.fifo.write('line\n');
  t.same(stage.troubles, ['lines for /fifo are lost: it is not a FIFO']);
  t.equal(stage.files.read('fifo'), 'precious');
  unlinkSync(stage.path);
  stage.fifo.write('later\n');
  await stage.fifo.settled();
  t.equal(new Reader(t, stage.path).read(), 'later\n', 'when it is put right it works');
});

t.test('where it cannot be made that is told, with the reason, and it is tried again', async (t) => {
  const stage = new Stage(t, undefined, 'folder/fifo');
  stage.fifo.write('lost\n');
  await stage.fifo.settled();
  stage.fifo.write('lost\n');
  await stage.fifo.settled();
  t.match(stage.troubles, [/^lines for \/folder\/fifo are lost: mkfifo: .*No such file or directory$/]);
  t.equal(stage.troubles.length, 1);
});

t.test('one that was taken away is made again, one that was put in its place is used', async (t) => {
  const stage = new Stage(t, make);
  rmSync(stage.path);
  stage.fifo.write('one\n');
  await stage.fifo.settled();
  const reader = new Reader(t, stage.path);
  t.equal(reader.read(), 'one\n');
  make(stage.files.path('other'));
  renameSync(stage.files.path('other'), stage.path);
  stage.fifo.write('two\n');
  t.equal(reader.read(), '', 'the old one is nobody’s');
  t.equal(new Reader(t, stage.path).read(), 'two\n');
});

t.test('after close nothing is written', async (t) => {
  const stage = new Stage(t, make);
  const reader = new Reader(t, stage.path);
  stage.fifo.close();
  stage.fifo.write('late\n');
  t.equal(reader.read(), '');
  t.same(stage.troubles, []);
});
