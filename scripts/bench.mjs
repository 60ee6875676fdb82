/** `npm run bench -- NAME [ARGUMENTS]`: builds everything, then runs bench/NAME.ts, which prints what it measured. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { main, ROOT, Stop, say } from './lib/process.mjs';
import { setUp } from './setup.mjs';

const FOLDER = join(ROOT, 'bench');

/** Every bench says in its first line how it is called and what it measures; helpers do not. */
function benches() {
  const found = new Map();
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.ts'))) {
    const usage = /^\/\*\* `(npm run bench -- .*?)`: (.*?)(?: \*\/)?$/m.exec(
      readFileSync(join(FOLDER, file), 'utf8').split('\n', 1)[0],
    );
    if (usage !== null) found.set(file.replace(/\.ts$/, ''), `${usage[1]}\n    ${usage[2]}`);
  }
  return found;
}

await main(() => {
  const [name, ...rest] = process.argv.slice(2);
  const known = benches();
  const list = [...known.values()].join('\n');
  if (name === undefined || name === '--help') {
    say(list);
    return 0;
  }
  if (!known.has(name)) throw new Stop(`there is no bench ${name}, but:\n${list}`);
  installDebianPackages();
  setUp();
  return (
    spawnSync(process.execPath, [join(ROOT, 'dist/bench', `${name}.js`), ...rest], { stdio: 'inherit' })
      .status ?? 1
  );
});
