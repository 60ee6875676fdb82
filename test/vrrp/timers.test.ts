import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { masterDownInterval, skewTime } from '../../src/vrrp/timers.js';
import { ms, rule } from './build.js';

interface Row {
  readonly version: 2 | 3;
  readonly priority: number;
  readonly advInt: number;
  readonly unit: 's' | 'cs';
  readonly skew_us_exact: number;
  readonly skew_us_keepalived: number;
  readonly down_us_keepalived: number;
  readonly skew_cs_floor_frr: number;
  readonly down_cs_floor_frr: number;
}

const ROWS = JSON.parse(
  readFileSync(new URL('../../../test/vectors/timers.json', import.meta.url), 'utf8'),
) as Row[];

t.test('skew and master-down interval are exact in all 91 worked rows', async (t) => {
  t.equal(ROWS.length, 91);
  for (const row of ROWS) {
    const interval = ms(row.advInt * (row.unit === 's' ? 1000 : 10));
    const machine = rule({ version: row.version, interval });
    const name = `version ${row.version}, priority ${row.priority}, ${row.advInt} ${row.unit}`;
    const skew = skewTime(machine, row.priority, interval);
    const down = masterDownInterval(machine, row.priority, interval);
    t.equal(skew * 1000, row.skew_us_exact, `${name}: exact`);
    t.equal(
      Math.floor(skew * 1000),
      row.skew_us_keepalived,
      `${name}: keepalived's skew, whole microseconds`,
    );
    t.equal(Math.floor(down * 1000), row.down_us_keepalived, `${name}: keepalived's interval`);
    t.equal(Math.floor(skew / 10), row.skew_cs_floor_frr, `${name}: FRR's skew, whole centiseconds`);
    t.equal(Math.floor(down / 10), row.down_cs_floor_frr, `${name}: FRR's interval`);
  }
});

t.test('worked examples of the fact sheet, and a count of adverts other than 3', async (t) => {
  t.equal(masterDownInterval(rule({ version: 2 }), 100, ms(1000)), 3609.375);
  t.equal(masterDownInterval(rule(), 200, ms(100)), 321.875);
  t.equal(skewTime(rule({ version: 2 }), 200, ms(1000)), 218.75);
  t.equal(masterDownInterval(rule({ downAdverts: 2 }), 254, ms(1000)), 2007.8125);
});

t.test('version 2 counts the skew in seconds whatever the interval, version 3 in intervals', async (t) => {
  t.equal(skewTime(rule({ version: 2 }), 100, ms(2000)), skewTime(rule({ version: 2 }), 100, ms(1000)));
  t.equal(skewTime(rule(), 100, ms(2000)), 2 * skewTime(rule(), 100, ms(1000)));
});

t.test('law: of two backups of one master the higher priority runs out first, by a whole 256th', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 254 }), fc.integer({ min: 1, max: 4095 }), (priority, centis) => {
      const interval = ms(centis * 10);
      const low = masterDownInterval(rule(), priority, interval);
      const high = masterDownInterval(rule(), priority + 1, interval);
      return low - high === interval / 256;
    }),
  );
});

t.test('a priority outside 1-255 is a defect of ours', async (t) => {
  t.throws(() => skewTime(rule(), 0, ms(1000)), { code: 'INTERNAL' });
  t.throws(() => skewTime(rule(), 256, ms(1000)), { code: 'INTERNAL' });
});
