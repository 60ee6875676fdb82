/** Checks by programs that others wrote, and by some that do everything wrong. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { execProber } from '../../src/checks/exec.js';
import type { ProbeResult } from '../../src/checks/model.js';
import { reasonText } from '../../src/checks/reason.js';
import type { ExecCheck } from '../../src/checks/spec-program.js';
import { ProgramRunner } from '../../src/exec/runner.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';
import { serviceOf } from '../config/given.js';
import { eventually, lives, Scripts } from '../exec/scripts.js';
import { closedPort, listen, silentTarget } from './listeners.js';
import { missing } from './servers.js';

const PLUGINS = '/usr/lib/nagios/plugins';
const MONITORS = '/usr/lib/mon/mon.d';
const without = (path: string): string | false => !existsSync(path) && `${path} is not installed`;

/** A prober with so many places, whose programs are gone at the end of the test. */
function proberOf(t: Test, concurrencyMax = 128) {
  const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax });
  t.teardown(() => runner.close());
  return execProber({ clock: systemClock, run: (program, onStart) => runner.run(program, onStart) });
}

function probe(t: Test, spec: ExecCheck, deadline = 10_000): Promise<ProbeResult> {
  return proberOf(t)(spec, AbortSignal.timeout(deadline));
}

/** The check that a configuration describes. */
function configured(port: number, keys: string): ExecCheck {
  const service = serviceOf(`fwmark: 1\nforward: masquerade
check: { type: exec, port: ${port}, ${keys} }\nservers: [{ address: 127.0.0.1, name: web1 }]`);
  const spec = service.servers[0]?.checks[0].probe;
  if (spec?.type !== 'exec') throw new Error('an exec check');
  return spec;
}

const textOf = ({ outcome, reason, warning, words }: ProbeResult): string =>
  `${outcome} ${warning ?? words ?? reasonText(reason)}`;

t.test('plugins of Nagios', { skip: without(`${PLUGINS}/check_http`) }, async (t) => {
  const web = await listen(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine'));
  });
  const [dead, silent] = [await closedPort(t), await silentTarget(t)];
  const open = web.target.port;
  const at = `-H, '\${address}', -p, '\${port}'`;
  const rows: readonly (readonly [number, string, RegExp])[] = [
    [open, `check_tcp, ${at}`, /^pass TCP OK - [^|]*$/],
    [
      dead.port,
      `check_tcp, ${at}`,
      /^fail rejected in run with 2: connect to address 127\.0\.0\.1 .*refused$/,
    ],
    [
      open,
      `check_http, -I, '\${address}', -p, '\${port}', -s, fine`,
      /^pass HTTP OK: HTTP\/1\.0 200 OK [^|]*$/,
    ],
    [
      open,
      `check_http, -I, '\${address}', -p, '\${port}', -s, other`,
      /^fail rejected in run with 2: HTTP CRITICAL/,
    ],
    [
      silent.port,
      `check_http, -I, '\${address}', -p, '\${port}', -t, '1'`,
      /^fail rejected in run with 2: CRITICAL/,
    ],
    [open, `check_tcp, ${at}, -w, '0.0000001'`, /^pass TCP WARNING - [^|]*$/],
    [open, 'check_tcp, --nonsense', /^unknown not probed: exit code 3: /],
    [open, "check_dummy, '0'", /^pass OK$/],
  ];
  for (const [port, words, expected] of rows) {
    const spec = configured(port, `contract: nagios, program: [${PLUGINS}/${words}]`);
    t.match(textOf(await probe(t, spec)), expected, words);
  }
});

t.test('monitors of mon', { skip: without(`${MONITORS}/tcp.monitor`) }, async (t) => {
  const web = await listen(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nfine'));
  });
  const dead = await closedPort(t);
  const open = web.target.port;
  const rows: readonly (readonly [number, string, RegExp | string])[] = [
    [open, `tcp.monitor, -p, '\${port}'`, 'pass ok'],
    [dead.port, `tcp.monitor, -p, '\${port}'`, 'fail rejected in run with 1: 127.0.0.1'],
    [open, `http.monitor, -p, '\${port}'`, 'pass ok'],
    [dead.port, `http.monitor, -p, '\${port}'`, 'fail rejected in run with 1: 127.0.0.1'],
  ];
  for (const [port, words, expected] of rows) {
    const spec = configured(port, `contract: mon, program: [${MONITORS}/${words}]`);
    t.equal(
      textOf(await probe(t, spec)),
      expected,
      `${words} at ${port === open ? 'an open' : 'a closed'} port`,
    );
  }
});

t.test(
  'fping.monitor of mon',
  { skip: without(`${MONITORS}/fping.monitor`) || missing('fping', true) },
  async (t) => {
    const spec = configured(1, `contract: mon, program: [${MONITORS}/fping.monitor]`);
    t.equal(textOf(await probe(t, spec)), 'pass ok');
  },
);

