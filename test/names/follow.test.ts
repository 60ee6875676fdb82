/** What lookups make of the addresses of a name: told as tables, and held by laws. */
import fc from 'fast-check';
import t from 'tap';
import { NAME_RULE } from '../../src/config/names.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { epochMillis, type Millis, millis, seconds } from '../../src/core/units.js';
import {
  ADDRESSES_MAX,
  guessedName,
  type NameStep,
  recalledName,
  stepName,
  UNKNOWN_NAME,
} from '../../src/names/follow.js';
import type { Lookup, NameRule, NameState } from '../../src/names/model.js';

const RULE: NameRule = { ...NAME_RULE, minimumTtl: seconds(5), maximumTtl: seconds(300), hold: seconds(30) };
const [A, B, C] = [ip('192.0.2.1'), ip('192.0.2.2'), ip('192.0.2.10')] as const;

const answer = (addresses: readonly Ip[], ttl = 60): Lookup => ({
  kind: 'answer',
  addresses,
  ttl: seconds(ttl),
});
const failed = (trouble: Extract<Lookup, { kind: 'failure' }>['trouble'] = 'timeout'): Lookup => ({
  kind: 'failure',
  trouble,
  detail: 'as told',
});

function step(state: NameState, lookup: Lookup, at: number, isFree = true): NameStep {
  const moment = { now: seconds(at), wall: epochMillis(at * 1000), mayGo: () => isFree };
  return stepName(state, lookup, RULE, moment);
}

const listOf = ({ addresses }: NameState): readonly Ip[] => addresses.map(({ address }) => address);

t.test('the first answer brings all its addresses, in the order of their numbers', (t) => {
  const { state, next, news } = step(UNKNOWN_NAME, answer([C, A, B]), 0);
  t.same(listOf(state), [A, B, C]);
  t.equal(next, seconds(60));
  t.same(news, [{ kind: 'name-changed', came: [A, B, C], left: [] }]);
  t.equal(state.source, 'answer');
  t.equal(state.answeredAt, 0);
  t.end();
});

t.test('another order is no change, and nothing is told', (t) => {
  const first = step(UNKNOWN_NAME, answer([A, B, C]), 0).state;
  const { state, news } = step(first, answer([C, B, A]), 60);
  t.same(listOf(state), listOf(first));
  t.same(news, []);
  t.end();
});

t.test('new ones come at once, behind those that are there', (t) => {
  const first = step(UNKNOWN_NAME, answer([C]), 0).state;
  const { state, news } = step(first, answer([A, C]), 60);
  t.same(listOf(state), [C, A]);
  t.same(news, [{ kind: 'name-changed', came: [A], left: [] }]);
  t.end();
});

t.test('one that is missing stays for its hold, and goes with a good answer behind it', (t) => {
  const first = step(UNKNOWN_NAME, answer([A, B]), 0).state;
  const missing = step(first, answer([A]), 60);
  t.same(listOf(missing.state), [A, B]);
  t.same(missing.news, []);
  t.equal(missing.next, seconds(30), 'it is asked again when the hold is over');
  const failure = step(missing.state, failed(), 100);
  t.same(listOf(failure.state), [A, B], 'not by a failure');
  const gone = step(failure.state, answer([A]), 105);
  t.same(listOf(gone.state), [A]);
  t.same(gone.news, [{ kind: 'name-changed', came: [], left: [B] }, { kind: 'name-resolved' }]);
  t.end();
});

t.test('one that comes back meanwhile was never away', (t) => {
  let { state } = step(UNKNOWN_NAME, answer([A, B]), 0);
  for (let at = 20; at <= 400; at += 20) {
    const flapping = step(state, answer(at % 40 === 0 ? [A] : [B]), at);
    t.same(flapping.news, []);
    state = flapping.state;
  }
  t.same(listOf(state), [A, B]);
  t.end();
});

t.test('those that serve stay while none of those that would be left is up', (t) => {
  const first = step(UNKNOWN_NAME, answer([A]), 0).state;
  const moved = step(first, answer([B]), 60).state;
  const held = step(moved, answer([B]), 100, false);
  t.same(listOf(held.state), [A, B]);
  t.match(held.news, [{ kind: 'name-trouble', trouble: 'nobody-up' }]);
  t.equal(held.next, seconds(10), 'it is looked at again soon');
  t.same(step(held.state, answer([B]), 110, false).news, [], 'it is told once');
  const gone = step(held.state, answer([B]), 120, true);
  t.same(listOf(gone.state), [B]);
  t.same(gone.news, [{ kind: 'name-changed', came: [], left: [A] }, { kind: 'name-resolved' }]);
  t.end();
});

t.test('failures change nothing but the trouble, and are tried again ever later', (t) => {
  let { state } = step(UNKNOWN_NAME, answer([A, B]), 0);
  const delays: number[] = [];
  const told: unknown[] = [];
  for (let at = 60; at < 70; at += 1) {
    const { state: after, next, news } = step(state, failed(at === 65 ? 'no-such-name' : 'timeout'), at);
    delays.push(next / 1000);
    told.push(...news.map(({ kind }) => kind));
    state = after;
  }
  t.same(delays, [5, 10, 20, 40, 60, 60, 60, 60, 60, 60]);
  t.same(told, ['name-trouble', 'name-trouble', 'name-trouble'], 'whenever it is another one');
  t.same(listOf(state), [A, B]);
  t.equal(state.answeredAt, 0, 'the age of what is known is told');
  t.match(state.trouble, { kind: 'timeout', since: 66_000 }, 'trouble counts from its first failure');
  t.same(step(state, answer([A, B]), 100).news, [{ kind: 'name-resolved' }]);
  t.end();
});

