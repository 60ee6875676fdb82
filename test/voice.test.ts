/** What is told, in which order, and how much at once. */
import t from 'tap';
import type { LvsEvent } from '../src/alerts/model.js';
import type { Logger } from '../src/core/ports.js';
import { millis } from '../src/core/units.js';
import type { Happening } from '../src/describe.js';
import { Voice } from '../src/voice.js';
import { FakeTime } from './fakes/time.js';

const happening = (server: string): Happening => ({
  kind: 'server-down',
  service: 'web',
  server,
  message: server,
});

/** A voice whose clock goes on by so much with every look. */
function voiceOf(step: number) {
  const time = new FakeTime();
  const told: LvsEvent[] = [];
  const logged: string[] = [];
  const turns: (() => void)[] = [];
  let now = 0;
  const write = (_: unknown, text: string): void => void logged.push(text);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  const clock = {
    wall: () => time.wall(),
    monotonic: () => {
      now += step;
      return millis(now);
    },
  };
  const voice = new Voice({
    clock,
    log,
    turns: { soon: (run) => turns.push(run) },
    offer: (event) => told.push(event),
  });
  /** Lets turns pass until nobody waits for one. */
  const pass = async (): Promise<void> => {
    while (turns.length > 0) {
      turns.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { voice, told, logged, turns, pass };
}

const servers = (events: readonly LvsEvent[]): string => events.map(({ server }) => server).join('');

t.test('what is little is told at once, numbered from 1', async (t) => {
  const { voice, told, logged } = voiceOf(0);
  voice.tell(['a', 'b'].map((name) => () => happening(name)));
  t.same(
    told.map(({ sequence, server, kind }) => [sequence, server, kind]),
    [
      [1, 'a', 'server-down'],
      [2, 'b', 'server-down'],
    ],
  );
  t.same(logged, ['a', 'b']);
});

t.test('of much a part is told in each turn; what happens meanwhile is told after it', async (t) => {
  const { voice, told, turns, pass } = voiceOf(3);
  voice.tell([...'abcdef'].map((name) => () => happening(name)));
  t.ok(told.length > 0 && told.length < 6, `${told.length} at once`);
  t.equal(turns.length, 1);
  voice.tell([() => happening('g')]);
  t.notOk(servers(told).includes('g'));
  await pass();
  t.equal(servers(told), 'abcdefg');
  t.same(
    told.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6, 7],
  );
  voice.tell([() => happening('h')]);
  t.equal(servers(told), 'abcdefgh', 'and then at once again');
});

t.test('at the end all is told, once', async (t) => {
  const { voice, told, pass } = voiceOf(3);
  voice.tell([...'abcdef'].map((name) => () => happening(name)));
  voice.finish();
  t.equal(servers(told), 'abcdef');
  await pass();
  voice.tell([() => happening('g')]);
  t.equal(servers(told), 'abcdefg');
});
