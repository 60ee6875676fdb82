import fc from 'fast-check';
import t from 'tap';
import { noticeArguments, noticeLine, RoleBook } from '../../src/hooks/notices.js';
import type { Role } from '../../src/vrrp/model.js';

const ROLES: Readonly<Record<string, Role>> = {
  m: 'master',
  b: 'backup',
  f: 'fault',
  i: 'initialize',
};

/** Plays changes such as `a:m` (a becomes master); what is told, a line each. */
function play(changes: string, groups: Readonly<Record<string, readonly string[]>> = {}): readonly string[] {
  const book = new RoleBook();
  book.configure(new Map(Object.entries(groups)));
  return changes.split(' ').flatMap((change) => {
    const [instance = '', letter = ''] = change.split(':');
    return book.note({ instance, to: ROLES[letter] ?? 'fault', priority: 100 }).map(noticeLine);
  });
}

const told = (...lines: readonly string[]): readonly string[] => lines.map((line) => `${line}\n`);

t.test("the words and forms are keepalived's", async (t) => {
  t.same(
    play('a:b a:m a:f a:b a:i'),
    told(
      'INSTANCE "a" BACKUP 100',
      'INSTANCE "a" MASTER 100',
      'INSTANCE "a" FAULT 100',
      'INSTANCE "a" BACKUP 100',
      'INSTANCE "a" STOP 100',
    ),
  );
  const [notice] = new RoleBook().note({ instance: 'a', to: 'master', priority: 150 });
  t.same(notice && noticeArguments(notice), ['INSTANCE', 'a', 'MASTER', '150']);
});

t.test('what has not changed is not told again', async (t) => {
  t.same(play('a:b a:b a:m a:m'), told('INSTANCE "a" BACKUP 100', 'INSTANCE "a" MASTER 100'));
  t.same(play('a:i a:b'), told('INSTANCE "a" STOP 100', 'INSTANCE "a" BACKUP 100'));
});

t.test('a group is told when it has moved as a whole, after its members', async (t) => {
  const groups = { g: ['a', 'b'] };
  const inGroup = (changes: string): readonly string[] =>
    play(changes, groups).filter((line) => line.startsWith('GROUP'));
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['a:b', []],
    ['a:b b:b', ['BACKUP']],
    ['a:b b:b a:m', ['BACKUP']],
    ['a:b b:b a:m b:m', ['BACKUP', 'MASTER']],
    ['a:b b:b a:m b:m a:b b:b', ['BACKUP', 'MASTER', 'BACKUP']],
    ['a:b b:b a:m a:b', ['BACKUP']],
    ['a:m b:m a:f b:f', ['MASTER', 'FAULT']],
    ['a:f b:f a:b b:b', ['FAULT', 'BACKUP']],
    ['a:f', ['FAULT']],
    ['a:m b:m a:i b:i', ['MASTER', 'STOP']],
    ['c:m', []],
  ];
  for (const [changes, states] of rows)
    t.same(inGroup(changes), told(...states.map((state) => `GROUP "g" ${state} 0`)), changes);
  t.same(play('a:m b:m', groups).at(-1), 'GROUP "g" MASTER 0\n', 'after its last member');
});

t.test('a group that is gone from the configuration is forgotten', async (t) => {
  const book = new RoleBook();
  const groups = new Map([['g', ['a']]]);
  const become = (to: Role): number => book.note({ instance: 'a', to, priority: 1 }).length;
  book.configure(groups);
  t.equal(become('master'), 2);
  book.configure(new Map());
  t.equal(become('backup'), 1);
  book.configure(groups);
  t.equal(become('master'), 2);
});

t.test('law: the lines of an instance are its changes, and none stands twice in a row', async (t) => {
  const change = fc.record({
    instance: fc.constantFrom('a', 'b', 'c'),
    letter: fc.constantFrom('m', 'b', 'f', 'i'),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), (changes) => {
      const text = changes.map(({ instance, letter }) => `${instance}:${letter}`).join(' ');
      const lines = play(text, { g: ['a', 'b'], h: ['c'] });
      const of = (object: string): readonly string[] =>
        lines.filter((line) => line.startsWith(object)).map((line) => line.split(' ')[2] ?? '');
      const expected = changes
        .filter(({ instance }) => instance === 'a')
        .map(({ letter }) => ({ m: 'MASTER', b: 'BACKUP', f: 'FAULT', i: 'STOP' })[letter])
        .filter((word, at, all) => word !== all[at - 1]);
      const noRepeats = ['INSTANCE "b"', 'GROUP "g"', 'GROUP "h"'].every((object) =>
        of(object).every((word, at, all) => word !== all[at - 1]),
      );
      return JSON.stringify(of('INSTANCE "a"')) === JSON.stringify(expected) && noRepeats;
    }),
  );
  t.pass('held');
});
