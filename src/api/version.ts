import { readFileSync } from 'node:fs';

/** The nearest package.json above this file: some folders up in the build, none in a bundle. */
function packageJson(): { readonly version?: unknown } {
  for (const up of ['./', '../', '../../', '../../../']) {
    try {
      return JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8')) as object;
    } catch {
      // One folder further up, then.
    }
  }
  return {};
}

let version: string | undefined;

/** The version of lvsentry, from its package.json; `unknown` where that is missing. */
export function packageVersion(): string {
  version ??= String(packageJson().version ?? 'unknown');
  return version;
}
