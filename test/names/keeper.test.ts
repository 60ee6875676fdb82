/** Names that are followed, on a clock of the test: when they are asked for, how many at once, and what a reload keeps. */
import t from 'tap';
import { NAME_RULE } from '../../src/config/names.js';
import { ip } from '../../src/core/ip.js';
import { seconds } from '../../src/core/units.js';
import { questionId } from '../../src/names/effective.js';
import { NameKeeper } from '../../src/names/keeper.js';
import type { Lookup, NameNews, NameRule, NameView, Question } from '../../src/names/model.js';
import { FakeTime } from '../fakes/time.js';

interface Asked {
  readonly host: string;
  readonly rule: NameRule;
  readonly done: (lookup: Lookup) => void;
  cancelled: boolean;
}

const question = (host: string): Question => ({ host, family: 'ipv4', loopback: false });
const questions = (...hosts: readonly string[]) =>
  new Map(hosts.map((host) => [questionId(question(host)), question(host)]));
const answer = (address: string, ttl = 60): Lookup => ({
  kind: 'answer',
  addresses: [ip(address)],
  ttl: seconds(ttl),
});
const FAILED: Lookup = { kind: 'failure', trouble: 'timeout', detail: 'none' };

function rig(uniform = 0) {
  const time = new FakeTime();
  const asked: Asked[] = [];
  const steps: { readonly view: NameView; readonly news: readonly NameNews[] }[] = [];
  const keeper = new NameKeeper({
    clock: time,
    timers: time,
    entropy: { uniform: () => uniform },
    lookUp: ({ host }, rule, done) => {
      const one: Asked = { host, rule, done, cancelled: false };
      asked.push(one);
      return {
        cancel: () => {
          one.cancelled = true;
        },
      };
    },
    mayGo: () => true,
    onStep: (view, news) => steps.push({ view, news }),
  });
  const hosts = (): readonly string[] => asked.map(({ host }) => host);
  return { time, asked, steps, keeper, hosts };
}

const addressOf = (keeper: NameKeeper, host: string) => keeper.addresses.get(questionId(question(host)));

t.test('nothing is asked before the start; then each name, and again when its time is over', async (t) => {
  const { time, asked, steps, keeper, hosts } = rig();
  keeper.configure(NAME_RULE, questions('a.example', 'b.example'));
  await time.advance(60_000);
  t.same(hosts(), []);
  keeper.start();
  t.same(hosts(), ['a.example', 'b.example']);
  asked[0]?.done(answer('192.0.2.1', 20));
  asked[1]?.done(FAILED);
  t.same(addressOf(keeper, 'a.example'), ['192.0.2.1']);
  t.equal(addressOf(keeper, 'b.example'), undefined);
  t.same(
    steps.map(({ view, news }) => [view.host, news.map(({ kind }) => kind)]),
    [
      ['a.example', ['name-changed']],
      ['b.example', ['name-trouble']],
    ],
  );
  await time.advance(4999);
  t.equal(asked.length, 2);
  await time.advance(1);
  t.same(hosts().slice(2), ['b.example'], 'who is in trouble is asked for sooner');
  await time.advance(15_000);
  t.same(hosts().slice(3), ['a.example'], 'one question at a time for each name');
});

t.test('names are asked for somewhat earlier than they must be', async (t) => {
  const { time, asked, keeper } = rig(0.5);
  keeper.configure(NAME_RULE, questions('a.example'));
  keeper.start();
  asked[0]?.done(answer('192.0.2.1', 100));
  await time.advance(94_999);
  t.equal(asked.length, 1);
  await time.advance(1);
  t.equal(asked.length, 2);
});

t.test('so many are asked for at once, the others as these end', (t) => {
  const { asked, keeper } = rig();
  const hosts = Array.from({ length: 100 }, (_, index) => `n${index}.example`);
  keeper.configure(NAME_RULE, questions(...hosts));
  keeper.start();
  t.equal(asked.length, 32);
  for (let index = 0; index < 100; index += 1) {
    asked[index]?.done(index % 2 === 0 ? answer('192.0.2.1') : FAILED);
    t.equal(asked.length, Math.min(100, 33 + index));
  }
  t.same(new Set(asked.map(({ host }) => host)).size, 100);
  t.end();
});

t.test('a reload keeps what is known, asks for what is new, and drops what is gone', async (t) => {
  const { time, asked, steps, keeper, hosts } = rig();
  keeper.configure(NAME_RULE, questions('a.example', 'b.example', 'c.example'));
  keeper.start();
  asked[0]?.done(answer('192.0.2.1'));
  asked[2]?.done(answer('192.0.2.3'));
  keeper.configure(NAME_RULE, questions('d.example', 'a.example'));
  t.same(hosts().slice(3), ['d.example']);
  t.ok(asked[1]?.cancelled);
  t.same(addressOf(keeper, 'a.example'), ['192.0.2.1']);
  t.equal(addressOf(keeper, 'c.example'), undefined);
  t.same(
    keeper.views().map(({ host }) => host),
    ['d.example', 'a.example'],
    'in the order of the configuration',
  );
  await time.advance(60_000);
  t.same(hosts().slice(4), ['a.example'], 'at its time, and nobody asks for c.example');
  t.equal(steps.length, 2);
});

t.test('another rule asks for all names anew, with it', (t) => {
  const { asked, keeper, hosts } = rig();
  keeper.configure(NAME_RULE, questions('a.example', 'b.example'));
  keeper.start();
  asked[0]?.done(answer('192.0.2.1'));
  const rule = { ...NAME_RULE, resolvers: [{ address: ip('192.0.2.53'), port: 53 }] };
  keeper.configure(rule, questions('a.example', 'b.example'));
  t.same(hosts().slice(2), ['a.example', 'b.example']);
  t.ok(asked[1]?.cancelled, 'the question under way is given up');
  t.same(asked[3]?.rule, rule);
  t.same(addressOf(keeper, 'a.example'), ['192.0.2.1'], 'what is known stays meanwhile');
  keeper.configure({ ...rule }, questions('a.example', 'b.example'));
  t.equal(asked.length, 4, 'the same rule is no other one');
  t.end();
});

t.test('what is remembered comes before what is guessed, and neither before an answer', (t) => {
  const { asked, keeper } = rig();
  keeper.configure(NAME_RULE, questions('a.example', 'b.example', 'c.example'));
  keeper.start();
  asked[2]?.done(answer('192.0.2.3'));
  const [a, b, c] = [...questions('a.example', 'b.example', 'c.example').keys()];
  const remembered = { addresses: [ip('192.0.2.9')], answeredAt: new FakeTime().wall() };
  keeper.recall(
    new Map([
      [a ?? '', remembered],
      [c ?? '', remembered],
    ]),
    new Map([
      [a ?? '', [ip('192.0.2.8')]],
      [b ?? '', [ip('192.0.2.8')]],
    ]),
  );
  t.same(
    keeper.views().map(({ source, addresses }) => [source, addresses[0]?.address]),
    [
      ['memory', '192.0.2.9'],
      ['table', '192.0.2.8'],
      ['answer', '192.0.2.3'],
    ],
  );
  t.end();
});

t.test('after the end nothing is asked and nothing runs', async (t) => {
  const { time, asked, keeper } = rig();
  keeper.configure(NAME_RULE, questions('a.example', 'b.example'));
  keeper.start();
  asked[0]?.done(answer('192.0.2.1'));
  keeper.close();
  t.ok(asked[1]?.cancelled);
  t.equal(time.waiting, 0);
  await time.advance(1_000_000);
  t.equal(asked.length, 2);
});
