import t from 'tap';
import { massStatus } from '../../src/api/mass.js';
import { millis } from '../../src/core/units.js';

t.test('the failure of most servers at once, and nothing where nothing is configured', async (t) => {
  t.equal(massStatus({ mass: undefined }), null);
  const rule = {
    percent: 60,
    minimum: 4,
    within: millis(1000),
    action: 'hold',
    limit: undefined,
    canaries: [],
  } as const;
  const canaries = [{ name: 'gateway', voice: 'silent' }] as const;
  t.same(massStatus({ mass: { rule, isActive: true, failing: 4, of: 5, canaries, count: 2 } }), {
    active: true,
    action: 'hold',
    failing: 4,
    of: 5,
    canaries: [{ name: 'gateway', voice: 'silent' }],
    count: 2,
  });
});