t.test('what was remembered or guessed is as good as an answer, until one comes', (t) => {
  const recalled = recalledName({ addresses: [A, B], answeredAt: epochMillis(-5000) });
  t.same(listOf(step(recalled, failed(), 0).state), [A, B]);
  t.equal(step(recalled, failed(), 0).state.answeredAt, -5000);
  const guessed = guessedName([A, B]);
  const first = step(guessed, answer([B, C]), 0);
  t.same(listOf(first.state), [A, B, C]);
  t.same(first.news, [{ kind: 'name-changed', came: [C], left: [] }]);
  t.same(listOf(step(first.state, answer([B, C]), 31).state), [B, C]);
  t.end();
});

t.test('TTLs have a floor and a ceiling', (t) => {
  for (const [ttl, next] of [
    [0, 5],
    [1, 5],
    [77, 77],
    [86_400, 300],
  ] as const)
    t.equal(step(UNKNOWN_NAME, answer([A], ttl), 0).next, seconds(next), `TTL ${ttl}`);
  t.end();
});

const POOL = Array.from({ length: 6 }, (_, index) => ip(`192.0.2.${index + 1}`));
const someOf = fc
  .subarray(POOL, { minLength: 1 })
  .chain((some) => fc.shuffledSubarray(some, { minLength: some.length }));
const lookups: fc.Arbitrary<Lookup> = fc.oneof(
  fc.record({ kind: fc.constant('answer' as const), addresses: someOf, ttl: fc.nat(600_000).map(millis) }),
  fc.constantFrom(failed(), failed('no-such-name'), failed('unusable'), failed('server-failure')),
);
const happenings = fc.array(fc.tuple(lookups, fc.nat(100_000), fc.boolean()), { maxLength: 60 });

interface Seen {
  readonly before: NameState;
  readonly lookup: Lookup;
  readonly now: Millis;
  readonly isFree: boolean;
  readonly after: NameStep;
}

function replay(steps: readonly (readonly [Lookup, number, boolean])[]): readonly Seen[] {
  const all: Seen[] = [];
  let [state, now] = [UNKNOWN_NAME, 0];
  for (const [lookup, later, isFree] of steps) {
    now += later;
    const moment = { now: millis(now), wall: epochMillis(now), mayGo: () => isFree };
    const after = stepName(state, lookup, RULE, moment);
    all.push({ before: state, lookup, now: millis(now), isFree, after });
    state = after.state;
  }
  return all;
}

t.test('laws', (t) => {
  fc.assert(
    fc.property(happenings, (steps) => {
      const lastSeen = new Map<Ip, Millis>();
      for (const { before, lookup, now, isFree, after } of replay(steps)) {
        const [was, is] = [listOf(before), listOf(after.state)];
        if (lookup.kind === 'answer') for (const address of lookup.addresses) lastSeen.set(address, now);
        // Never emptied, and by failures never changed.
        if (was.length > 0 && is.length === 0) return false;
        if (lookup.kind === 'failure' && was.join() !== is.join()) return false;
        // All that an answer holds is in force, once.
        if (lookup.kind === 'answer' && !lookup.addresses.every((address) => is.includes(address)))
          return false;
        if (new Set(is).size !== is.length) return false;
        // Who goes was missing for the hold, and only where it may.
        const gone = was.filter((address) => !is.includes(address));
        if (gone.some((address) => now - (lastSeen.get(address) ?? 0) < RULE.hold)) return false;
        if (gone.length > 0 && !isFree) return false;
        // The others keep their order: nothing is reshuffled.
        if (
          was.filter((address) => is.includes(address)).join() !==
          is.slice(0, was.length - gone.length).join()
        )
          return false;
        if (after.next < RULE.minimumTtl || after.next > RULE.maximumTtl) return false;
        // What is told is what changed.
        const told = after.news.filter(({ kind }) => kind === 'name-changed').length;
        if (told !== (was.join() === is.join() ? 0 : 1)) return false;
      }
      return true;
    }),
  );
  fc.assert(
    fc.property(happenings, (steps) => {
      let isTroubled = false;
      for (const { after } of replay(steps)) {
        for (const { kind } of after.news) {
          if (kind === 'name-resolved' && !isTroubled) return false;
          if (kind !== 'name-changed') isTroubled = kind === 'name-trouble';
        }
        if (isTroubled !== (after.state.trouble !== undefined)) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test('those that serve nobody go although others have to stay', (t) => {
  const first = step(UNKNOWN_NAME, answer([A]), 0).state;
  const lied = step(first, answer([B, C]), 60).state;
  const mayGo = (gone: readonly Ip[]): boolean => !gone.includes(A);
  const moment = { now: seconds(100), wall: epochMillis(100_000), mayGo };
  const { state } = stepName(step(lied, answer([C]), 65).state, answer([C]), RULE, moment);
  t.same(listOf(state), [A, C]);
  t.equal(state.trouble?.kind, 'nobody-up');
  t.end();
});

t.test('a name with ever other addresses does not grow without end, and pushes nobody out', (t) => {
  let { state } = step(UNKNOWN_NAME, answer([A, B]), 0);
  for (let round = 0; round < 20; round += 1) {
    const addresses = Array.from({ length: 500 }, (_, index) =>
      ip(`10.${round}.${index >> 8}.${index & 255}`),
    );
    state = step(state, answer(addresses), round, false).state;
    t.ok(state.addresses.length <= ADDRESSES_MAX);
    t.same(listOf(state).slice(0, 2), [A, B], 'who was there first stays');
  }
  t.end();
});
