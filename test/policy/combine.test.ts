/** Several checks of one server: the law of what they come to, and dialogues with the book. */
import fc from 'fast-check';
import t from 'tap';
import type { CheckId } from '../../src/checks/model.js';
import type { ServiceConfig } from '../../src/config/model.js';
import { finish } from '../../src/core/steps.js';
import { epochMillis } from '../../src/core/units.js';
import { assumedSide, assumedWith, checkName, combine, together } from '../../src/policy/combine.js';
import type { ServerHealth } from '../../src/world.js';
import { change, config } from '../ipvs/build.js';
import { Desk, idOf, web } from './build.js';

type Side = 'up' | 'down' | undefined;

const TOGETHER: readonly (readonly [needed: number, sides: readonly Side[], expected: Side])[] = [
  [2, ['up', 'up'], 'up'],
  [2, ['up', 'down'], 'down'],
  [2, ['up', undefined], undefined],
  [2, ['down', undefined], 'down'],
  [1, ['up', undefined], 'up'],
  [1, ['down', undefined], undefined],
  [1, ['down', 'down'], 'down'],
  [2, ['up', 'up', 'down'], 'up'],
  [2, ['up', undefined, 'down'], undefined],
  [2, ['down', undefined, 'down'], 'down'],
];

t.test('so many must be up', async (t) => {
  for (const [needed, sides, expected] of TOGETHER)
    t.equal(together(needed, sides), expected, `${needed} of ${sides.join(' ')}`);
});

const sides = fc.array(fc.constantFrom<Side>('up', 'down', undefined), { minLength: 1, maxLength: 6 });

t.test('what is unknown never changes what was decided without it', async () => {
  fc.assert(
    fc.property(sides, fc.nat(5), (all, more) => {
      const needed = 1 + (more % all.length);
      const decided = together(needed, all);
      if (decided === undefined) return true;
      const filled = (side: 'up' | 'down') => all.map((one) => one ?? side);
      return together(needed, filled('up')) === decided && together(needed, filled('down')) === decided;
    }),
  );
});

const health = (verdict: 'up' | 'down' | 'unknown', held: Side, at: number): ServerHealth => ({
  verdict,
  held,
  since: epochMillis(at),
  lastChange:
    held === undefined ? undefined : { ...change(`web/a/${at}`, held, 'unknown'), at: epochMillis(at) },
});

t.test(
  'a server is down by the check that took it down, and by another one when that is up again',
  async (t) => {
    const at = epochMillis(9);
    const [a, b] = [health('down', 'down', 1), health('up', 'up', 2)];
    const first = combine({ needed: 2 }, [a, b], undefined, at);
    t.match(first, { verdict: 'down', held: 'down', since: 9, lastChange: { id: 'web/a/1' } });
    const both = combine({ needed: 2 }, [a, health('down', 'down', 3)], first, epochMillis(10));
    t.match(
      both,
      { held: 'down', since: 9, lastChange: { id: 'web/a/1' } },
      'it is down since then, by the first',
    );
    const other = combine(
      { needed: 2 },
      [health('up', 'up', 4), health('down', 'down', 3)],
      both,
      epochMillis(11),
    );
    t.match(other, { held: 'down', since: 9, lastChange: { id: 'web/a/3' } });
  },
);

t.test('a server that nothing was told of yet is down by the check that failed last', async (t) => {
  const parts = [health('down', 'down', 7), health('down', 'down', 3), health('up', 'up', 8)];
  for (const its of [parts, parts.toReversed()])
    t.match(combine({ needed: 2 }, its, undefined, epochMillis(9)), { lastChange: { id: 'web/a/7' } });
});

t.test('a check that is in doubt leaves its server in doubt only where it decides', async (t) => {
  const parts = [health('unknown', 'up', 1), health('up', 'up', 2)];
  const at = epochMillis(9);
  t.match(combine({ needed: 2 }, parts, undefined, at), { verdict: 'unknown', held: 'up' });
  t.match(combine({ needed: 1 }, parts, undefined, at), { verdict: 'up', held: 'up' });
});

t.test('the only check of a server has no name', async (t) => {
  t.equal(checkName('web/192.0.2.1:80'), undefined);
  t.equal(checkName('web/192.0.2.1:80/page'), 'page');
});

/** `web`, whose servers have so many checks each: a, b, c ... */
function several(
  servers: number,
  checks: number,
  needed: number,
  more: Partial<ServiceConfig> = {},
): ServiceConfig {
  const one = web(
    Array.from({ length: servers }, () => 1),
    more,
  );
  return {
    ...one,
    servers: one.servers.map((server) => {
      const [check] = server.checks;
      const named = (index: number) => ({ ...check, id: `${check.id}/${String.fromCharCode(97 + index)}` });
      const others = Array.from({ length: checks - 1 }, (_, index) => named(index + 1));
      return { ...server, needed, checks: [named(0), ...others] };
    }),
  };
}

class SeveralDesk extends Desk {
  /** `up 11a`: of one check. @returns the news */
  checks(...words: readonly string[]): readonly string[] {
    return this.changes(
      words.map((word) => {
        const [, verdict, last, name] = /^(up|down) (\d+)([a-z])$/.exec(word) ?? [];
        const id: CheckId = `${idOf(Number(last))}/${name}`;
        return change(id, verdict === 'up' ? 'up' : 'down', 'unknown');
      }),
    );
  }
}

