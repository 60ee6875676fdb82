/** Exits that nobody waits for any more are taken, as long as there is hope. */
import t from 'tap';
import { endPrograms } from '../../src/checks/leavings.js';
import { groupMemory, ProcessGroups } from '../../src/exec/groups.js';
import { FakeTime } from '../fakes/time.js';

const NOBODY = 2 ** 22 + 1;

function stage(runsFor: (pid: number, tries: number) => boolean) {
  const time = new FakeTime();
  const groups = new ProcessGroups(groupMemory());
  const asked: number[] = [];
  const reapChild = (pid: number): boolean => {
    asked.push(pid);
    return runsFor(pid, asked.filter((each) => each === pid).length);
  };
  return { time, groups, asked, end: () => endPrograms(groups, { timers: time, reapChild }) };
}

t.test('where nothing is left nobody is asked', async (t) => {
  const { time, asked, end } = stage(() => true);
  end();
  t.same(asked, []);
  t.equal(time.waiting, 0);
});

t.test('each is asked for until it has ended', async (t) => {
  const { time, groups, asked, end } = stage((pid, tries) => pid === NOBODY + 1 && tries < 3);
  groups.add(NOBODY);
  groups.add(NOBODY + 1);
  end();
  t.same(asked, [NOBODY, NOBODY + 1]);
  await time.advance(1000);
  t.same(asked, [NOBODY, NOBODY + 1, NOBODY + 1, NOBODY + 1]);
  t.equal(time.waiting, 0);
});

t.test('what never ends is given up', async (t) => {
  const { time, groups, asked, end } = stage(() => true);
  groups.add(NOBODY);
  end();
  await time.advance(60_000);
  t.equal(asked.length, 100);
  t.equal(time.waiting, 0);
});
