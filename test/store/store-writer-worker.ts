/** Puts entries into a file store as fast as it takes them, until it is killed: each version is in all entries. */
import { statSync } from 'node:fs';
import { epochMillis } from '../../src/core/units.js';
import { FileStore } from '../../src/store/file.js';

const path = process.argv[2] ?? '';
const quiet = {
  onTrouble: (message: string) => process.stderr.write(`${message}\n`),
  onWell: () => undefined,
};
// No second of rest between two writes: the more there are, the more are hit.
const timers = {
  after: (_: unknown, run: () => void) => {
    const handle = setImmediate(run);
    return { cancel: () => clearImmediate(handle) };
  },
};
const store = new FileStore({ path, director: 'a', timers, isValue: () => true, events: quiet });
const { entries } = await store.open();
let version = Math.max(0, ...entries.map(({ value }) => (value as { version: number }).version));

const inode = (): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
const before = inode();

for (;;) {
  version += 1;
  store.put(
    Array.from({ length: 1000 }, (_, index) => ({
      key: `web/s${index}`,
      value: { version },
      at: epochMillis(version),
      director: 'a',
    })),
  );
  await new Promise((resolve) => setTimeout(resolve, 1));
  // A dot says: there is a newer version than the one that this run found.
  while (inode() === before) await new Promise((resolve) => setTimeout(resolve, 1));
  process.stdout.write('.');
}
