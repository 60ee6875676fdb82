import fc from 'fast-check';
import t from 'tap';
import { type DebounceState, newDebounce, seeLink, settleLink } from '../../src/vrrp/debounce.js';
import { ms } from './build.js';

const RULE = { down: ms(500), up: ms(3000) };
const WAITING: DebounceState = { up: true, changesAt: ms(1500) };

t.test('down counts after its delay, up after its own', async (t) => {
  const falling = seeLink(RULE, newDebounce(true), false, ms(1000));
  t.same(falling, WAITING);
  t.same(settleLink(falling, ms(1499)), falling, 'not yet');
  const down = settleLink(falling, ms(1500));
  t.same(down, { up: false, changesAt: undefined });
  const rising = seeLink(RULE, down, true, ms(2000));
  t.same(rising, { up: false, changesAt: 5000 });
  t.same(settleLink(rising, ms(5000)), { up: true, changesAt: undefined });
});

t.test('back within the delay is as if nothing had been', async (t) => {
  t.same(seeLink(RULE, WAITING, true, ms(1400)), newDebounce(true));
});

t.test('the same news again does not begin the delay anew, and may end it', async (t) => {
  t.same(seeLink(RULE, WAITING, false, ms(1400)), WAITING);
  t.same(seeLink(RULE, WAITING, false, ms(1600)), newDebounce(false));
});

t.test('without a delay it counts at once', async (t) => {
  const none = { down: ms(0), up: ms(0) };
  t.same(seeLink(none, newDebounce(true), false, ms(7)), newDebounce(false));
  t.same(seeLink(none, newDebounce(false), true, ms(8)), newDebounce(true));
});

t.test(
  'law: what counts changes only to what has been seen without a break for the whole delay',
  async () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 4000 })), { maxLength: 40 }),
        (news) => {
          let [state, now, seen, since] = [newDebounce(true), 0, true, 0];
          for (const [up, delay] of news) {
            now += delay;
            const settled = settleLink(state, ms(now));
            if (settled.up !== state.up && now - since < (seen ? RULE.up : RULE.down)) return false;
            state = seeLink(RULE, settled, up, ms(now));
            if (up !== seen) [seen, since] = [up, now];
            if (state.changesAt === undefined && state.up !== seen) return false;
          }
          return true;
        },
      ),
    );
  },
);
