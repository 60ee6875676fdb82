/** `npm run generate`: writes what is generated. With `--check` it writes nothing and fails where something differs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { difference, generatedFiles } from './generated.js';

/** From dist/scripts to the project's root. */
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function current(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function run(check: boolean): number {
  let differing = 0;
  for (const [name, content] of generatedFiles((name) => current(join(ROOT, name)))) {
    const path = join(ROOT, name);
    const found = difference(current(path), content);
    if (found === '') continue;
    differing += 1;
    if (check) {
      console.error(`${name} is not what \`npm run generate\` writes:\n${found}`);
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.log(`wrote ${name}`);
  }
  return check && differing > 0 ? 1 : 0;
}

process.exitCode = run(process.argv.includes('--check'));
