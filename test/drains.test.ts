/** Who looks at what drains: which entries, how often, and what trouble does to it. */
import t from 'tap';
import { DrainWatcher } from '../src/drains.js';
import { serviceText } from '../src/ipvs/keys.js';
import type { ObservedService, ServiceKey } from '../src/ipvs/model.js';
import { FakeTime } from './fakes/time.js';
import { key } from './ipvs/build.js';

const QUIET = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

class Stage {
  readonly time = new FakeTime();
  readonly read: string[] = [];
  readonly looks: (readonly string[])[] = [];
  fails = false;
  draining = new Map<string, ReadonlyMap<string, ServiceKey>>();
  readonly watcher: DrainWatcher;

  constructor() {
    const stage = this;
    this.watcher = new DrainWatcher({
      table: { read: (its) => this.#answer(its) },
      controller: {
        get draining() {
          return stage.draining;
        },
        onLook: (seen) => this.looks.push([...seen.keys()]),
      },
      timers: this.time,
      log: QUIET,
    });
    this.watcher.start();
  }

  async #answer(its: ServiceKey): Promise<ObservedService | undefined> {
    this.read.push(serviceText(its));
    if (this.fails) throw new Error('the table is away');
    return undefined;
  }

  /** A service that stands at so many ports from that one on. */
  drains(name: string, port: number, ports = 1): void {
    const keys = Array.from({ length: ports }, (_, index) => key('192.0.2.1', port + index));
    this.draining.set(name, new Map(keys.map((its) => [serviceText(its), its])));
  }
}

t.test('while nothing drains nothing is read', async (t) => {
  const stage = new Stage();
  await stage.time.advance(10_000);
  t.same([stage.read, stage.looks], [[], []]);
  stage.watcher.close();
});

t.test('every second, only the services that it is about, all entries of one together', async (t) => {
  const stage = new Stage();
  stage.drains('web', 80, 2);
  stage.drains('mail', 25);
  await stage.time.advance(1000);
  t.same(stage.looks, [['tcp 192.0.2.1:80', 'tcp 192.0.2.1:81', 'tcp 192.0.2.1:25']]);
  stage.draining.delete('web');
  await stage.time.advance(1000);
  t.same(stage.looks[1], ['tcp 192.0.2.1:25']);
  stage.draining.clear();
  await stage.time.advance(5000);
  t.equal(stage.looks.length, 2);
  stage.watcher.close();
  t.equal(stage.time.waiting, 0);
});

t.test('where very many drain they take turns', async (t) => {
  const stage = new Stage();
  for (let index = 0; index < 100; index += 1) stage.drains(`s${index}`, 1000 + index);
  await stage.time.advance(1000);
  t.equal(stage.looks[0]?.length, 64);
  await stage.time.advance(1000);
  t.equal(new Set(stage.looks.flat()).size, 100, 'the second look reads those that the first left out');
  stage.draining.clear();
  stage.drains('huge', 1, 1000);
  await stage.time.advance(1000);
  t.equal(stage.looks[2]?.length, 1000, 'one service is read whole, however large');
  stage.watcher.close();
});

t.test('a table that cannot be read is looked at again', async (t) => {
  const stage = new Stage();
  stage.drains('web', 80);
  stage.fails = true;
  await stage.time.advance(2000);
  t.equal(stage.read.length, 2);
  t.same(stage.looks, [], 'what was not read is not counted');
  stage.fails = false;
  await stage.time.advance(1000);
  t.equal(stage.looks.length, 1);
  stage.watcher.close();
});

t.test('once it is closed it looks no more, and a look that was under way is dropped', async (t) => {
  const stage = new Stage();
  stage.drains('web', 80);
  const moved = stage.time.advance(1000);
  stage.watcher.close();
  await moved;
  await stage.time.advance(5000);
  t.same(stage.looks, []);
  stage.watcher.start();
  t.equal(stage.time.waiting, 0);
});
