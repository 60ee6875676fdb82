/** Bundles for the guest: hostfs is slow per file, not per byte. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** In a bundle `import.meta.url` must go on naming the file in which it was written: files are found by it. */
const ownUrls: Plugin = {
  name: 'own-urls',
  setup: (builder) => {
    builder.onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        /\bimport\.meta\.url\b/g,
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: 'js',
    }));
  },
};

// CommonJS packages in an ES module bundle call `require` for the modules of Node.
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/** Writes a compiled entry file (below dist/) and all that it imports into one file, which should end in .mjs. */
export async function bundleForGuest(entry: string, output: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'inline',
    sourcesContent: false,
    banner: { js: REQUIRE },
    external: ['*.node', 'esbuild'],
    plugins: [ownUrls],
    logLevel: 'error',
  });
}
