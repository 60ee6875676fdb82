/** What is done about what is ours: defaults, words, mappings, and what a service says of its own. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { ownershipPlan } from '../../src/policy/ownership.js';
import { everyDrift, RULES } from '../ipvs/build.js';
import { configOf, faultsOf, serviceOf } from './given.js';

const SERVICE = `
services:
  web:
    address: 192.168.2.254:80
    servers: [192.168.2.2]
`;

t.test('what holds where nothing is said', async (t) => {
  t.same(configOf(SERVICE).ownership, RULES);
  t.same(serviceOf('address: 192.168.2.254:80\nservers: []').ownership, {
    drift: {},
    onStop: undefined,
    onRemove: undefined,
  });
});

t.test('one word is for every kind, a mapping for those that it names', async (t) => {
  t.same(configOf(`drift: accept${SERVICE}`).ownership.drift, everyDrift('accept'));
  t.same(configOf(`drift: { weight: accept, removed: report }${SERVICE}`).ownership.drift, {
    ...everyDrift('repair'),
    weight: 'accept',
    removed: 'report',
  });
});

t.test('what is kept beside the table has kinds of its own, at the top alone', async (t) => {
  const besideOf = (text: string) => configOf(`${text}${SERVICE}`).ownership.besideDrift;
  t.same(besideOf('drift: accept'), { timeouts: 'accept', sync: 'accept' });
  t.same(besideOf('drift: { weight: accept, sync: report }'), { timeouts: 'repair', sync: 'report' });
  t.same(besideOf('drift: { timeouts: accept }'), { timeouts: 'accept', sync: 'repair' });
  const own = serviceOf('address: 192.168.2.254:80\nservers: []\ndrift: accept').ownership;
  t.same(own.drift, everyDrift('accept'), 'the word of a service is for its entries');
  const [fault] = faultsOf(`${SERVICE}    drift: { timeouts: accept }\n`);
  t.match(fault, /timeouts/);
});

t.test('how entries leave, with the deadline that is usual or said', async (t) => {
  const cases = [
    ['on-stop: keep', 'onStop', { kind: 'keep' }],
    ['on-stop: remove', 'onStop', { kind: 'remove' }],
    ['on-stop: drain', 'onStop', { kind: 'drain', deadline: millis(30_000) }],
    ['on-stop: { drain: 2m }', 'onStop', { kind: 'drain', deadline: millis(120_000) }],
    ['on-remove: remove', 'onRemove', { kind: 'remove' }],
    ['on-remove: drain', 'onRemove', { kind: 'drain', deadline: millis(300_000) }],
    ['on-remove: { drain: 1h }', 'onRemove', { kind: 'drain', deadline: millis(3_600_000) }],
  ] as const;
  for (const [line, member, expected] of cases)
    t.same(configOf(`${line}${SERVICE}`).ownership[member], expected, line);
});

t.test('the whole table may be ours, and the first verdicts may take longer or shorter', async (t) => {
  const { exclusive, coldStart } = configOf(`exclusive: true\ncold-start: 5s${SERVICE}`).ownership;
  t.same([exclusive, coldStart], [true, 5000]);
  t.same(faultsOf(`exclusive: false\nservices: {}`), [], 'without services there is nothing to fear');
});

t.test('a service says what is otherwise with it, kind by kind', async (t) => {
  const plan = ownershipPlan(
    configOf(`
drift: { weight: accept }
on-stop: remove
services:
  plain: { address: 192.168.2.254:80, servers: [] }
  other:
    address: 192.168.2.254:81
    drift: { removed: report }
    on-remove: { drain: 1m }
    servers: []
`),
  );
  t.equal(plan.exclusive, false);
  t.match(plan.of('tcp 192.168.2.254:80'), {
    drift: { weight: 'accept', removed: 'repair' },
    onStop: { kind: 'remove' },
    onRemove: { kind: 'remove' },
  });
  t.match(plan.of('tcp 192.168.2.254:81'), {
    drift: { weight: 'accept', removed: 'report', settings: 'repair' },
    onStop: { kind: 'remove' },
    onRemove: { kind: 'drain', deadline: 60_000 },
  });
  t.match(plan.of('tcp 192.0.2.1:1'), { onStop: { kind: 'remove' } }, 'one that is not named');
});
