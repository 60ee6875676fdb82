/** What the documents tell an operator to run is run, as it stands there. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { Home } from './daemon-home.js';
import { until } from './daemon-run.js';
import { filesBelow, read } from './house/project.js';
import { DnsServer } from './names/dns-server.js';
import { helpByCommand, inlineCommands, shellLines, unknownIn } from './operations/commands.js';
import { DAEMON_ROWS, KERNEL_LINES, NETWORK_ROWS, type Row } from './operations/rows.js';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/src/main.js', import.meta.url));
/** A shell in which `lvsentry` is the program under test. */
const SHELL = `lvsentry() { '${process.execPath}' '${PROGRAM}' "$@"; }`;
const LIMIT_MS = 60_000;

const DOCUMENTS = ['README.md', ...filesBelow('docs', /\.md$/)];
const blocks = DOCUMENTS.flatMap((document) => shellLines(document, read(document)));
const inline = DOCUMENTS.flatMap((document) => inlineCommands(document, read(document)));

const CONFIGURATION = (socket: string, resolver: number): string => `
name: director-a
table: memory
api: { listen: "unix:${socket}" }
resolve: { resolvers: ["127.0.0.1:${resolver}"] }
defaults: { check: { type: tcp, interval: 1h } }
services:
  web:
    address: 192.168.2.254:80
    servers:
      - { name: web1, address: 192.168.2.2 }
      - { name: web2, address: 192.168.2.3 }
      - { name: app, resolve: { name: app.example } }
`;

interface Said {
  readonly exit: number | null;
  readonly text: string;
}

function shell(script: string, wrapper: readonly string[] = []): Said {
  const [program = '', ...args] = [...wrapper, 'bash', '-c', `${SHELL}\n${script}`];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: LIMIT_MS });
  return { exit: status, text: stdout + stderr };
}

function holds(t: Test, { line, exit, says }: Row, said: Said): void {
  t.equal(said.exit, exit, `${line}\n${said.text}`);
  t.match(said.text, says, line);
}

/** Its own files in place of those of the example. */
function adapted(line: string, { file, socket }: Home): string {
  const here = line
    .replace('http://127.0.0.1:8405', `--unix-socket ${socket} http://lvsentry`)
    .replace('/run/lvsentry.sock', socket)
    .replace('-c FILE', `-c ${file}`);
  return here.startsWith('lvsentry ') && !here.includes(' -c ') ? `${here} -c ${file}` : here;
}

t.test('the program has every command and option that the documents name', async (t) => {
  const help = helpByCommand(read('test/cli/help.txt'));
  const ours = [...blocks, ...inline].filter(({ line }) => /^(npx )?lvsentry /.test(line));
  t.ok(ours.length > 30, 'documents name many');
  const unknown = ours.flatMap(({ document, line }) => {
    const missing = unknownIn(line, help);
    return missing === undefined ? [] : [`${document}: ${line}: there is no ${missing}`];
  });
  t.same(unknown, []);
});

t.test('every command of the operator’s documents is run by a test, and no other', async (t) => {
  const told = new Set(
    blocks.filter(({ document }) => /operations|api|services/.test(document)).map(({ line }) => line),
  );
  const named = new Set(inline.map(({ line }) => line));
  const run = [...[...DAEMON_ROWS, ...NETWORK_ROWS].map(({ line }) => line), ...KERNEL_LINES];
  t.same(
    [...told].filter((line) => !run.includes(line)),
    [],
    'blocks of commands',
  );
  t.same(
    run.filter((line) => !told.has(line) && !named.has(line)),
    [],
    'what is run stands in a document',
  );
});

t.test('beside a daemon', async (t) => {
  const home = new Home(t, 1);
  const dns = await DnsServer.open(t);
  // It is not asked again while commands run: this process waits for them.
  dns.set('app.example', { A: ['192.168.2.5'], ttl: 300 });
  writeFileSync(home.file, CONFIGURATION(home.socket, dns.resolver.port));
  const daemon = home.start(t);
  await daemon.kind('name-changed');
  await until(() => home.answers());
  for (const row of DAEMON_ROWS) holds(t, row, shell(adapted(row.line, home)));
  holds(
    t,
    { line: 'lvsentry reload', exit: 0, says: /the new configuration is in force/ },
    shell(adapted('lvsentry reload', home)),
  );
  await daemon.end('SIGTERM');
});

t.test('on a real server', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  // One namespace for all of them: each finds what the one before left.
  const END = '--end';
  const script = NETWORK_ROWS.map(({ line }) => `${line} 2>&1; echo "${END} $?"`).join('\n');
  const said = shell(`ip link set lo up\n${script}`, ['unshare', '--net']);
  const parts = said.text.split(new RegExp(`^${END} `, 'm'));
  t.equal(parts.length, NETWORK_ROWS.length + 1, said.text);
  for (const [index, row] of NETWORK_ROWS.entries())
    holds(t, row, { exit: Number.parseInt(parts[index + 1] ?? '', 10), text: parts[index] ?? '' });
});

t.test('the README’s configuration is right as the README has it checked', async (t) => {
  const line = blocks.find((each) => each.line.startsWith('npx lvsentry validate'))?.line ?? '';
  t.match(shell(line.replace('npx ', '')), { exit: 0, text: 'is valid: 2 services' });
});

t.test('the measures themselves: they find what they should', async (t) => {
  const markdown =
    '```sh\nlvsentry a  --b   # why\ncurl x \\\n  -d 1\n# only words\n```\n`lvsentry c`, `other`\n';
  t.same(
    shellLines('x.md', markdown).map(({ line }) => line),
    ['lvsentry a --b', 'curl x -d 1'],
  );
  t.same(inlineCommands('x.md', markdown), [{ document: 'x.md', line: 'lvsentry c' }]);
  const help = helpByCommand(read('test/cli/help.txt'));
  t.equal(unknownIn('lvsentry drain web1 --wait', help), undefined);
  t.equal(unknownIn('lvsentry drain web1 --patience', help), '--patience');
  t.equal(unknownIn('lvsentry status -c FILE', help), undefined);
  t.equal(unknownIn('npx lvsentry flush', help), 'command flush');
});
