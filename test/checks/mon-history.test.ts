/** What a monitor of mon hears of the runs before. */
import t from 'tap';
import { MonHistory } from '../../src/checks/mon-history.js';
import { epochMillis } from '../../src/core/units.js';

const at = (seconds: number) => epochMillis(seconds * 1000 + 999);

t.test('at first there was nothing', async (t) => {
  t.same(new MonHistory().environment(), {
    MON_LAST_SUMMARY: '',
    MON_LAST_OUTPUT: '',
    MON_FIRST_FAILURE: '0',
    MON_LAST_FAILURE: '0',
    MON_LAST_SUCCESS: '0',
  });
});

t.test('an outage keeps its beginning until it is over', async (t) => {
  const history = new MonHistory();
  const seen = (): readonly (string | undefined)[] => {
    const told = history.environment();
    return [told.MON_FIRST_FAILURE, told.MON_LAST_FAILURE, told.MON_LAST_SUCCESS, told.MON_LAST_SUMMARY];
  };
  history.note('pass', '', at(100));
  t.same(seen(), ['0', '0', '100', '']);
  history.note('fail', 'web1\ndetail\n', at(110));
  history.note('fail', 'web1 web2\n', at(120));
  t.same(seen(), ['110', '120', '100', 'web1 web2']);
  t.equal(history.environment().MON_LAST_OUTPUT, 'web1 web2\n');
  history.note('pass', 'fine', at(130));
  t.same(seen(), ['0', '120', '130', 'fine']);
  history.note('fail', 'web1', at(140));
  t.same(seen(), ['140', '140', '130', 'web1']);
});

t.test('a run that told nothing changes nothing', async (t) => {
  const history = new MonHistory();
  history.note('fail', 'web1', at(110));
  const before = history.environment();
  history.note('unknown', 'no such program', at(120));
  t.same(history.environment(), before);
});

t.test('no zero byte gets into an environment', async (t) => {
  const history = new MonHistory();
  history.note('fail', 'a\0b\0\nc\0', at(1));
  t.same(
    Object.values(history.environment()).filter((value) => value.includes('\0')),
    [],
  );
  t.equal(history.environment().MON_LAST_SUMMARY, 'ab');
});
