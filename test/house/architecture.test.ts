import { dirname } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { ENTRIES, floorOf, PACKAGES, PURE_MAX, SYS } from './floors.js';
import { type Import, importsOf, type Module, modulesBelow, read } from './project.js';

const MODULES = modulesBelow('src');

/** Why `path` may not import `target`, a file of ours; undefined where it may. */
function wrongImport(path: string, { target, typeOnly }: Import): string | undefined {
  if (SYS.test(target))
    return SYS.test(path) || ENTRIES.test(path) ? undefined : 'only the entries use src/sys';
  if (SYS.test(path)) return undefined;
  const from = floorOf(path);
  const to = floorOf(target);
  if (from === undefined || to === undefined) return 'one of the two has no floor';
  if (to < from) return undefined;
  if (to > from) return `floor ${from} imports from floor ${to}`;
  if (dirname(path) === dirname(target)) return undefined;
  if (from === 1 && typeOnly) return undefined;
  return `floor ${from} of another folder`;
}

function wrongPackage(path: string, target: string): string | undefined {
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  if (target.startsWith('node:')) {
    return (floorOf(path) ?? 9) <= PURE_MAX ? 'a pure floor uses a part of Node' : undefined;
  }
  const users = PACKAGES[name];
  if (users === undefined) return 'a package that test/house/floors.ts does not list';
  return users.test(path) ? undefined : 'this package belongs to other files';
}

function wrongImports(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap((item) => {
      const wrong = item.target.startsWith('src/')
        ? wrongImport(path, item)
        : wrongPackage(path, item.target);
      return wrong === undefined ? [] : [`${path} -> ${item.target}: ${wrong}`];
    }),
  );
}

/** The first circle of imports that exist at run time, as a path; undefined where there is none. */
function findCircle(modules: readonly Module[]): string | undefined {
  const next = new Map(
    modules.map(({ path, imports }) => [path, imports.filter((i) => !i.typeOnly).map((i) => i.target)]),
  );
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' -> ');
    if (done.has(path)) return undefined;
    for (const target of next.get(path) ?? []) {
      const circle = visit(target, [...trail, path]);
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of modules) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

t.test('every file under src has a floor', async (t) => {
  t.not(MODULES.length, 0);
  const homeless = MODULES.map((m) => m.path).filter((p) => floorOf(p) === undefined && !SYS.test(p));
  t.same(homeless, [], 'give each file a floor in test/house/floors.ts');
});

t.test('imports point down, or stay in their folder', async (t) => {
  t.same(wrongImports(MODULES), []);
});

t.test('no imports go in a circle', async (t) => {
  t.equal(findCircle(MODULES), undefined);
});

t.test('the ports are types only', async (t) => {
  const { outputText } = ts.transpileModule(read('src/core/ports.ts'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, removeComments: true },
  });
  t.equal(outputText.trim(), 'export {};');
});

t.test('decisions speak values, not bytes: of floor 3 only a codec imports src/wire', async (t) => {
  const wrong = MODULES.filter(
    ({ path, imports }) =>
      floorOf(path) === 3 &&
      !/\/codec(-\w+)?\.ts$/.test(path) &&
      imports.some(({ target }) => target.startsWith('src/wire/')),
  );
  t.same(wrong, []);
});

const PLANTED: readonly (readonly [string, string, string, boolean])[] = [
  ['a lower floor', 'src/checks/tcp.ts', "import { ip } from '../core/ip.js';", true],
  ['the same floor and folder', 'src/ipvs/diff.ts', "import { x } from './desired.js';", true],
  ['the same floor, another folder', 'src/alerts/policy.ts', "import { x } from '../ipvs/diff.js';", false],
  ['a higher floor', 'src/wire/netlink.ts', "import { x } from '../ipvs/client.js';", false],
  ['a higher floor, types only', 'src/core/ip.ts', "import type { X } from '../ipvs/model.js';", false],
  ['a higher floor by re-export', 'src/core/ip.ts', "export { x } from '../ipvs/model.js';", false],
  ['a higher floor, lazily', 'src/core/ip.ts', "export const x = () => import('../ipvs/client.js');", false],
  ['a type of another model', 'src/config/model.ts', "import type { X } from '../ipvs/model.js';", true],
  ['a type of another model, inline', 'src/world.ts', "import { type X } from './ipvs/model.js';", true],
  ['a value of another model', 'src/config/model.ts', "import { X } from '../ipvs/model.js';", false],
  ['the system from an entry', 'src/checks/worker.ts', "import { x } from '../sys/clock.js';", true],
  ['the system from a client', 'src/checks/tcp.ts', "import { x } from '../sys/clock.js';", false],
  ['the system from the controller', 'src/controller.ts', "import type { X } from './sys/clock.js';", false],
  ['a file without a floor', 'src/checks/tcp.ts', "import { x } from '../misc/x.js';", false],
  ['Node in a client', 'src/checks/tcp.ts', "import { connect } from 'node:net';", true],
  ['Node in a decision', 'src/ipvs/diff.ts', "import { hrtime } from 'node:process';", false],
  ['fastify in the API', 'src/api/server.ts', "import { fastify } from 'fastify';", true],
  ['fastify in the controller', 'src/controller.ts', "import { fastify } from 'fastify';", false],
  ['a package nobody listed', 'src/checks/tcp.ts', "import x from '@scope/surprise/deep';", false],
];

t.test('the rule itself: it refuses what it should', async (t) => {
  for (const [name, path, text, allowed] of PLANTED) {
    const wrong = wrongImports([{ path, imports: importsOf(path, text) }]);
    t.equal(wrong.length, allowed ? 0 : 1, `${name}: ${allowed ? 'allowed' : 'refused'}`);
  }
  const circle = (typeOnly: boolean): Module[] => [
    { path: 'src/core/a.ts', imports: [{ target: 'src/core/b.ts', typeOnly: false }] },
    { path: 'src/core/b.ts', imports: [{ target: 'src/core/a.ts', typeOnly }] },
  ];
  t.equal(findCircle(circle(false)), 'src/core/a.ts -> src/core/b.ts -> src/core/a.ts');
  t.equal(findCircle(circle(true)), undefined);
});
