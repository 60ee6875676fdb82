import fc from 'fast-check';
import t from 'tap';
import { Likeness } from '../../src/core/likeness.js';

/** The same data in objects of their own, with members the other way round. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, copied(member)]),
  );
}

const long = fc.string({ minLength: 257, maxLength: 600 });
const data = fc.anything({
  key: fc.string().filter((key) => key !== '__proto__'),
  values: [fc.string(), long, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.uint8Array()],
  withBigInt: false,
});

t.test('equal data has one number, whoever looks and in whatever order its members stand', async () => {
  const one = new Likeness();
  fc.assert(
    fc.property(data, (value) => {
      const likeness = one.of(value);
      return likeness === one.of(copied(value)) && likeness === new Likeness().of(copied(value));
    }),
  );
});

const CERTIFICATE = 'x'.repeat(400);
const BASE = { rule: { interval: 2000, jitter: 0.1 }, probe: { target: { address: '192.0.2.1', port: 80 } } };
const different: readonly (readonly [string, unknown])[] = [
  ['nothing', BASE],
  ['a port', { ...BASE, probe: { target: { address: '192.0.2.1', port: 81 } } }],
  ['an address', { ...BASE, probe: { target: { address: '192.0.2.2', port: 80 } } }],
  ['a share', { ...BASE, rule: { interval: 2000, jitter: 0.2 } }],
  ['two members that changed places', { probe: BASE.rule, rule: BASE.probe }],
  ['a member more', { ...BASE, tls: undefined }],
  ['a member that is there', { ...BASE, tls: null }],
  ['one that is a text', { ...BASE, tls: 'null' }],
  ['bytes', { ...BASE, payload: Uint8Array.of(1, 2) }],
  ['other bytes', { ...BASE, payload: Uint8Array.of(2, 1) }],
  ['a long text', { ...BASE, authorities: CERTIFICATE }],
  [
    'a long text that differs in its middle',
    { ...BASE, authorities: `${'x'.repeat(200)}y${'x'.repeat(199)}` },
  ],
  ['the order of a list', ['a', 'b']],
  ['that order turned round', ['b', 'a']],
];

t.test('what differs in one thing has another number', async (t) => {
  const likeness = new Likeness();
  const numbers = new Map<number, string>();
  for (const [what, value] of different) {
    const number = likeness.of(value);
    t.equal(numbers.get(number), undefined, what);
    t.equal(number, number | 0, 'of 32 bits');
    numbers.set(number, what);
  }
});

t.test('ten thousand servers next to each other have next to as many numbers', async (t) => {
  const likeness = new Likeness();
  const numbers = new Set<number>();
  for (let number = 0; number < 10_000; number += 1) {
    const address = `10.0.${number >> 8}.${number & 255}`;
    numbers.add(likeness.of({ ...BASE, probe: { target: { address, port: 80 } } }));
  }
  t.ok(numbers.size > 9_990, `${numbers.size} of 10000`);
});
