import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EVENT_KINDS } from '../../src/alerts/model.js';
import { DISCARD_REASONS } from '../../src/vrrp/accept.js';
import { faultsOf, outside } from '../config/given.js';
import { filesBelow, ROOT, read } from './project.js';

const DOCUMENTS = [...filesBelow('docs', /\.md$/), ...filesBelow('.', /^[A-Z]+\.md$/)].filter(
  (path, index, all) => all.indexOf(path) === index,
);

/** Text without fenced blocks, which hold examples of other machines. */
function prose(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '');
}

/** Paths of this repository that a document names: `src/...` in backquotes, and the targets of relative links. */
function namedPaths(document: string, markdown: string): string[] {
  const text = prose(markdown);
  const quoted = [
    ...text.matchAll(/`((?:src|test|config|docs|scripts|native|bench)\/[\w./-]*\w)(?=[\s`])/g),
  ].map((match) => match[1] ?? '');
  const linked = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) =>
    join(dirname(document), match[1] ?? ''),
  );
  return [...quoted, ...linked];
}

function titles(markdown: string): number {
  return [...prose(markdown).matchAll(/^# /gm)].length;
}

function isThere(path: string): boolean {
  return existsSync(join(ROOT, path)) || existsSync(join(ROOT, 'dist', path));
}

t.test('every path that a document names is there', async (t) => {
  const missing = DOCUMENTS.flatMap((document) =>
    namedPaths(document, read(document))
      .filter((path) => !isThere(path))
      .map((path) => `${document}: ${path}`),
  );
  t.same(missing, []);
});

t.test('every document has exactly one title', async (t) => {
  for (const document of DOCUMENTS) t.equal(titles(read(document)), 1, document);
});

t.test('the README quotes the configuration for direct routing as it is', async (t) => {
  const quoted = /^```yaml\n([\s\S]*?)^```$/m.exec(read('README.md'))?.[1];
  t.equal(quoted, read('config/lvsentry.direct-routing.yaml'));
});

/** Examples in documents that are configurations, or parts of one: `services` may be left out. */
function configurations(markdown: string): string[] {
  return [...markdown.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => {
    const text = match[1] ?? '';
    return /^services:/m.test(text) ? text : `services: {}\n${text}`;
  });
}

const SECRETS = outside({ HOOK_SECRET: 's', VRRP_KEY: 'k'.repeat(48) });

t.test('every configuration in a document is right', async (t) => {
  for (const document of DOCUMENTS)
    for (const [index, text] of configurations(read(document)).entries())
      t.same(faultsOf(text, SECRETS), [], `${document}, example ${index + 1}`);
});

/** The first column of every table of a document. */
function firstColumn(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([\w-]+)` *\|/gm)].map((match) => match[1] ?? '');
}

t.test('every reason to ignore a packet and every event is explained', async (t) => {
  const explained = new Set(firstColumn(read('docs/vrrp.md')));
  for (const reason of Object.keys(DISCARD_REASONS)) t.ok(explained.has(reason), reason);
  const events = firstColumn(read('docs/alerts.md').split('\n## Events\n')[1] ?? '');
  t.same(Object.keys(EVENT_KINDS).sort(), events.sort(), 'each event once');
});

t.test('the two directors differ where they say so, and nowhere else', async (t) => {
  const [a = [], b = []] = ['a', 'b'].map((name) =>
    read(`config/lvsentry.director-${name}.yaml`)
      .split('\n')
      .filter((line) => !line.startsWith('#')),
  );
  t.equal(a.length, b.length);
  const others = a.filter((line, index) => line !== b[index] && !/# differs/.test(b[index] ?? ''));
  t.same(others, []);
  t.equal(a.filter((line, index) => line !== b[index]).length, 3, 'name and two priorities');
});

t.test('what is generated is up to date', async (t) => {
  const script = join(ROOT, 'dist/scripts/generate.js');
  const run = spawnSync(process.execPath, [script, '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.equal(run.status, 0, `run \`npm run generate\`: ${run.stdout}${run.stderr}`);
});

t.test('the measures themselves: they find what they should', async (t) => {
  t.same(namedPaths('docs/a.md', 'see `src/x.ts`, `npm test`, [b](b.md#c) and [w](https://example.org/x)'), [
    'src/x.ts',
    'docs/b.md',
  ]);
  t.same(namedPaths('a.md', '```\n`src/example.ts`\n```\n'), []);
  t.equal(isThere('src/core/ip.ts'), true);
  t.equal(isThere('src/core/no-such-file.ts'), false);
  t.same(configurations('```yaml\na: 1\n```\n\n```sh\nb: 1\n```\n'), ['services: {}\na: 1\n']);
  t.same(firstColumn('| a | b |\n|---|---|\n| `x-y` | `z` |\n'), ['x-y']);
  t.equal(titles('# a\n\n## b\n\n```\n# a comment\n```\n'), 1);
  t.equal(titles('# a\n# b\n'), 2);
});