t.test('all must pass: the table is held until all were heard, and one that fails is enough', async (t) => {
  const desk = new SeveralDesk(several(1, 2, 2));
  t.same(desk.checks('up 11a'), []);
  t.equal(desk.wants(), '11:hold');
  t.same(desk.checks('up 11b'), ['11 up']);
  t.equal(desk.wants(), '11:1');
  t.same(desk.checks('down 11b'), ['11 down', 'quorum lost']);
  t.equal(desk.wants(), '');
  t.same(desk.checks('down 11a'), [], 'it is down already');
  t.same(desk.checks('up 11b'), [], 'the other one is down still');
  t.equal(desk.wants(), '');
  t.same(desk.checks('up 11a'), ['11 up', 'quorum met']);
  t.equal(desk.wants(), '11:1');
});

t.test('any: one that passes is enough, and only all together take a server out', async (t) => {
  const desk = new SeveralDesk(several(1, 2, 1));
  t.same(desk.checks('down 11a'), []);
  t.equal(desk.wants(), '11:hold');
  t.same(desk.checks('up 11b'), ['11 up', '11 degraded: a: down']);
  t.same(desk.checks('up 11a'), ['11 recovered']);
  t.same(desk.checks('down 11b'), ['11 degraded: b: down']);
  t.equal(desk.wants(), '11:1');
  t.same(desk.checks('down 11a'), ['11 down', 'quorum lost']);
  t.equal(desk.wants(), '');
});

t.test('at least two of three', async (t) => {
  const desk = new SeveralDesk(several(1, 3, 2));
  t.same(desk.checks('up 11a', 'up 11b'), ['11 up'], 'the third is not waited for');
  t.same(desk.checks('down 11a'), ['11 degraded: a: down'], 'the third, not heard yet, may still pass');
  t.equal(desk.wants(), '11:1', 'what was known last is followed');
  t.same(desk.checks('down 11c'), ['11 down', 'quorum lost']);
  t.same(desk.checks('up 11c'), ['11 up', '11 degraded: a: down', 'quorum met']);
});

t.test('a reload that adds a check leaves the server as it was until that was heard', async (t) => {
  const desk = new SeveralDesk(several(1, 2, 2));
  desk.checks('up 11a', 'up 11b');
  desk.reload(config(several(1, 3, 3)));
  t.equal(desk.wants(), '11:1');
  const { health } = desk.book.view();
  t.match(health.get(idOf(11)), { verdict: 'unknown', held: 'up' });
  t.equal(health.get(`${idOf(11)}/a`)?.verdict, 'up', 'what was known of the others is known still');
  t.same(desk.checks('down 11c'), ['11 down', 'quorum lost']);
  desk.reload(config(web([1])));
  t.equal(desk.book.view().health.has(`${idOf(11)}/a`), false, 'nothing is left of checks that are gone');
});

t.test('a server of one check that gets several, or the other way round, is what it was', async (t) => {
  const desk = new SeveralDesk(web([1]));
  desk.verdicts('up 11');
  desk.reload(config(several(1, 2, 2)));
  t.equal(desk.wants(), '11:1');
  t.same(desk.checks('up 11a', 'up 11b'), []);
  desk.reload(config(web([1])));
  t.equal(desk.wants(), '11:1');
});

t.test('a worker that died leaves its checks in doubt, and the server as it was', async (t) => {
  const desk = new SeveralDesk(several(1, 2, 2));
  desk.checks('up 11a', 'up 11b');
  desk.book.doubt([`${idOf(11)}/b`]);
  const health = desk.book.view().health;
  t.match(health.get(idOf(11)), { verdict: 'unknown', held: 'up' });
  t.equal(health.get(`${idOf(11)}/a`)?.verdict, 'up');
  t.equal(desk.wants(), '11:1');
});

t.test('what was known before a restart is known of each check', async (t) => {
  const desk = new SeveralDesk(several(1, 2, 2));
  const remembered = (verdict: 'up' | 'down') => ({ verdict, since: epochMillis(5) });
  const before = new Map([
    [`${idOf(11)}/a`, remembered('up')],
    [`${idOf(11)}/b`, remembered('down')],
  ]);
  finish(desk.book.recall(before, desk.at()));
  t.equal(desk.wants(), '');
  t.equal(desk.book.held().get(`${idOf(11)}/a`), 'up');
  t.equal(desk.book.held().get(`${idOf(11)}/b`), 'down');
});

t.test('what checks assume is put together as verdicts are', async (t) => {
  const [server] = several(1, 2, 2).servers;
  if (server === undefined) throw new Error('no server');
  const [first, second] = server.checks;
  const assume = (word: 'up' | 'down' | 'kernel') => ({
    needed: 2,
    checks: [first, { ...first, ...second, rule: { ...first.rule, assume: word } }],
  });
  t.equal(assumedSide(assume('up')), 'up');
  t.equal(assumedSide(assume('down')), 'down');
  t.equal(assumedSide(assume('kernel')), undefined);
  const known = new Map([[first.id, health('down', 'down', 1)]]);
  t.equal(assumedWith(assume('up'), known), 'down', 'what is known counts');
});
