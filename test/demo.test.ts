/** Drives the real demo as a person does: `scripts/demo.mjs` in processes of its own, its output, its signals. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { Place, type Run, until } from './demo-run.js';
import { findKernel } from './kernel/lab.js';

const API = 'http://127.0.0.1:8405';
const PORTS = [8405, 18081, 18082, 18021];
const NAMES = ['web1', 'web2', 'ftp1'];
/** Verdicts take seconds here: the demo's intervals are those of a person who watches. */
const TEST_MS = 120_000;

/** The demo with three servers. */
class DemoPlace extends Place {
  /** The demo, when it has said how to end it and every server is up. */
  async start(): Promise<Run> {
    const demo = this.run();
    await until(`the demo is ready; it says: ${demo.text()}`, () => /^end +Ctrl-C/m.test(demo.text()));
    for (const name of NAMES) await untilVerdict(name, 'up');
    return demo;
  }

  /** Nothing of the demo is left: no process, no listener, no file. */
  async isClean(t: Test): Promise<void> {
    t.same(this.processes(), [], 'no process is left');
    t.same(readdirSync(this.folder), [], 'no file is left');
    for (const port of PORTS) (await listen(port)).close();
    t.pass('every port is free');
  }
}

async function listen(port: number): Promise<{ close(): void }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface Status {
  readonly services: readonly {
    readonly servers: readonly { readonly name: string; readonly verdict: string }[];
  }[];
}

async function readVerdict(name: string): Promise<string | undefined> {
  const response = await fetch(`${API}/v1/status`);
  const { services } = (await response.json()) as Status;
  return services.flatMap(({ servers }) => servers).find((server) => server.name === name)?.verdict;
}

function untilVerdict(name: string, verdict: string): Promise<void> {
  return until(`${name} is ${verdict}`, async () => (await readVerdict(name)) === verdict);
}

async function breaksAndHeals(
  t: Test,
  place: DemoPlace,
  demo: Run,
  how: 'stop' | 'hang',
  name: string,
): Promise<void> {
  const before = demo.text().length;
  t.equal((await place.order(how, name)).code, 0, `${how} ${name}`);
  await untilVerdict(name, 'down');
  for (const other of NAMES.filter((other) => other !== name))
    t.equal(await readVerdict(other), 'up', `${other} is up all the while`);
  t.match((await place.order('status')).text, new RegExp(`${name} .*(stopped|hanging) .*verdict down`));
  t.equal((await place.order('start', name)).code, 0, `start ${name}`);
  await untilVerdict(name, 'up');
  const reason = how === 'stop' ? 'refused' : '(timeout|timed out)';
  const told = new RegExp(`${name} .*is down.*${reason}[\\s\\S]*${name} .*is up`);
  await until(`the demo tells ${told}`, () => told.test(demo.text().slice(before)));
}

