/** `api:`. */
import t from 'tap';
import { configOf, faultsOf, outside } from './given.js';

const DEPS = outside(
  { SHORT: 'secret' },
  { '/r/ann': 'a-token-with-a-line\n', '/r/two': 'a token of words, long enough\n' },
);

t.test('without it the API listens on loopback and only reads', async (t) => {
  const { api } = configOf('services: {}');
  t.same(api, { listen: { kind: 'tcp', host: '127.0.0.1', port: 8405 }, tokens: [] });
});

t.test('tokens, literal and by reference', async (t) => {
  const { api } = configOf(
    `services: {}\napi: { tokens: { ann: { token: "\${file:/r/ann}" }, bob: { token: 0123456789abcdef } } }`,
    DEPS,
  );
  t.same(api.tokens, [
    { name: 'ann', token: 'a-token-with-a-line' },
    { name: 'bob', token: '0123456789abcdef' },
  ]);
});

t.test('a token that could be guessed or sent by no header is refused, and never shown', async (t) => {
  for (const token of ['secret', `"\${env:SHORT}"`, `"\${file:/r/two}"`]) {
    const [fault = '', ...more] = faultsOf(
      `services: {}\napi: { tokens: { ann: { token: ${token} } } }`,
      DEPS,
    ).map(String);
    t.match(fault, /not a token: it has 16 characters or more, and no blanks/);
    t.notMatch(fault, /secret"|words/);
    t.same(more, []);
  }
});
