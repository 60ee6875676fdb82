/** Replaces a file as fast as it can, until it is killed: each version is one number on 2001 lines. */
import { replaceFile } from '../../src/files/disk.js';

const path = process.argv[2] ?? '';
const seed = process.pid;

for (let version = 0; ; version += 1) {
  const line = `${seed}-${version}\n`;
  await replaceFile(
    path,
    Array.from({ length: 23 }, () => line.repeat(87)),
  );
  process.stdout.write('.');
}
