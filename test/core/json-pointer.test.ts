import fc from 'fast-check';
import t from 'tap';
import { JSON_POINTER_PATTERN, valueAt } from '../../src/core/json-pointer.js';

/** The document of RFC 6901 5. */
const DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};

const ROWS: readonly (readonly [string, unknown])[] = [
  ['', DOCUMENT],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/foo/1', 'baz'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
  ['/bar', undefined],
  ['/foo/2', undefined],
  ['/foo/-', undefined],
  ['/foo/01', undefined],
  ['/foo/1e0', undefined],
  ['/foo/-1', undefined],
  ['/foo/length', undefined],
  ['/foo/0/0', undefined],
  ['/foo/0/length', undefined],
  ['/a~1b/x', undefined],
  ['/constructor', undefined],
  ['/__proto__', undefined],
  ['/toString', undefined],
];

t.test('a pointer leads where RFC 6901 says, and nowhere else', async (t) => {
  for (const [pointer, value] of ROWS) {
    t.same(valueAt(DOCUMENT, pointer), value, JSON.stringify(pointer));
    t.match(pointer, new RegExp(JSON_POINTER_PATTERN, 'u'), `${JSON.stringify(pointer)} is a pointer`);
  }
  for (const document of [null, 1, 'text', undefined]) t.equal(valueAt(document, '/x'), undefined);
  t.equal(valueAt(JSON.parse('{"__proto__": 1}'), '/__proto__'), 1, 'a member of that name is a member');
});

t.test('what is no pointer is told apart', async (t) => {
  for (const text of ['foo', 'foo/bar', '/a~', '/a~2', '#/a', ' /a'])
    t.notMatch(text, new RegExp(JSON_POINTER_PATTERN, 'u'), text);
});

t.test('law: every place of a document has its pointer', async (t) => {
  const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 6 }), fc.jsonValue(), (names, value) => {
      let document: unknown = value;
      for (const name of [...names].reverse())
        document = JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(document)}}`);
      const found = valueAt(document, names.map((name) => `/${escaped(name)}`).join(''));
      return JSON.stringify(found) === JSON.stringify(value);
    }),
  );
  t.pass();
});