function testDemo(t: Test): void {
  t.test(
    'three servers are up, and the demo says where to look and what to do',
    { timeout: TEST_MS },
    async (t) => {
      const place = new DemoPlace(t);
      const demo = await place.start();
      t.match(demo.text(), /^table +(memory|kernel) \(.+\)$/m);
      t.match(demo.text(), `${API}/v1/status`);
      for (const order of ['stop web2', 'start web2', 'hang web2'])
        t.match(demo.text(), `npm run demo -- ${order}`);
      t.equal(place.processes().length, 5, 'the demo, the daemon and three servers');
      t.equal(statSync(join(place.folder, readdirSync(place.folder)[0] ?? '')).mode & 0o777, 0o700);
      await breaksAndHeals(t, place, demo, 'stop', 'web2');
      await breaksAndHeals(t, place, demo, 'hang', 'ftp1');
      t.equal(await demo.end('SIGINT'), 0);
      await place.isClean(t);
    },
  );

  t.test('what cannot be done is told in one line, and the demo goes on', { timeout: TEST_MS }, async (t) => {
    const place = new DemoPlace(t);
    const demo = await place.start();
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [[], new RegExp(`^a demo is running already \\(process ${demo.pid}\\).*$`)],
      [['stop', 'web9'], /^no server is called web9; there are web1, web2, ftp1$/],
      [['stop'], /^no server is called \(nothing\); there are web1, web2, ftp1$/],
    ];
    for (const [args, text] of refused) {
      const answer = await place.order(...args);
      t.equal(answer.code, 1, `demo ${args.join(' ')}`);
      t.match(answer.text, text);
    }
    t.equal((await place.order('stop', 'web1')).code, 0);
    const hung = await place.order('hang', 'web1');
    t.same([hung.code, hung.text], [1, 'web1 is stopped: start it first']);
    t.equal((await place.order('hang', 'web2')).code, 0);
    t.equal(await demo.end('SIGTERM'), 0, 'SIGTERM ends it too, with a server stopped and another hanging');
    await place.isClean(t);
  });

  t.test(
    'a port that is taken is named in one line, and nothing is left',
    { timeout: TEST_MS },
    async (t) => {
      const place = new DemoPlace(t);
      for (const port of PORTS) {
        const taken = await listen(port);
        const { code, text } = await place.order();
        taken.close();
        t.equal(code, 1);
        t.match(text, new RegExp(`^port 127\\.0\\.0\\.1:${port} is taken.*$`));
      }
      await place.isClean(t);
    },
  );

  t.test('an order without a demo says how to start it', async (t) => {
    const { code, text } = await new DemoPlace(t).order('stop', 'web2');
    t.equal(code, 1);
    t.match(text, /^no demo is running: start it with `npm start`.*$/);
  });

  t.test(
    'a demo that was killed leaves no servers, and the next one clears up after it',
    { timeout: TEST_MS },
    async (t) => {
      const place = new DemoPlace(t);
      const killed = await place.start();
      t.equal(await killed.end('SIGKILL'), 'SIGKILL');
      await until('only the daemon is left', () => place.processes().length <= 1);
      const next = await place.start();
      t.equal(place.processes().length, 5);
      t.equal(await next.end('SIGINT'), 0);
      await place.isClean(t);
    },
  );
}

const kernel = findKernel();

/** What stands between an order and the next one. */
function after(text: string, order: string): string {
  const start = text.indexOf(`$ npm run demo -- ${order}`);
  const end = text.indexOf('$ npm run demo -- ', start + 1);
  return start < 0 ? '' : text.slice(start, end < 0 ? undefined : end);
}

function testKernelDemo(t: Test): void {
  const skip = kernel.kind === 'none' && kernel.reason;
  t.test('on a real kernel ipvsadm sees each step', { skip, timeout: 2 * TEST_MS }, async (t) => {
    const place = new DemoPlace(t);
    const { code, text } = await place.order('kernel');
    t.equal(code, 0, text);
    t.match(after(text, 'stop web2'), /web2 .*is down: connection refused/);
    for (const order of ['stop web2', 'hang web2'])
      t.match(after(text, order), /8480 wlc\n +-> 127\.0\.0\.1:18081 .*\n\n/, `${order}: web1 alone`);
    t.match(after(text, 'start web2'), /8480 wlc\n.*:18081 .*\n.*:18082 /, 'start web2: both');
    t.match(after(text, 'hang ftp1'), /8421 wlc persistent 360\nTCP/, 'hang ftp1: none');
    t.notMatch(text, /ECONNREFUSED|ECONNRESET/, 'every request through the service was answered');
    t.match(text, /Forward Weight ActiveConn InActConn\n*$/, 'nothing is left in the table');
    t.same(readdirSync(place.folder), []);
  });
}

/** The demo's ports are fixed, so it is tested in a network of its own where we may make one. */
const APART = 'LVSENTRY_TEST_APART';
const canBeApart =
  process.env[APART] === undefined &&
  spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

t.setTimeout(3 * TEST_MS);
if (canBeApart) {
  const command = 'ip link set lo up && exec "$0" "$1"';
  const args = ['--net', 'sh', '-c', command, process.execPath, fileURLToPath(import.meta.url)];
  await t.spawn(
    'unshare',
    args,
    { env: { ...process.env, [APART]: '1' }, timeout: 2 * TEST_MS },
    'in a network of its own',
  );
} else {
  testDemo(t);
  testKernelDemo(t);
}
