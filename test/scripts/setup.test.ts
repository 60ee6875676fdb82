import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ROOT } from '../house/project.js';

interface Setup {
  checkNode(version: string): void;
  installPackages(): void;
  cleanCompiled(): void;
}

/** The set-up script, copied with its parts into a folder of its own that it takes for the project. */
async function setupIn(folder: string): Promise<Setup> {
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  cpSync(join(ROOT, 'scripts/setup.mjs'), join(folder, 'scripts/setup.mjs'));
  cpSync(join(ROOT, 'scripts/build-native.mjs'), join(folder, 'scripts/build-native.mjs'));
  cpSync(join(ROOT, 'scripts/lib'), join(folder, 'scripts/lib'), { recursive: true });
  return (await import(pathToFileURL(join(folder, 'scripts/setup.mjs')).href)) as Setup;
}

function put(folder: string, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
}

const VERSIONS: readonly (readonly [string, boolean])[] = [
  ['18.20.4', false],
  ['20.18.3', false],
  ['20.19.0', true],
  ['20.20.2', true],
  ['21.0.0', true],
  ['24.1.0', true],
];

t.test('a Node that is too old is refused in one line that says what to do', async (t) => {
  const { checkNode } = await setupIn(t.testdir());
  for (const [version, fine] of VERSIONS) {
    if (fine) t.doesNotThrow(() => checkNode(version), version);
    else
      t.throws(
        () => checkNode(version),
        { message: /^lvsentry needs Node 20\.19 or newer; this is .*Install.*$/ },
        version,
      );
  }
});

t.test('what was compiled from a source that is gone is removed, and nothing else', async (t) => {
  const folder = t.testdir();
  const setup = await setupIn(folder);
  const compiled = ['src/a.ts', 'dist/src/a.js', 'dist/src/a.js.map', 'src/b.js', 'dist/src/b.js'];
  const kept = [...compiled, 'dist/.tsbuildinfo', 'dist/other/x.js'];
  const stale = ['dist/src/gone.js', 'dist/src/gone.js.map', 'dist/test/deep/gone.test.js'];
  put(folder, [...kept, ...stale]);
  setup.cleanCompiled();
  for (const path of kept) t.ok(existsSync(join(folder, path)), `kept: ${path}`);
  for (const path of stale) t.notOk(existsSync(join(folder, path)), `removed: ${path}`);
});

t.test('the compiler starts afresh where a compiled file is missing', async (t) => {
  const folder = t.testdir();
  const setup = await setupIn(folder);
  put(folder, ['src/a.ts', 'src/b.ts', 'dist/src/a.js', 'dist/.tsbuildinfo']);
  setup.cleanCompiled();
  t.notOk(existsSync(join(folder, 'dist/.tsbuildinfo')));
});

const LOCK = { packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } };

/** What is in node_modules -> whether that is what the lock says. */
const INSTALLED: readonly (readonly [string, object | undefined, object, boolean])[] = [
  ['the same', LOCK, LOCK, true],
  ['nothing', undefined, LOCK, false],
  ['another version', { packages: { 'node_modules/a': { version: '1.0.1' } } }, LOCK, false],
  ['one is missing', { packages: {} }, LOCK, false],
  [
    'one for another platform is missing',
    LOCK,
    { packages: { ...LOCK.packages, 'node_modules/b': { version: '1.0.0', optional: true } } },
    true,
  ],
];

t.test('packages are installed where node_modules is not what the lock says', async (t) => {
  for (const [name, present, lock, same] of INSTALLED) {
    const folder = t.testdir();
    const setup = await setupIn(join(folder, name));
    // A link stops the installation, which shows that it was about to happen.
    mkdirSync(join(folder, name, 'packages'));
    symlinkSync('packages', join(folder, name, 'node_modules'));
    writeFileSync(join(folder, name, 'package-lock.json'), JSON.stringify(lock));
    if (present !== undefined)
      writeFileSync(join(folder, name, 'packages/.package-lock.json'), JSON.stringify(present));
    if (same) t.doesNotThrow(() => setup.installPackages(), name);
    else t.throws(() => setup.installPackages(), { message: /node_modules is a link/ }, name);
  }
});

t.test('the scripts use nothing that has to be installed first', async (t) => {
  for (const path of ['setup.mjs', 'start.mjs', 'test.mjs', 'demo.mjs', 'build-native.mjs']) {
    const text = readFileSync(join(ROOT, 'scripts', path), 'utf8');
    const imported = [...text.matchAll(/^import .*? from '([^']+)';$/gms)].map((match) => match[1] ?? '');
    t.same(
      imported.filter((name) => !name.startsWith('node:') && !name.startsWith('./')),
      [],
      path,
    );
  }
});

type Packages = Readonly<Record<string, unknown>>;

interface CompleteLock {
  missingOptionals(packages: Packages): { readonly name: string }[];
}

t.test('the lock names the optional packages of every platform, so that npm ci takes it', async (t) => {
  const { missingOptionals } = (await import(
    pathToFileURL(join(ROOT, 'scripts/complete-lock.mjs')).href
  )) as CompleteLock;
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Packages;
  };
  t.same(missingOptionals(packages), [], 'run `node scripts/complete-lock.mjs`');
  const without = { 'node_modules/a': { optionalDependencies: { 'a-win32-x64': '1.0.0' } } };
  t.same(
    missingOptionals(without).map(({ name }) => name),
    ['a-win32-x64'],
  );
});
