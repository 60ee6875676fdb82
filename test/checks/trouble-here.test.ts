/** Every kind of check on a machine that is in trouble itself: nothing is said of any server. */
import { spawnSync } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { probeByType } from '../../src/checks/kinds.js';
import { readLibraries } from '../../src/checks/libraries.js';
import { CHECK_TYPES } from '../../src/checks/model.js';
import { ROWS } from './every-kind.js';
import { listen } from './listeners.js';
import { tlsSettings } from './secure.js';
import { FAR, probers, rowOf, TCP, tcpColumn, UDP, type Wanted } from './trouble-column.js';

// The libraries are read before anything is watched.
await readLibraries(CHECK_TYPES);

/** Deadlines and phases are those of the monotonic clock. */
t.test('the wall clock jumps by a day, forth and back', async (t) => {
  const real = Date.now;
  t.teardown(() => {
    Date.now = real;
  });
  let calls = 0;
  Date.now = () => {
    calls += 1;
    return real() + (calls % 2 === 0 ? 1 : -1) * 86_400_000;
  };
  await tcpColumn(t, () => undefined, { rest: 'timeout', tcp: 'ok' });
});

/** Calls of the kernel that fail as if the machine were in need; what a test sees is what the probers make of it. */
function failing(t: Test, code: string, isAfterwards: boolean): void {
  const { connect } = Socket.prototype;
  const error = () => Object.assign(new Error(code), { code, errno: -1, syscall: 'connect' });
  t.teardown(() => {
    Socket.prototype.connect = connect;
  });
  Socket.prototype.connect = function (this: Socket, ...args: never): Socket {
    if (isAfterwards) {
      this.once('connect', () => setTimeout(() => this.destroy(error()), 20));
      return Reflect.apply(connect, this, args) as Socket;
    }
    process.nextTick(() => this.destroy(error()));
    return this;
  } as typeof connect;
}

for (const code of ['ENOBUFS', 'ENOMEM', 'ENFILE', 'EPERM']) {
  for (const isAfterwards of [false, true]) {
    t.test(`${code} ${isAfterwards ? 'in the middle of a talk' : 'at the start'}`, async (t) => {
      const mute = await listen(t, () => undefined);
      failing(t, code, isAfterwards);
      const settings = tlsSettings();
      const signal = AbortSignal.timeout(FAR);
      for (const row of TCP) {
        if (row === 'tcp' && isAfterwards) continue;
        const { spec, tls } = rowOf(row);
        const result = await probeByType(
          probers,
          spec(mute.target, tls === 'always' ? settings : undefined),
          signal,
        );
        t.match(result, { outcome: 'unknown', reason: { kind: 'local', errno: code } }, row);
      }
    });
  }
}

interface Told {
  readonly without: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  readonly left: number;
}

function child(t: Test, command: string, what: string): Told {
  const script = fileURLToPath(new URL('./trouble-child.js', import.meta.url));
  const { stdout, stderr } = spawnSync('sh', ['-c', command, 'sh', process.execPath, script, what], {
    timeout: 60_000,
  });
  if (stderr.length > 0) t.comment(stderr.toString());
  return JSON.parse(stdout.toString()) as Told;
}

/** What every row came to, where `rest` is what all do that are not named. */
function holds(t: Test, words: Readonly<Record<string, string>>, { rest, ...named }: Wanted): void {
  t.same(words, Object.fromEntries(Object.keys(ROWS).map((name) => [name, named[name] ?? rest])));
}

const HERE = { ping: 'pass ok', exec: 'pass ok', file: 'pass ok' };

t.test('no descriptors: nothing is known, and as soon as there are some all goes on', async (t) => {
  const { without, after, left } = child(t, 'ulimit -n 60; exec "$@"', 'descriptors');
  holds(t, without, { rest: 'unknown local EMFILE' });
  holds(t, after, { rest: 'fail refused', agent: 'neutral refused', ...HERE });
  t.equal(left, 0, 'no socket is left');
});

const noNamespace =
  spawnSync('unshare', ['-n', 'ip', 'link']).status !== 0 && 'network namespaces need root and iproute2';

t.test(
  'no ports: nothing is known, and as soon as there are some all goes on',
  { skip: noNamespace },
  async (t) => {
    const command = 'unshare -n sh -c \'ip link set lo up && exec "$@"\' sh "$@"';
    const { without, after, left } = child(t, command, 'ports');
    const datagrams = Object.fromEntries(UDP.map((row) => [row, 'unknown local EADDRINUSE']));
    holds(t, without, { rest: 'unknown local EADDRNOTAVAIL', ...datagrams, ...HERE });
    holds(t, after, { rest: 'fail refused', agent: 'neutral refused', ...HERE });
    t.equal(left, 0, 'no socket is left');
  },
);

t.test(
  'a library is read with the first check of its kind, and not without one',
  { skip: noNamespace },
  async (t) => {
    const script = `
    const { readLibraries } = await import(process.argv[1]);
    const read = () => Object.keys(require('node:module')._cache).some((path) => path.includes('/pg/'));
    await readLibraries(['tcp', 'mysql']);
    const early = read();
    await readLibraries(['postgres', 'postgres']);
    console.log(JSON.stringify([early, read()]));`;
    const url = new URL('../../src/checks/libraries.js', import.meta.url).href;
    const inline = `(async () => {${script}})()`;
    const { stdout } = spawnSync(process.execPath, ['-e', inline, url], { timeout: 60_000 });
    t.same(JSON.parse(stdout.toString()), [false, true]);
  },
);
