/** Files that are replaced whole or not at all, and read with distrust. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { diskProblem, prepareFolder, readOwnFile, replaceFile, setAside } from '../../src/files/disk.js';
import { folder, NO_DISK, remount, smallDisk } from './places.js';

const ROOT = process.geteuid?.() === 0;
const WRITER = fileURLToPath(new URL('./endless-writer-worker.js', import.meta.url));

t.test('a file is replaced, for its owner alone, and nothing is left beside it', async (t) => {
  const place = folder(t);
  const path = join(place, 'a');
  await replaceFile(path, ['one', ' two']);
  t.equal(readFileSync(path, 'utf8'), 'one two');
  await replaceFile(path, ['three']);
  t.equal(readFileSync(path, 'utf8'), 'three');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readdirSync(place), ['a']);
});

t.test('what a kill left beside the file is no hindrance', async (t) => {
  const path = join(folder(t), 'a');
  writeFileSync(`${path}.new`, 'half');
  await replaceFile(path, ['whole']);
  t.equal(readFileSync(path, 'utf8'), 'whole');
});

t.test('a link in the place of the new file is not followed', async (t) => {
  const place = folder(t);
  const victim = join(place, 'victim');
  writeFileSync(victim, 'mine');
  symlinkSync(victim, join(place, 'a.new'));
  await t.rejects(replaceFile(join(place, 'a'), ['theirs']), { code: 'ELOOP' });
  t.equal(readFileSync(victim, 'utf8'), 'mine');
});

t.test('a full disk leaves the old file, and no half of a new one', { skip: NO_DISK }, async (t) => {
  const disk = smallDisk(t, 64);
  const path = join(disk, 'a');
  await replaceFile(path, ['old']);
  const thrown: unknown = await replaceFile(path, Array(64).fill('x'.repeat(4096))).catch(
    (error: unknown) => error,
  );
  t.match(diskProblem(thrown), /no space left on the device/);
  t.equal(readFileSync(path, 'utf8'), 'old');
  t.same(readdirSync(disk), ['a']);
});

t.test('a read-only disk is told as such', { skip: NO_DISK }, async (t) => {
  const disk = smallDisk(t, 64);
  remount(disk, 'ro');
  const thrown: unknown = await replaceFile(join(disk, 'a'), ['x']).catch((error: unknown) => error);
  t.match(diskProblem(thrown), /the file system is read-only/);
});

t.test(
  'killed in the middle of writing, again and again: the file is always one whole version',
  async (t) => {
    const path = join(folder(t), 'a');
    const seen = new Set<string>();
    for (let round = 0; round < 25; round += 1) {
      const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      // After its first version, and then a little later each time.
      await once(child.stdout, 'data');
      for (let turns = 0; turns < round * 3; turns += 1)
        await new Promise((resolve) => setImmediate(resolve));
      child.kill('SIGKILL');
      await once(child, 'close');
      const text = readFileSync(path, 'utf8');
      const [first = '', ...lines] = text.trimEnd().split('\n');
      t.equal(lines.length, 2000, `round ${round}: all lines are there`);
      t.ok(
        lines.every((line) => line === first),
        'all of one version',
      );
      seen.add(first);
    }
    t.ok(seen.size > 1, 'it was killed in different places');
  },
);

t.test('what is read is a regular file of this user, and not too big', async (t) => {
  const place = folder(t);
  const path = join(place, 'a');
  t.same(await readOwnFile(path, 10), { kind: 'absent' });
  writeFileSync(path, 'text');
  t.match(await readOwnFile(path, 10), { kind: 'text', text: 'text' });
  t.match(await readOwnFile(path, 3), { kind: 'refused', problem: /has 4 bytes; more than 3 are not read/ });
  mkdirSync(join(place, 'b'));
  t.match(await readOwnFile(join(place, 'b'), 10), { kind: 'refused', problem: 'is not a regular file' });
  symlinkSync(path, join(place, 'c'));
  t.match(await readOwnFile(join(place, 'c'), 10), { kind: 'refused', problem: /symbolic link/ });
  t.match(await readOwnFile('/proc/self/status', 5), { kind: 'refused', problem: /has more than 5 bytes/ });
});

t.test('a file of somebody else is not read', { skip: !ROOT && 'not root' }, async (t) => {
  const path = join(folder(t), 'a');
  writeFileSync(path, 'theirs');
  chownSync(path, 12_345, 12_345);
  t.match(await readOwnFile(path, 10), { kind: 'refused', problem: /belongs to another user \(12345\)/ });
});

t.test('what cannot be used is set aside; an older one of that name gives way', async (t) => {
  const path = join(folder(t), 'a');
  for (const text of ['first', 'second']) {
    writeFileSync(path, text);
    t.equal(await setAside(path), `it was set aside as ${path}.aside`);
    t.equal(existsSync(path), false);
    t.equal(readFileSync(`${path}.aside`, 'utf8'), text);
  }
  t.match(await setAside(path), /could not be set aside: does not exist/);
});

t.test('the folder is made, and one that everybody may write to is no place', async (t) => {
  const place = join(folder(t), 'a', 'b');
  t.equal(await prepareFolder(place), undefined);
  t.equal(statSync(place).mode & 0o777, 0o700);
  t.equal(await prepareFolder(place), undefined, 'again');
  chmodSync(place, 0o777);
  t.match(await prepareFolder(place), /may be written by everybody/);
  const file = join(place, 'file');
  writeFileSync(file, '');
  t.equal(await prepareFolder(file), 'is not a folder');
  t.match(await prepareFolder(join(file, 'x')), /a part of the path is no folder/);
});
