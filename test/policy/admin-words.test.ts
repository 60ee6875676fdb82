/** The events of drains and of words about servers, as sentences and as data. */
import t from 'tap';
import { epochMillis } from '../../src/core/units.js';
import { LEVELS, newsHappening } from '../../src/describe.js';
import { leftText } from '../../src/policy/admin-words.js';
import type { AdminEntry, Connections } from '../../src/policy/model.js';
import type { AdminNews } from '../../src/policy/news.js';
import { service, serviceConfig } from '../ipvs/build.js';
import { entry, web } from './build.js';

const [SERVER] = web([4]).servers;
if (SERVER === undefined) throw new Error('no server');
const NAMED = { ...SERVER, name: 'web1' };

interface Told {
  readonly entry?: Partial<AdminEntry>;
  readonly left?: Connections;
  readonly stays?: Partial<AdminEntry>;
  readonly persistent?: boolean;
  readonly how?: 'empty' | 'deadline';
}

function news(what: AdminNews['what'], told: Told = {}): AdminNews {
  const its = entry({ by: 'operator ann', ...told.entry });
  const effective = entry(told.stays ?? told.entry ?? {});
  const drain = { left: told.left, told: undefined, toldAt: 0 as never };
  const one =
    told.persistent === true
      ? serviceConfig('web', service(undefined, { persistence: { timeoutSeconds: 60, prefix: 32 } }), [])
      : web([4]);
  const admin = { effective, entries: [effective], drain };
  const how = told.how === undefined ? {} : { how: told.how };
  return { kind: 'admin', what, service: one, server: NAMED, entry: its, by: 'operator ann', admin, ...how };
}

const AT = epochMillis(Date.UTC(2026, 0, 2, 3, 4, 5));
const SOME = { active: 3, inactive: 2, persistent: 1 };
const NONE = { active: 0, inactive: 0, persistent: 0 };

for (const [given, sentence] of [
  [
    news('drain-started', { entry: { state: 'draining' } }),
    'web1 (192.0.2.11:80) of web is draining by operator ann: no new clients',
  ],
  [
    news('drain-started', {
      entry: { state: 'draining', deadline: AT, finish: 'disabled', reason: 'new kernel' },
    }),
    'web1 (192.0.2.11:80) of web is draining by operator ann: no new clients; given up at 2026-01-02T03:04:05.000Z, whatever is left; disabled after that (new kernel)',
  ],
  [
    news('drain-started', { entry: { state: 'draining' }, persistent: true }),
    'web1 (192.0.2.11:80) of web is draining by operator ann: no new clients; persistent clients keep coming back to it while they have connections and the time-out after, unless net.ipv4.vs.expire_quiescent_template is 1',
  ],
  [
    news('drain-progress', { left: { active: 1, inactive: 0, persistent: 0 } }),
    'web1 (192.0.2.11:80) of web is draining: 1 connection (1 active, 0 inactive) left',
  ],
  [
    news('drain-progress', { left: SOME }),
    'web1 (192.0.2.11:80) of web is draining: 5 connections (3 active, 2 inactive) and 1 persistent client left; persistent clients keep coming back to it while they have connections and the time-out after, unless net.ipv4.vs.expire_quiescent_template is 1',
  ],
  [
    news('drain-finished', { entry: { state: 'drained' }, left: NONE, how: 'empty' }),
    'web1 (192.0.2.11:80) of web is drained: nothing is left',
  ],
  [
    news('drain-finished', { entry: { state: 'disabled' }, left: SOME, how: 'deadline' }),
    'web1 (192.0.2.11:80) of web: the deadline of its drain has come, 5 connections (3 active, 2 inactive) and 1 persistent client left; it is disabled now',
  ],
  [
    news('drain-finished', { entry: { state: 'drained' }, how: 'deadline' }),
    'web1 (192.0.2.11:80) of web: the deadline of its drain has come, what is left was not seen',
  ],
  [news('drain-undone'), 'the drain of web1 (192.0.2.11:80) of web was undone by operator ann'],
  [
    news('drain-undone', { stays: { state: 'drained', by: 'maintenance night' } }),
    'the drain of web1 (192.0.2.11:80) of web was undone by operator ann; it stays drained by maintenance night',
  ],
  [
    news('server-disabled', { entry: { state: 'disabled', reason: 'broken disk' } }),
    'web1 (192.0.2.11:80) of web is disabled by operator ann: it is taken out of the table (broken disk)',
  ],
  [news('server-enabled'), 'web1 (192.0.2.11:80) of web is enabled by operator ann'],
  [
    news('weight-set', { entry: { weight: 9 } }),
    'the weight of web1 (192.0.2.11:80) of web is 9 by operator ann, in place of the configured 4',
  ],
  [
    news('weight-set'),
    'the weight of web1 (192.0.2.11:80) of web is the configured 4 again, by operator ann',
  ],
] as const)
  t.test(`${given.what}: ${sentence.slice(0, 90)}`, async (t) => {
    const told = newsHappening(given);
    t.equal(told.message, sentence);
    t.match(told, { kind: given.what, service: 'web', server: 'web1', facts: { by: 'operator ann' } });
    t.ok(LEVELS[told.kind]);
  });

t.test('the facts of a drain are its counts, its end and its deadline', async (t) => {
  const facts = newsHappening(
    news('drain-finished', { entry: { state: 'drained', reason: 'why' }, left: SOME, how: 'deadline' }),
  ).facts;
  t.same(facts, {
    by: 'operator ann',
    reason: 'why',
    state: 'drained',
    weight: null,
    how: 'deadline',
    ...SOME,
    left: 6,
  });
  t.match(
    newsHappening(news('drain-started', { entry: { state: 'draining', deadline: AT, weight: 3 } })).facts,
    {
      deadline: '2026-01-02T03:04:05.000Z',
      weight: 3,
    },
  );
});

t.test('what is left, in words', async (t) => {
  t.equal(leftText(NONE), '0 connections (0 active, 0 inactive)');
  t.equal(leftText({ ...NONE, persistent: 2 }), '2 persistent clients');
});
