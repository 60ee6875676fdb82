import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { COMMANDS } from '../../src/cli/commands.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const ROOT = new URL('../../../', import.meta.url);
const HELP = new URL('test/cli/help.txt', ROOT);
const DEMO = fileURLToPath(new URL('config/lvsentry.demo.yaml', ROOT));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The compiled program as a process of its own. */
async function lvsentry(words: readonly string[], nodeWords: readonly string[] = []): Promise<Ended> {
  const child = spawn(process.execPath, [...nodeWords, MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, out, err };
}

t.test('the help is what test/cli/help.txt says (UPDATE=1 writes it)', async (t) => {
  const asked = [['--help'], ...COMMANDS.map(({ name }) => [name, '--help'])];
  const runs = await Promise.all(asked.map((words) => lvsentry(words)));
  for (const { code, err } of runs) t.same([code, err], [0, '']);
  const help = asked.map((words, index) => `$ lvsentry ${words.join(' ')}\n${runs[index]?.out}`).join('\n');
  if (process.env.UPDATE === '1') writeFileSync(HELP, help);
  t.equal(help, readFileSync(HELP, 'utf8'));
});

t.test('without words it prints its help and is content', async (t) => {
  const [nothing, help] = await Promise.all([lvsentry([]), lvsentry(['help'])]);
  t.same(nothing, help);
  t.match(nothing, { code: 0, out: /^Usage: lvsentry/, err: '' });
});

const CASES: Readonly<Record<string, readonly [readonly string[], number, RegExp, RegExp]>> = {
  'the version': [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
  'an unknown command': [
    ['valid'],
    2,
    /^$/,
    /^lvsentry: unknown command 'valid'\n\(Did you mean validate\?\)\n/,
  ],
  'an unknown option': [['status', '--wach'], 2, /^$/, /^lvsentry: unknown option '--wach'\n.*--watch/],
  'a missing argument': [['validate'], 2, /^$/, /^lvsentry: missing required argument 'path'\n/],
  'an argument too many': [['validate', 'a', 'b'], 2, /^$/, /^lvsentry: too many arguments/],
  'a missing option': [['run'], 2, /^$/, /^lvsentry: required option '-c, --config <path>' not specified\n/],
  'a wrong choice': [
    ['run', '-c', 'x', '--log-level', 'loud'],
    2,
    /^$/,
    /Allowed choices are debug, info, warn, error/,
  ],
  'options that exclude each other': [
    ['table', '--save', '--json'],
    2,
    /^$/,
    /'--save' cannot be used with option '--json'/,
  ],
  'an address that is none': [['status', '--url', 'x'], 2, /^$/, /^lvsentry: "x" is not an address/],
  'a good file': [['validate', DEMO], 0, /is valid: 2 services, 3 servers/, /^$/],
  'a file that is not there': [['validate', '/nonexistent'], 3, /^$/, /^\/nonexistent: does not exist\n$/],
  'a wrong file, for run': [['run', '-c', '/nonexistent'], 3, /^$/, /^\/nonexistent: does not exist\n$/],
  'a plan': [
    ['plan', '-c', DEMO],
    0,
    /^# table: memory.*\nipvsadm -A -t 127\.0\.0\.1:8480 -s wlc {2}# web: /,
    /^$/,
  ],
  'no daemon': [
    ['status', '--url', 'http://127.0.0.1:1'],
    4,
    /^$/,
    /^lvsentry: cannot reach the daemon at 127\.0\.0\.1:1: /,
  ],
};

for (const [name, [words, code, out, err]] of Object.entries(CASES)) {
  t.test(`${name}: exit code ${code}`, async (t) => {
    t.match(await lvsentry(words), { code, out, err });
  });
}

t.test('a Node that is too old gets one line that says so, before anything is loaded', async (t) => {
  const pretend = (version: string): readonly string[] => [
    '--import',
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
  ];
  for (const version of ['20.18.3', '18.20.8', '4.0.0'])
    t.same(await lvsentry(['--version'], pretend(version)), {
      code: 1,
      out: '',
      err: `lvsentry needs Node 20.19 or newer; this is ${version}\n`,
    });
  for (const version of ['20.19.0', '22.0.0', '30.1.2'])
    t.match(await lvsentry(['--version'], pretend(version)), { code: 0, err: '' }, version);
});

t.test('a reader that has had enough is no error', async (t) => {
  const child = spawn('bash', [
    '-c',
    '"$0" "$@" --help | head -n 1; echo $PIPESTATUS',
    process.execPath,
    MAIN,
  ]);
  t.match(await text(child.stdout), /^Usage: lvsentry .*\n0\n$/);
});

t.test('a command loads only what it needs', async (t) => {
  const loaded = async (...words: string[]): Promise<string> => {
    const hooks = `export async function load(url, context, next) {
      if (!url.startsWith('node:')) process._rawDebug(url);
      return next(url, context);
    }`;
    const register = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));`;
    const { err } = await lvsentry(words, [
      '--import',
      `data:text/javascript,${encodeURIComponent(register)}`,
    ]);
    return err;
  };
  const [status, validate] = await Promise.all([
    loaded('status', '--url', 'http://127.0.0.1:1'),
    loaded('validate', DEMO),
  ]);
  t.match(status, /cli\/status\.js/);
  for (const heavy of [
    'fastify',
    'undici',
    'pino',
    'js-yaml',
    'ajv',
    'cli/plan.js',
    'daemon.js',
    'sys/netlink.js',
  ])
    t.notMatch(status, new RegExp(heavy), heavy);
  t.match(validate, /js-yaml/);
  for (const heavy of ['fastify', 'undici', 'pino', 'controller.js', 'ipvs/client.js'])
    t.notMatch(validate, new RegExp(heavy), heavy);
});
