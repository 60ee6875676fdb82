/** What is written down of the programs of a thread, and what is done with it when the thread is gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { GROUPS_MAX, groupMemory, ProcessGroups } from '../../src/exec/groups.js';

/** No process has this number: above the kernel's largest. */
const NOBODY = 2 ** 22 + 1;

t.test('groups are there until they are deleted, for everybody who has the memory', async (t) => {
  const memory = groupMemory();
  const [own, other] = [new ProcessGroups(memory), new ProcessGroups(memory)];
  own.add(NOBODY);
  own.add(NOBODY + 1);
  own.add(NOBODY + 2);
  own.delete(NOBODY + 1);
  own.delete(NOBODY + 1);
  own.delete(NOBODY + 9);
  t.same(other.killAll(), [NOBODY, NOBODY + 2]);
  t.same(own.killAll(), [], 'and they are forgotten');
});

t.test('places are used again; what has no place is not written down', async (t) => {
  const groups = new ProcessGroups(groupMemory());
  for (let round = 0; round < 3; round += 1) {
    for (let each = 0; each < GROUPS_MAX + 5; each += 1) groups.add(NOBODY + each);
    for (let each = 0; each < GROUPS_MAX + 5; each += 1) groups.delete(NOBODY + each);
  }
  groups.add(NOBODY);
  t.same(groups.killAll(), [NOBODY]);
});

t.test('all of a group is killed', async (t) => {
  const child = spawn('/bin/sh', ['-c', 'sleep 1000 & wait'], { detached: true, stdio: 'ignore' });
  const groups = new ProcessGroups(groupMemory());
  groups.add(child.pid ?? 0);
  const exited = once(child, 'exit');
  t.same(groups.killAll(), [child.pid]);
  t.same(await exited, [null, 'SIGKILL']);
});
