/** The commands that change something, beside a daemon on the memory table. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import type { PlanStep } from '../../src/ipvs/plan.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { rig } from '../api/rig.js';
import { key } from '../ipvs/build.js';
import { cli, file } from './context.js';

const REAL = { clock: systemClock, timers: systemTimers };
const SERVER = '192.0.2.12:80';

t.test('drain, and wait until it is over', async (t) => {
  const { url, weights, controller } = await rig(t);
  const run = await cli(['drain', SERVER, '--reason', 'new kernel', '--wait', '--url', url], REAL);
  t.match(run, {
    code: 0,
    err: /^lvsentry: a restart of the daemon forgets this: `state:` is not configured$/,
  });
  t.match(run.out, /web\/192\.0\.2\.12:80 is draining by operator/);
  t.match(run.out, /web\/192\.0\.2\.12:80 is drained by operator: 0 connections/);
  t.same(await weights('tcp 192.0.2.1:80'), ['192.0.2.11:80 1', '192.0.2.12:80 0']);
  t.match(controller.world().admin.get(`web/${SERVER}`)?.effective, {
    state: 'drained',
    reason: 'new kernel',
  });
  t.match(await cli(['undrain', SERVER, '--url', url], REAL), { code: 0, out: /serves/ });
  t.equal(controller.world().admin.size, 0);
});

t.test('a drain whose deadline comes with something left ends with 1', async (t) => {
  const { url, table } = await rig(t);
  const read = table.read.bind(table);
  table.read = async (its) => {
    const seen = await read(its);
    if (seen === undefined) return undefined;
    return { ...seen, dests: new Map([...seen.dests].map(([text, one]) => [text, { ...one, active: 2 }])) };
  };
  const run = await cli(['drain', SERVER, '--deadline', '1500ms', '--wait', '--url', url], REAL);
  t.equal(run.code, 1);
  t.match(run.out, /is drained by operator: 2 connections \(2 active, 0 inactive\) left/);
});

t.test('disable after a drain, then enable; a weight and its end', async (t) => {
  const { url, weights } = await rig(t);
  t.match(await cli(['disable', SERVER, '--drain', '--wait', '--url', url], REAL), { code: 0 });
  t.same(await weights('tcp 192.0.2.1:80'), ['192.0.2.11:80 1']);
  t.match(await cli(['enable', SERVER, '--url', url]), { code: 0 });
  t.match(await cli(['weight', SERVER, '7', '--json', '--url', url]), { code: 0, out: /"weight":7/ });
  t.match(await cli(['weight', SERVER, 'reset', '--url', url]), { code: 0 });
  t.match(await cli(['disable', '192.0.2.12', '--service', 'mail', '--url', url]), {
    code: 0,
    out: /^mail\/[^\n]*$/,
  });
});

t.test('what is wrong is one line and its exit code', async (t) => {
  const { url } = await rig(t);
  for (const [words, code, err] of [
    [['drain', '192.0.2.99'], 1, /there is no server "192\.0\.2\.99"; did you mean/],
    [['drain', SERVER, '--deadline', 'soon'], 2, /"soon" is not a duration/],
    [['disable', SERVER, '--wait'], 2, /--deadline and --wait are for a drain/],
    [['weight', SERVER, 'heavy'], 2, /"heavy" is not a weight/],
    [['weight', SERVER], 2, /missing required argument/],
    [['enable', SERVER, '--token-file', '/nonexistent/token'], 2, /cannot read the token/],
  ] as const)
    t.match(await cli([...words, '--url', url]), { code, err });
  t.match(await cli(['drain', SERVER, '--url', 'unix:/nonexistent/api.sock']), {
    code: 4,
    err: /cannot reach/,
  });
});

t.test('reload prints the faults, or that all is well', async (t) => {
  const its = await rig(t);
  const token = file(t, '');
  writeFileSync(token, 'the-token-of-ann-1\n');
  t.match(await cli(['reload', '--token-file', token, '--url', its.url]), {
    code: 0,
    out: /no changes[^\n]*\n.*in force: 0 changes/,
  });
  const step: PlanStep = {
    operation: { kind: 'delete-service', key: key() },
    cause: { kind: 'unconfigured', service: 'web', server: undefined },
  };
  its.applied = {
    steps: [
      { step, error: undefined },
      { step, error: 'no such service' },
    ],
    done: 3,
    failed: 1,
  };
  const { out } = await cli(['reload', '--url', its.url]);
  t.same(out.split('\n'), [
    'ipvsadm -D -t 192.0.2.1:80  # web: no longer in the configuration',
    '# refused: ipvsadm -D -t 192.0.2.1:80  # web: no longer in the configuration: no such service',
    '# 2 more changes',
    'the new configuration is in force: 3 changes of the table, 1 refused, which are tried again',
  ]);
  its.faults = ['lvsentry.yaml:1:1: wrong'];
  t.match(await cli(['reload', '--url', its.url]), { code: 3, err: /lvsentry\.yaml:1:1: wrong\n.*refused/ });
  t.match(await cli(['reload', '--json', '--url', its.url]), { code: 3, out: /"reloaded":false/ });
});
