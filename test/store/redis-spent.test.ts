/** What is of no use any more leaves a real Redis server; what is of use to anybody stays. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { epochMillis } from '../../src/core/units.js';
import type { AdminWord } from '../../src/policy/model.js';
import { AdminMemory } from '../../src/store/admin.js';
import { RedisStore } from '../../src/store/redis.js';
import { isWordValue } from '../../src/store/words.js';
import { systemTimers } from '../../src/sys/clock.js';
import { config } from '../ipvs/build.js';
import { admin, idOf, web } from '../policy/build.js';
import { NO_REDIS, RedisServer } from './servers.js';

const DAY = 24 * 3600 * 1000;
const START = Date.UTC(2026, 0, 1);

const word = (last: number, isBack = false): AdminWord => ({
  server: idOf(last),
  source: 'operator',
  entry: isBack ? undefined : admin('draining'),
});

class Director {
  readonly memory: AdminMemory;
  readonly heard: string[] = [];

  /** @param hosts how many servers it has: 192.0.2.11, .12 and so on. @param day on which it is, from the start */
  constructor(
    readonly server: RedisServer,
    readonly name: string,
    hosts: number,
    day: number,
  ) {
    const clock = { wall: () => epochMillis(START + day * DAY), monotonic: () => 0 as never };
    this.memory = new AdminMemory({
      director: name,
      clock,
      onWords: (words) => this.heard.push(...words.map(({ server }) => server)),
    });
    this.configure(hosts);
    this.memory.add(
      (onEntries) =>
        new RedisStore({
          target: server.target,
          mark: randomUUID,
          timers: systemTimers,
          isValue: isWordValue,
          isSpent: (entry) => this.memory.isSpent(entry),
          isOurs: (entry) => this.memory.isOurs(entry),
          events: { onEntries, onTrouble: (message) => t.fail(message), onWell: () => undefined },
        }),
    );
  }

  configure(hosts: number): void {
    this.memory.configure(config(web(Array.from({ length: hosts }, () => 1))));
  }

  async open(t: Test): Promise<this> {
    t.teardown(() => this.memory.close());
    t.same(await this.memory.open(), []);
    return this;
  }
}

/** One says these words, and ends. */
async function say(server: RedisServer, name: string, day: number, ...words: AdminWord[]): Promise<void> {
  const { memory } = new Director(server, name, 9, day);
  await memory.open();
  memory.keep(words);
  await memory.close();
}

/** The last parts of the addresses that the hash has something of. */
const fields = (server: RedisServer): string[] =>
  server
    .cli('hkeys', 'lvsentry:admin')
    .split('\n')
    .map((key) => key.replace(/^web\/192\.0\.2\.|:80$/g, ''))
    .sort();

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

t.test(
  'what was said long ago of servers that are gone is deleted, and no more',
  { skip: NO_REDIS },
  async (t) => {
    const server = await RedisServer.start(t);
    await say(server, 'a', 0, word(11), word(13), word(14, true));
    await say(server, 'b', 0, word(15));
    await say(server, 'a', 20, word(16), word(17, true));
    await new Director(server, 'a', 2, 29).open(t);
    t.same(fields(server), ['11', '13', '14', '15', '16', '17'], 'not before thirty days are over');
    const a = await new Director(server, 'a', 2, 31).open(t);
    t.same(
      a.memory.words().map(({ server }) => server),
      [idOf(11)],
    );
    t.same(
      fields(server),
      ['11', '15', '16', '17'],
      'what it has, what another one said, and what is younger stays',
    );
  },
);

t.test('what another director has still is put back by it, and stays then', { skip: NO_REDIS }, async (t) => {
  const server = await RedisServer.start(t);
  await say(server, 'a', 0, word(11), word(14));
  const b = await new Director(server, 'b', 4, 31).open(t);
  const a = await new Director(server, 'a', 1, 31).open(t);
  t.same(fields(server), ['11'], 'deleted once');
  // Both look at the hash again after this.
  b.memory.keep([word(12)]);
  await until(() => fields(server).includes('14'));
  a.memory.keep([word(11, true)]);
  await until(() => b.heard.includes(idOf(11)));
  const c = await new Director(server, 'a', 1, 31).open(t);
  t.same(c.heard, []);
  await until(() => fields(server).join() === '11,12');
  t.same(b.memory.words().length, 3, 'nobody forgets what he has');
});

t.test(
  'a director that knows what is gone, and has it no more, does not bring it back',
  { skip: NO_REDIS },
  async (t) => {
    const server = await RedisServer.start(t);
    await say(server, 'a', 0, word(11), word(14));
    const b = await new Director(server, 'b', 4, 31).open(t);
    b.configure(1);
    await new Director(server, 'a', 1, 31).open(t);
    t.same(fields(server), ['11']);
    b.memory.keep([word(11, true)]);
    await until(() => server.cli('hget', 'lvsentry:admin', idOf(11)).includes('"value":null'));
    t.same(fields(server), ['11']);
  },
);
