/**
 * Bundles the daemon into a few files: a start reads them at once instead of some four hundred small ones,
 * which matters on slow file systems. What is imported lazily stays in files of its own.
 */
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './lib/process.mjs';

/** As deep below the project as dist/src/sys, so that paths relative to a file hold here too. */
const OUT = join(ROOT, 'dist/bundle/src');

function packageOf() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
}

/** @throws Error with what esbuild says. */
export function bundle() {
  const { buildSync } = createRequire(import.meta.url)('esbuild');
  rmSync(OUT, { recursive: true, force: true });
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: {
      main: 'src/main.ts',
      'checks/worker': 'src/checks/worker.ts',
      'vrrp/worker': 'src/vrrp/worker.ts',
    },
    outdir: OUT,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    // Not everybody has them, and each is imported only where a check needs it.
    external: Object.keys(packageOf().peerDependencies),
    // Packages in CommonJS call require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  chmodSync(join(OUT, 'main.js'), 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundle();