t.test('mon: arguments and environment', async (t) => {
  const scripts = new Scripts(t);
  const body = 'echo "$#:$*"; env | sed -n "s/^\\(MON_[A-Z_]*\\)=/\\1 /p" | sort > $DIR/env; exit 1';
  const path = scripts.write('told.monitor', body);
  const hosts = await probe(t, configured(80, `contract: mon, program: [${path}, -x, 'a b']`));
  t.match(textOf(hosts), /with 1: 3:-x a b 127\.0\.0\.1$/);
  t.same(scripts.read('env').trimEnd().split('\n'), [
    'MON_CFBASEDIR /etc/mon',
    'MON_FIRST_FAILURE 0',
    'MON_GROUP web',
    'MON_LAST_FAILURE 0',
    'MON_LAST_OUTPUT ',
    'MON_LAST_SUCCESS 0',
    'MON_LAST_SUMMARY ',
    'MON_LOGDIR /var/log/mon',
    'MON_SERVICE exec',
    'MON_STATEDIR /var/lib/mon',
  ]);
  const none = await probe(t, configured(80, `contract: mon, program: [${path}, -x, ';;']`));
  t.match(textOf(none), /with 1: 1:-x$/, 'mon itself gives no hosts behind ;;');
});

/** What a program does, its time, and what is made of it. */
const WRONG: readonly (readonly [string, string, number, string | RegExp])[] = [
  ['ignores TERM', "trap '' TERM; while :; do sleep 0.05; done", 300, 'fail timeout in run'],
  [
    'forks what keeps the output open',
    'sleep 1000 & echo $! > $DIR/child; exit 3',
    10_000,
    'fail rejected in run with 3',
  ],
  ['never ends its output', 'exec yes', 1000, 'fail timeout in run'],
  ['writes zero bytes', 'head -c 1000 /dev/zero; exit 1', 10_000, /^fail rejected in run with 1: \?{10}/],
  ['closes its output', 'exec >&- 2>&-; exit 4', 10_000, 'fail rejected in run with 4'],
  ['closes its output and goes on', 'exec >&- 2>&-; sleep 1000', 300, 'fail timeout in run'],
  ['is ended by a signal', 'kill -SEGV $$', 10_000, 'fail protocol error in run: ended by SIGSEGV'],
  ['ends its group', 'kill -TERM 0; sleep 1000', 10_000, 'fail protocol error in run: ended by SIGTERM'],
  ['stops itself', 'kill -STOP $$', 300, 'fail timeout in run'],
];

t.test('programs that do everything wrong leave nothing behind', async (t) => {
  const scripts = new Scripts(t);
  const before = readdirSync('/proc/self/fd').length;
  for (const [index, [name, body, deadline, expected]] of WRONG.entries()) {
    const path = scripts.write(`wrong-${index}`, `echo $$ > $DIR/pid-${index}\n${body}`);
    const result = textOf(await probe(t, configured(1, `program: [${path}]`), deadline));
    if (typeof expected === 'string') t.equal(result, expected, `one that ${name}`);
    else t.match(result, expected, `one that ${name}`);
    await eventually(`one that ${name} is gone`, () => !lives(Number(scripts.read(`pid-${index}`))));
  }
  await eventually('nor its child', () => !lives(Number(scripts.read('child'))));
  await eventually('no descriptor', () => readdirSync('/proc/self/fd').length <= before);
});

t.test('what cannot be run is unknown, and says why', async (t) => {
  const scripts = new Scripts(t);
  const path = scripts.write('comes-and-goes', 'exit 0');
  const spec = configured(1, `program: [${path}]`);
  const prober = proberOf(t);
  const once = async (): Promise<string> => textOf(await prober(spec, AbortSignal.timeout(10_000)));
  t.equal(await once(), 'pass ok');
  rmSync(path);
  t.equal(await once(), `unknown not probed: ${path} cannot be run: spawn ${path} ENOENT`, 'it has vanished');
  scripts.write('comes-and-goes', 'exit 7');
  t.equal(await once(), 'fail rejected in run with 7', 'and is back');
  const rows: readonly (readonly [string, RegExp])[] = [
    [`program: [${scripts.folder}]`, /^unknown not probed: .* EACCES$/],
    ['program: [/etc/passwd]', /^unknown not probed: .* EACCES$/],
    [
      `program: [${path}], run-as: nobody-of-this-name`,
      /there is no user nobody-of-this-name on this machine$/,
    ],
  ];
  for (const [keys, expected] of rows) t.match(textOf(await probe(t, configured(1, keys))), expected, keys);
});

t.test('three hundred at once: all are run, so many at a time', async (t) => {
  const scripts = new Scripts(t);
  const path = scripts.write('one', 'echo x >> $DIR/ran; exit 0');
  const prober = proberOf(t, 20);
  const specs = Array.from({ length: 300 }, () => configured(1, `program: [${path}]`));
  const results = await Promise.all(specs.map((spec) => prober(spec, AbortSignal.timeout(60_000))));
  t.same(new Set(results.map(textOf)), new Set(['pass ok']));
  t.equal(scripts.read('ran').length, 600);
});

t.test('where all places are taken to the deadline, who waited is unknown', async (t) => {
  const scripts = new Scripts(t);
  const path = scripts.write('slow', 'exec sleep 1000');
  const prober = proberOf(t, 3);
  const specs = Array.from({ length: 12 }, () => configured(1, `program: [${path}]`));
  const results = await Promise.all(specs.map((spec) => prober(spec, AbortSignal.timeout(500))));
  const texts = results.map(textOf);
  t.equal(texts.filter((text) => text === 'fail timeout in run').length, 3);
  t.equal(
    texts.filter((text) => /^unknown not probed: it waited \d+ ms for other programs$/.test(text)).length,
    9,
  );
});
