import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
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
  t.equal(titles('# a\n\n## b\n\n```\n# a comment\n```\n'), 1);
  t.equal(titles('# a\n# b\n'), 2);
});
