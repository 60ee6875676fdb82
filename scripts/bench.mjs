/** `npm run bench -- NAME [ARGUMENTS]`: builds everything, then runs bench/NAME.ts, which prints what it measured. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { main, ROOT, Stop } from './lib/process.mjs';
import { setUp } from './setup.mjs';

await main(() => {
  const [name = '', ...rest] = process.argv.slice(2);
  const known = readdirSync(join(ROOT, 'bench'))
    .filter((file) => existsSync(join(ROOT, 'bench/guest', file)))
    .map((file) => file.replace(/\.ts$/, ''));
  if (!known.includes(name))
    throw new Stop(`npm run bench -- NAME, where NAME is one of: ${known.join(', ')}`);
  installDebianPackages();
  setUp();
  return (
    spawnSync(process.execPath, [join(ROOT, 'dist/bench', `${name}.js`), ...rest], { stdio: 'inherit' })
      .status ?? 1
  );
});
