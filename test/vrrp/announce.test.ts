import fc from 'fast-check';
import t from 'tap';
import { type Ip, ip } from '../../src/core/ip.js';
import {
  type Announcer,
  type AnnounceTarget,
  announcePutBack,
  newAnnouncer,
  nextAnnounceAt,
  startAnnouncing,
  stopAnnouncing,
  takeDue,
} from '../../src/vrrp/announce.js';
import type { AnnounceRule } from '../../src/vrrp/model.js';
import { config, ms } from './build.js';

const A = ip('10.0.0.100');
const B = ip('10.0.0.101');
const RULE = config().announce;

function target(changes: Partial<AnnounceRule> = {}, addresses: readonly Ip[] = [A, B]): AnnounceTarget {
  return { instance: 'outside', addresses, rule: { ...RULE, ...changes } };
}

/** Every packet with its time, until nothing is due before `until`. */
function play(
  start: Announcer,
  until: number,
  limit = 64,
): { sent: (readonly [number, string])[]; rest: Announcer } {
  let announcer = start;
  const sent: (readonly [number, string])[] = [];
  for (;;) {
    const at = nextAnnounceAt(announcer);
    if (at === undefined || at > until) return { sent, rest: announcer };
    const taken = takeDue(announcer, ms(Math.max(at, 0)), limit);
    announcer = taken.announcer;
    for (const { address } of taken.due) sent.push([Math.max(at, 0), address]);
  }
}

const at = (sent: readonly (readonly [number, string])[], time: number): string =>
  sent
    .filter(([when]) => when === time)
    .map(([, address]) => (address === A ? 'A' : 'B'))
    .join('');

t.test(
  'becoming master: five of each, all addresses once and then again; the same five seconds later',
  async (t) => {
    const { sent, rest } = play(startAnnouncing(newAnnouncer(), target(), 'master', ms(100)), 60_000);
    t.equal(at(sent, 100), 'ABABABABAB');
    t.equal(at(sent, 5100), 'ABABABABAB');
    t.equal(sent.length, 20);
    t.equal(nextAnnounceAt(rest), undefined);
  },
);

t.test('without a delay there is no second burst; without repeats none at all', async (t) => {
  const once = startAnnouncing(newAnnouncer(), target({ delay: ms(0), repeat: 1 }), 'master', ms(0));
  t.same(play(once, 60_000).sent.length, 2);
  const none = startAnnouncing(newAnnouncer(), target({ repeat: 0 }), 'master', ms(0));
  t.equal(nextAnnounceAt(none), undefined);
  const empty = startAnnouncing(newAnnouncer(), target({ refresh: ms(1) }, []), 'master', ms(0));
  t.equal(nextAnnounceAt(empty), undefined);
});

t.test('a refresh begins one period after the second burst and goes on', async (t) => {
  const refreshing = target({ refresh: ms(10_000), refreshRepeat: 2 });
  const { sent, rest } = play(startAnnouncing(newAnnouncer(), refreshing, 'master', ms(0)), 40_000);
  t.same([at(sent, 15_000), at(sent, 25_000), at(sent, 35_000)], ['ABAB', 'ABAB', 'ABAB']);
  t.equal(sent.length, 20 + 12);
  t.equal(nextAnnounceAt(rest), 45_000);
});

t.test('a refresh that was slept through is not made up for', async (t) => {
  const refreshing = target({ refresh: ms(1000), delay: ms(0), repeat: 1 });
  const { rest } = play(startAnnouncing(newAnnouncer(), refreshing, 'master', ms(0)), 0);
  const { announcer, due } = takeDue(rest, ms(9500), 64);
  t.equal(due.length, 2);
  t.equal(nextAnnounceAt(announcer), 10_500);
});

t.test('a lower master is answered at once, once a second while it goes on, and a last time', async (t) => {
  const lower = target({ lowerRepeat: 1, lowerDelay: ms(2000) });
  let announcer = newAnnouncer();
  const sent: (readonly [number, string])[] = [];
  for (let now = 0; now < 2000; now += 100) {
    announcer = startAnnouncing(announcer, lower, 'lower-master', ms(now));
    const played = play(announcer, now);
    announcer = played.rest;
    sent.push(...played.sent);
  }
  sent.push(...play(announcer, 60_000).sent);
  t.same([at(sent, 0), at(sent, 1000), at(sent, 3000)], ['AB', 'AB', 'AB']);
  t.equal(sent.length, 6, 'and no more');
});

t.test('a lower master is answered at once though a second burst is still to come', async (t) => {
  const master = play(startAnnouncing(newAnnouncer(), target(), 'master', ms(0)), 2000).rest;
  const lower = target({ lowerRepeat: 2, lowerDelay: ms(0) });
  const { sent } = play(startAnnouncing(master, lower, 'lower-master', ms(2000)), 60_000);
  t.same([at(sent, 2000), at(sent, 5000)], ['ABAB', 'ABABABABAB'], 'the second burst is not lost for it');
  t.equal(sent.length, 14);
});

t.test('a burst that has not begun is answer enough, one that has is not', async (t) => {
  const master = startAnnouncing(newAnnouncer(), target(), 'master', ms(0));
  t.equal(startAnnouncing(master, target(), 'lower-master', ms(0)), master);
  const { announcer } = takeDue(master, ms(0), 1);
  t.not(startAnnouncing(announcer, target(), 'lower-master', ms(0)), announcer);
});

