import t from 'tap';
import {
  findForeign,
  firstForeign,
  foreignServersByService,
  foreignTexts,
  NOTHING_FOREIGN,
} from '../../src/ipvs/foreign.js';
import { retire } from '../../src/ipvs/retire.js';
import { computeDesired } from '../../src/policy/desired.js';
import { config, dest, key, service, serviceConfig, table } from './build.js';

const WEB = service();
const OTHERS = service(key('192.0.2.200'));
const A = dest('192.0.2.11');
const FOREIGN = dest('192.0.2.99');
const DESIRED = computeDesired(config(serviceConfig('web', WEB, [A])), new Map());

t.test(
  'what is not ours: whole services with the number of their servers, and servers in services of ours',
  async (t) => {
    const observed = table([WEB, [A, FOREIGN]], [OTHERS, [A, FOREIGN]]);
    const found = findForeign(DESIRED, new Map(), observed);
    t.same(foreignTexts(found), ['tcp 192.0.2.200:80', '192.0.2.99:80 in tcp 192.0.2.1:80']);
    t.equal(found.services[0]?.servers, 2);
  },
);

t.test('what is about to leave is not foreign, nor is what is configured and absent', async (t) => {
  const retired = retire(DESIRED, new Map(), new Map());
  t.equal(findForeign(new Map(), retired, table([WEB, [A]])), NOTHING_FOREIGN);
  t.same(foreignTexts(findForeign(new Map(), retired, table([WEB, [A, FOREIGN]]))), [
    '192.0.2.99:80 in tcp 192.0.2.1:80',
  ]);
  t.equal(findForeign(DESIRED, new Map(), table()), NOTHING_FOREIGN);
});

t.test('the first of them: services before servers', async (t) => {
  const found = findForeign(DESIRED, new Map(), table([WEB, [FOREIGN]], [OTHERS, []]));
  t.same(
    [0, 1, 2, 9].map((most) => foreignTexts(firstForeign(found, most)).length),
    [0, 1, 2, 2],
  );
  t.same([...foreignServersByService(found).keys()], ['tcp 192.0.2.1:80']);
  t.equal(foreignServersByService().size, 0);
});
