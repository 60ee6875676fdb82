/** When an instance whose virtual IPs are refused tries again. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import type { Rival } from '../../src/vrrp/model.js';
import { Unable } from '../../src/vrrp/unable.js';
import { ms, rule } from './build.js';

const RULE = rule();

function rival(priority: number, heardAt: number): Rival {
  return { source: ip('10.0.0.3'), priority, interval: ms(1000), heardAt: ms(heardAt) };
}

t.test('nothing is tried again where nothing was refused', async (t) => {
  const unable = new Unable();
  t.equal(unable.retry(RULE, undefined, ms(1e9)), false);
  t.equal(unable.why, undefined);
});

t.test('the pause doubles while it is refused again soon, and begins anew later', async (t) => {
  const unable = new Unable();
  let now = 0;
  for (const pause of [10, 20, 40, 80, 160, 320, 320]) {
    unable.begin('EPERM', ms(now));
    t.equal(unable.retry(RULE, undefined, ms(now + pause * 1000 - 1)), false);
    t.equal(unable.why, 'EPERM');
    now += pause * 1000;
    t.equal(unable.retry(RULE, undefined, ms(now)), true, `${pause} s`);
    t.equal(unable.why, undefined);
    now += 3600;
  }
  unable.begin('EPERM', ms(now + 10 * 320_000));
  t.equal(unable.retry(RULE, undefined, ms(now + 10 * 320_000 + 10_000)), true);
});

t.test('a master that is heard keeps it back; one that resigned or fell silent does not', async (t) => {
  for (const [heard, tries] of [
    [rival(50, 9000), false],
    [rival(50, 6100), false],
    [rival(50, 6000), true],
    [rival(0, 9900), true],
  ] as const) {
    const unable = new Unable();
    unable.begin('EPERM', ms(0));
    t.equal(unable.retry(RULE, heard, ms(10_000)), tries, `${heard.priority} at ${heard.heardAt}`);
  }
});

t.test('other settings are another try', async (t) => {
  const unable = new Unable();
  unable.begin('EPERM', ms(0));
  unable.begin('EPERM', ms(1));
  unable.forget();
  t.equal(unable.why, undefined);
  unable.begin('EPERM', ms(2));
  t.equal(unable.retry(RULE, undefined, ms(10_002)), true);
});
