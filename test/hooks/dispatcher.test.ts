/** Changes of role to real programs and FIFOs: who is told, in which order, and how it ends. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import { HookDispatcher } from '../../src/hooks/dispatcher.js';
import type { HookPlan, Hooks } from '../../src/hooks/model.js';
import { systemTimers } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';
import type { Role } from '../../src/vrrp/model.js';
import { eventually, lives, Scripts } from '../exec/scripts.js';

class Stage {
  readonly files: Scripts;
  readonly troubles: string[] = [];
  readonly dispatcher: HookDispatcher;
  readonly #readers = new Map<string, number>();

  constructor(readonly t: Test) {
    this.files = new Scripts(t);
    this.dispatcher = new HookDispatcher({
      timers: systemTimers,
      openPipe,
      onTrouble: (message, object) =>
        this.troubles.push(`${object ?? '-'}: ${message.replaceAll(`${this.files.folder}/`, '')}`),
    });
    t.teardown(async () => {
      await this.dispatcher.close();
      for (const descriptor of this.#readers.values()) closeSync(descriptor);
    });
  }

  /** Appends its arguments to the file `told`, after what `body` does. */
  program(name: string, body = '', deadline = 10_000): NonNullable<Hooks['program']> {
    const script = `${body}\necho "${name} $*" >> $DIR/told`;
    const { argv } = this.files.program(name, script);
    return { argv: [...argv, 'own'], user: undefined, deadline: millis(deadline) };
  }

  configure(plan: Partial<HookPlan>): void {
    this.dispatcher.configure({ all: undefined, single: new Map(), groups: new Map(), ...plan });
  }

  change(instance: string, ...roles: readonly Role[]): void {
    for (const to of roles) this.dispatcher.onRole({ instance, to, priority: 100 });
  }

  get told(): readonly string[] {
    return this.files.read('told').split('\n').slice(0, -1);
  }

  async until(count: number): Promise<readonly string[]> {
    await eventually(`${count} were told`, () => this.told.length >= count);
    return this.told;
  }

  /** A FIFO with this reader. */
  fifo(name: string): string {
    const path = this.files.path(name);
    execFileSync('mkfifo', [path]);
    this.#readers.set(name, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    return path;
  }

  lines(name: string): readonly string[] {
    const bytes = Buffer.alloc(65_536);
    try {
      const length = readSync(this.#readers.get(name) ?? -1, bytes);
      return bytes.toString('utf8', 0, length).split('\n').slice(0, -1);
    } catch {
      return [];
    }
  }
}

const only = (program: Hooks['program']): Hooks => ({ program, fifo: undefined });

t.test('a program gets four arguments behind its own, one change after the other', async (t) => {
  const stage = new Stage(t);
  // The first takes longest: started side by side they would come the other way round.
  const body = 'case $4 in BACKUP) sleep 0.3;; MASTER) sleep 0.1;; esac';
  stage.configure({ all: only(stage.program('all', body)) });
  stage.change('outside', 'backup', 'master', 'fault', 'initialize');
  t.same(
    await stage.until(4),
    ['BACKUP', 'MASTER', 'FAULT', 'STOP'].map((state) => `all own INSTANCE outside ${state} 100`),
  );
});

t.test('the programs of another object do not wait', async (t) => {
  const stage = new Stage(t);
  const body = '[ $3 = slow ] && while [ ! -e $DIR/told ]; do sleep 0.02; done';
  stage.configure({ all: only(stage.program('all', body)) });
  stage.change('slow', 'backup');
  stage.change('quick', 'backup');
  t.same(await stage.until(2), ['all own INSTANCE quick BACKUP 100', 'all own INSTANCE slow BACKUP 100']);
});

t.test('one of its own is run before that of all, and a group is told after its members', async (t) => {
  const stage = new Stage(t);
  stage.configure({
    all: only(stage.program('all')),
    single: new Map([['a', only(stage.program('single'))]]),
    groups: new Map([['g', ['a', 'b']]]),
  });
  stage.change('a', 'backup');
  await stage.until(2);
  stage.change('b', 'backup');
  const told = await stage.until(4);
  t.same(told.slice(0, 2), ['single own INSTANCE a BACKUP 100', 'all own INSTANCE a BACKUP 100']);
  t.same([...told.slice(2)].sort(), ['all own GROUP g BACKUP 0', 'all own INSTANCE b BACKUP 100']);
});