t.test('the answer of one instance keeps no other from answering', async (t) => {
  const lower = target({ lowerRepeat: 1, lowerDelay: ms(0) });
  const first = startAnnouncing(newAnnouncer(), lower, 'lower-master', ms(0));
  const other = { ...target({ lowerRepeat: 1, lowerDelay: ms(0) }, [B]), instance: 'inside' };
  t.equal(at(play(startAnnouncing(first, other, 'lower-master', ms(0)), 0).sent, 0), 'ABB');
});

t.test('a lower master does not end the refreshes', async (t) => {
  const refreshing = target({ refresh: ms(10_000) });
  let announcer = play(startAnnouncing(newAnnouncer(), refreshing, 'master', ms(0)), 6000).rest;
  announcer = startAnnouncing(announcer, refreshing, 'lower-master', ms(7000));
  t.equal(at(play(announcer, 30_000).sent, 15_000), 'AB');
});

t.test('becoming master again begins anew, without what was left', async (t) => {
  const first = startAnnouncing(newAnnouncer(), target(), 'master', ms(0));
  const again = startAnnouncing(first, target(), 'overslept', ms(2000));
  const { sent } = play(again, 60_000);
  t.same([at(sent, 2000), at(sent, 5000), at(sent, 7000)], ['ABABABABAB', '', 'ABABABABAB']);
});

t.test('silence ends all of one instance and nothing of the others', async (t) => {
  let announcer = startAnnouncing(newAnnouncer(), target(), 'master', ms(0));
  announcer = startAnnouncing(announcer, { ...target({}, [B]), instance: 'inside' }, 'master', ms(0));
  const { sent } = play(stopAnnouncing(announcer, 'outside'), 60_000);
  t.same([at(sent, 0), at(sent, 5000)], ['BBBBB', 'BBBBB']);
});

t.test(
  'a put-back announces what was taken away, beside all that goes on, and does not pile up',
  async (t) => {
    let announcer = play(startAnnouncing(newAnnouncer(), target(), 'master', ms(0)), 1000).rest;
    for (let now = 1000; now < 1100; now += 1)
      announcer = announcePutBack(announcer, target({}, [now % 2 === 0 ? A : B]), ms(now));
    const { sent } = play(announcer, 60_000);
    t.equal(sent.length, 10 + 10);
    t.equal(at(sent, 5000), 'ABABABABAB');
  },
);

t.test('spacing: one packet at a time on an interface, whosever it is', async (t) => {
  let announcer = startAnnouncing(newAnnouncer(), target({ delay: ms(0), spacing: ms(10) }), 'master', ms(0));
  announcer = startAnnouncing(
    announcer,
    { ...target({ delay: ms(0), spacing: ms(5) }, [B]), instance: 'inside' },
    'master',
    ms(0),
  );
  const { sent } = play(announcer, 60_000);
  // In turn while both have some: 10 ms after a packet of the one, 5 ms after one of the other.
  t.same(
    sent.map(([when]) => when),
    [0, 10, 15, 25, 30, 40, 45, 55, 60, 70, 75, 85, 95, 105, 115],
  );
});

t.test('one with a thousand addresses does not hold up one with a single address', async (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => ip(`10.1.${index >> 8}.${index & 255}`));
  for (const spacing of [0, 1]) {
    const rule = { delay: ms(0), spacing: ms(spacing) };
    let announcer = startAnnouncing(newAnnouncer(), target(rule, many), 'master', ms(0));
    announcer = startAnnouncing(announcer, { ...target(rule, [B]), instance: 'inside' }, 'master', ms(0));
    const { sent } = play(announcer, 60_000, 16);
    t.equal(sent.length, 5005);
    t.ok(sent.findLastIndex(([, address]) => address === B) < 40);
  }
});

t.test('a limit cuts a burst into slices, so that adverts come between', async (t) => {
  const announcer = startAnnouncing(newAnnouncer(), target(), 'master', ms(0));
  const first = takeDue(announcer, ms(0), 3);
  t.equal(first.due.length, 3);
  t.equal(nextAnnounceAt(first.announcer), 0, 'the rest is due at once');
  const { sent } = play(first.announcer, 0, 3);
  t.equal(at(sent, 0), 'BABABAB');
});

t.test('nothing is due before its time', async (t) => {
  const announcer = startAnnouncing(newAnnouncer(), target(), 'master', ms(100));
  const { due, announcer: after } = takeDue(announcer, ms(99), 64);
  t.same(due, []);
  t.same(nextAnnounceAt(after), 100);
});

t.test('law: every address gets its count, never more, in any slices and with any spacing', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.nat(6),
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom(0, 1, 7),
      (size, repeat, limit, spacing) => {
        const addresses = Array.from({ length: size }, (_, index) => ip(`10.1.0.${index}`));
        const start = startAnnouncing(
          newAnnouncer(),
          target({ repeat, delay: ms(50), spacing: ms(spacing) }, addresses),
          'master',
          ms(0),
        );
        const { sent, rest } = play(start, 1e9, limit);
        const times = sent.map(([when]) => when);
        const spaced = times.every((when, index) => index === 0 || when - (times[index - 1] ?? 0) >= spacing);
        const each = addresses.every(
          (address) => sent.filter(([, got]) => got === address).length === repeat * 2,
        );
        return each && spaced && rest.jobs.length === 0;
      },
    ),
  );
});