t.test(
  'lines are written at once, however slow programs are, and once where a FIFO is named twice',
  async (t) => {
    const stage = new Stage(t);
    const [all, own] = ['all-fifo', 'own-fifo'].map((name) => stage.fifo(name));
    stage.configure({
      all: { program: stage.program('all', 'sleep 1000'), fifo: all },
      single: new Map([
        ['a', { program: undefined, fifo: own }],
        ['b', { program: undefined, fifo: all }],
      ]),
      groups: new Map([['g', ['a', 'b']]]),
    });
    stage.change('a', 'backup', 'master');
    stage.change('b', 'master');
    const ofA = ['INSTANCE "a" BACKUP 100', 'INSTANCE "a" MASTER 100'];
    t.same(stage.lines('own-fifo'), ofA);
    t.same(stage.lines('all-fifo'), [...ofA, 'INSTANCE "b" MASTER 100', 'GROUP "g" MASTER 0']);
    t.same(stage.told, []);
  },
);

t.test('a program that hangs is ended at its deadline, and the next change is told', async (t) => {
  const stage = new Stage(t);
  const body = '[ $4 = BACKUP ] && { echo $$ > $DIR/pid; sleep 1000; }';
  stage.configure({ all: only(stage.program('all', body, 300)) });
  stage.change('outside', 'backup', 'master');
  t.same(await stage.until(1), ['all own INSTANCE outside MASTER 100']);
  t.same(stage.troubles, ['outside: all for outside BACKUP was not done within 300 ms and is ended']);
  t.notOk(lives(Number(stage.files.read('pid'))));
});

t.test('a program that fails, or is not there, is told of', async (t) => {
  const stage = new Stage(t);
  stage.configure({ all: only(stage.program('all', 'exit 7')) });
  stage.change('outside', 'backup');
  await eventually('it is told', () => stage.troubles.length === 1);
  const gone = { ...stage.program('all'), argv: [stage.files.path('nothing')] as [string] };
  stage.configure({ all: only(gone) });
  stage.change('outside', 'master');
  await eventually('it is told', () => stage.troubles.length === 2);
  t.match(stage.troubles, [
    'outside: all for outside BACKUP ended with exit code 7',
    /^outside: outside MASTER: nothing cannot be run: .*ENOENT/,
  ]);
});

t.test(
  'a virtual router that leaves the configuration is told of its end, by its own hooks too',
  async (t) => {
    const stage = new Stage(t);
    const fifo = stage.fifo('own-fifo');
    const own: Hooks = { program: stage.program('single'), fifo };
    stage.configure({ single: new Map([['a', own]]) });
    stage.change('a', 'backup');
    await stage.until(1);
    stage.configure({});
    stage.change('a', 'initialize');
    t.same(await stage.until(2), ['single own INSTANCE a BACKUP 100', 'single own INSTANCE a STOP 100']);
    stage.change('a', 'backup');
    t.same(stage.lines('own-fifo'), ['INSTANCE "a" BACKUP 100', 'INSTANCE "a" STOP 100'], 'and no more');
  },
);

t.test('at the end the last change is told, even behind a program that hangs', async (t) => {
  const stage = new Stage(t);
  const body = '[ $4 = BACKUP ] && { echo $$ > $DIR/pid; trap "" TERM; while :; do sleep 0.05; done; }';
  stage.configure({ all: only(stage.program('all', body)) });
  stage.change('outside', 'backup', 'master', 'backup', 'master', 'initialize');
  await eventually('it hangs', () => stage.files.read('pid').endsWith('\n'));
  await stage.dispatcher.close();
  t.notOk(lives(Number(stage.files.read('pid'))));
  t.same(stage.told, ['all own INSTANCE outside STOP 100']);
  t.same(stage.troubles, [
    ...['MASTER', 'BACKUP', 'MASTER'].map(
      (state) => `outside: nothing is run for outside ${state}: lvsentry stops`,
    ),
    'outside: all for outside BACKUP had no more time',
  ]);
});

t.test('at the end a program that is at work may finish', async (t) => {
  const stage = new Stage(t);
  stage.configure({ all: only(stage.program('all', 'sleep 0.5')) });
  stage.change('outside', 'backup', 'initialize');
  await stage.dispatcher.close();
  t.same(stage.told, ['all own INSTANCE outside BACKUP 100', 'all own INSTANCE outside STOP 100']);
  t.same(stage.troubles, []);
});
