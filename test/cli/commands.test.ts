import t from 'tap';
import { LvsError } from '../../src/core/errors.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { Operation } from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { dest, key, service, syncDaemon } from '../ipvs/build.js';
import { CONFIG, cli, file, lend } from './context.js';

/** 2^53 and more: what a number holds only nearly. */
const COUNTED = { ...ZERO_STATS, connections: 15n, bytesOut: 2n ** 60n };

const WEB = service(key());
const FOREIGN = service(key('192.0.2.9'), { scheduler: 'rr' });
const add = (its: typeof WEB, ...dests: ReturnType<typeof dest>[]): Operation[] => [
  { kind: 'add-service', service: its },
  ...dests.map((each): Operation => ({ kind: 'add-dest', service: its.key, dest: each })),
];

async function tableOf(...operations: readonly Operation[]): Promise<MemoryTable> {
  const table = new MemoryTable();
  for (const result of await table.apply(operations)) if (!result.ok) throw new Error(result.message);
  return table;
}

t.test('validate: a good file is one line, with what it holds', async (t) => {
  const path = file(t, CONFIG);
  t.same(await cli(['validate', path]), {
    code: 0,
    out: `${path} is valid: 1 service, 2 servers, 0 alerts`,
    err: '',
  });
  t.same(await cli(['validate', path, '--json']), { code: 0, out: '{"valid":true,"faults":[]}', err: '' });
  const router = 'vrrp: { outside: { interface: eth0, id: 51, addresses: [192.0.2.1/24] } }\n';
  const more = await cli(['validate', file(t, `${CONFIG}${router}`)]);
  t.match(more.out, 'is valid: 1 service, 2 servers, 1 virtual router, 0 alerts');
});

t.test('validate: what the probe budget stretches is noted', async (t) => {
  const budget = (total: number): string =>
    `${CONFIG}\nprobe-budget: { total: ${total} }\ndefaults: { check: { interval: 1s } }\n`;
  const { code, out } = await cli(['validate', file(t, budget(1))]);
  t.equal(code, 0);
  t.match(out, /^note: checks want [0-9.]+ probes a second and probe-budget leaves 1 /m);
  t.notMatch((await cli(['validate', file(t, budget(1000))])).out, /note/);
});

t.test('validate: every fault with its place, and exit code 3', async (t) => {
  const path = file(t, CONFIG.replace('wlc', '7').replace('forward: direct', 'forward: sideways'));
  const { code, out, err } = await cli(['validate', path]);
  t.equal(code, 3);
  t.equal(out, '');
  t.match(
    err.split('\n'),
    [`${path}:7:`, `${path}:8:`].map((place) => new RegExp(`^${place}`)),
  );
  const json = await cli(['validate', path, '--json']);
  t.equal(json.code, 3);
  t.match(JSON.parse(json.out), {
    valid: false,
    faults: [
      { file: path, line: 7 },
      { file: path, line: 8 },
    ],
  });
});

t.test('plan: what is missing, what is otherwise, and what is not ours', async (t) => {
  const path = file(t, CONFIG);
  const other = service(key(), { scheduler: 'rr' });
  const its = await tableOf(...add(other, dest('192.0.2.2')), ...add(FOREIGN, dest('192.0.2.5')));
  const before = await its.dump();
  const { code, out } = await cli(['plan', '-c', path], { openKernelTable: lend(its) });
  t.equal(code, 0);
  t.same(out.split('\n'), [
    'ipvsadm -E -t 192.0.2.1:80 -s wlc  # web: the configuration says so',
    '# foreign, left alone: tcp 192.0.2.9:80',
  ]);
  t.strictSame(await its.dump(), before, 'and it changes nothing');
});

t.test('plan: with `exclusive` what is not ours goes; with --allow some of it is withheld', async (t) => {
  const its = await tableOf(...add(WEB, dest('192.0.2.2'), dest('192.0.2.7')), ...add(FOREIGN));
  const path = file(t, `${CONFIG}exclusive: true\n`);
  const { out } = await cli(['plan', '-c', path, '--allow', 'remove'], { openKernelTable: lend(its) });
  const why = 'not in the configuration, and the table is `exclusive`';
  t.same(out.split('\n'), [
    `ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.7:80  # tcp 192.0.2.1:80/192.0.2.7:80: ${why}`,
    `ipvsadm -D -t 192.0.2.9:80  # tcp 192.0.2.9:80: ${why}`,
  ]);
  const added = await cli(['plan', '-c', path, '--allow', 'add', '--json'], { openKernelTable: lend(its) });
  t.match(JSON.parse(added.out), {
    changes: [],
    withheld: [{ operation: 'delete-dest', cause: 'exclusive' }, { operation: 'delete-service' }],
    foreign: ['tcp 192.0.2.9:80', '192.0.2.7:80 in tcp 192.0.2.1:80'],
  });
});

t.test('table: with a configuration what is foreign is named', async (t) => {
  const its = await tableOf(...add(WEB, dest('192.0.2.2'), dest('192.0.2.7')), ...add(FOREIGN));
  const openKernelTable = lend(its);
  const { out } = await cli(['table', '-c', file(t, CONFIG)], { openKernelTable });
  t.same(out.split('\n').slice(-2), [
    'foreign: tcp 192.0.2.9:80',
    'foreign: 192.0.2.7:80 in tcp 192.0.2.1:80',
  ]);
  const json = await cli(['table', '-c', file(t, CONFIG), '--json'], { openKernelTable });
  t.same((JSON.parse(json.out) as { foreign: unknown }).foreign, [
    'tcp 192.0.2.9:80',
    '192.0.2.7:80 in tcp 192.0.2.1:80',
  ]);
  t.notMatch((await cli(['table'], { openKernelTable })).out, /foreign/, 'without one nobody knows');
  t.equal((await cli(['table', '-c', file(t, 'services: 5')], { openKernelTable })).code, 3);
});

t.test('plan: an empty table gets everything, in the order of the changes', async (t) => {
  const path = file(t, CONFIG);
  const { out } = await cli(['plan', '-c', path]);
  t.same(out.split('\n'), [
    'ipvsadm -A -t 192.0.2.1:80 -s wlc  # web: the configuration says so',
    'ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1  # web/web1: the configuration says so',
    'ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.3:80 -g -w 3  # web/web2: the configuration says so',
  ]);
  const json = await cli(['plan', '-c', path, '--json']);
  t.match(JSON.parse(json.out), {
    table: 'kernel',
    changes: [
      { operation: 'add-service', service: 'web', server: null, cause: 'configured' },
      {
        operation: 'add-dest',
        command: 'ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1',
        server: 'web1',
      },
      { operation: 'add-dest', service: 'web', server: 'web2', why: 'the configuration says so' },
    ],
  });
});

t.test('plan: a table that is right needs nothing; the memory table says what it is', async (t) => {
  const its = await tableOf(...add(WEB, dest('192.0.2.2'), dest('192.0.2.3', { weight: 3 })));
  const { out } = await cli(['plan', '-c', file(t, CONFIG)], { openKernelTable: lend(its) });
  t.equal(out, '# no changes: the table is as the configuration wants it');
  const memory = await cli(['plan', '-c', file(t, CONFIG.replace('kernel', 'memory'))], {
    openKernelTable: () => Promise.reject(new Error('the kernel is not asked')),
  });
  t.match(memory.out.split('\n')[0], /^# table: memory begins empty/);
  t.equal(memory.out.split('\n').length, 4);
});

t.test('plan: the sync daemon, in the words of ipvsadm', async (t) => {
  const router = 'vrrp: { outside: { interface: eth0, id: 51, addresses: [192.0.2.1/32] } }';
  const path = file(t, `${CONFIG}${router}\nsync: { interface: eth1 }\n`);
  const its = await tableOf(...add(WEB, dest('192.0.2.2'), dest('192.0.2.3', { weight: 3 })));
  const start = 'ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 51';
  const settings = '--mcast-group 224.0.0.81 --mcast-port 8848 --mcast-ttl 1';
  const { out } = await cli(['plan', '-c', path], { openKernelTable: lend(its) });
  t.equal(out, `${start} ${settings}  # sync: follows outside, which begins as backup`);
  const json = await cli(['plan', '-c', path, '--json'], { openKernelTable: lend(its) });
  t.match(JSON.parse(json.out), {
    changes: [],
    sync: [{ operation: 'start-sync-daemon', command: `${start} ${settings}` }],
  });
  t.same(await its.syncDaemons(), [], 'and nothing was started');
  await its.startSyncDaemon(syncDaemon('master'));
  const adopted = await cli(['plan', '-c', path], { openKernelTable: lend(its) });
  t.match(adopted.out, /^# no changes/, 'a master that runs may be taken over');
  const fixed = file(t, `${CONFIG}sync: { interface: eth1, id: 51, role: backup }\n`);
  const both = await cli(['plan', '-c', fixed], { openKernelTable: lend(its) });
  t.match(both.out, /^ipvsadm --start-daemon backup .*its role is fixed\nipvsadm --stop-daemon master {2}#/);
});

t.test('plan: time-outs of connections, those alone that are not as they should be', async (t) => {
  const its = await tableOf(...add(WEB, dest('192.0.2.2'), dest('192.0.2.3', { weight: 3 })));
  const path = file(t, `${CONFIG}timeouts: { tcp: 15m, udp: 60s }\n`);
  const { out } = await cli(['plan', '-c', path], { openKernelTable: lend(its) });
  t.equal(out, 'ipvsadm --set 0 0 60  # timeouts: udp 60s', 'the kernel has 15 minutes for TCP already');
  const json = await cli(['plan', '-c', path, '--json'], { openKernelTable: lend(its) });
  t.match(JSON.parse(json.out), { timeouts: { set: { udp: 60 }, command: 'ipvsadm --set 0 0 60' } });
  t.equal((await its.timeouts()).udp, 300, 'and nothing was set');
  await its.setTimeouts({ udp: 60 });
  const right = await cli(['plan', '-c', path], { openKernelTable: lend(its) });
  t.equal(right.out, '# no changes: the table is as the configuration wants it');
});

t.test('plan: a service of several addresses is planned address by address', async (t) => {
  const path = file(t, 'services:\n  web: { addresses: [192.0.2.8-9:80], servers: [192.0.2.2] }\n');
  const { out } = await cli(['plan', '-c', path], { openKernelTable: lend(await tableOf()) });
  t.same(
    out.split('\n').map((line) => line.slice(0, line.indexOf('  #'))),
    ['8', '9'].flatMap((last) => [
      `ipvsadm -A -t 192.0.2.${last}:80 -s wlc`,
      `ipvsadm -a -t 192.0.2.${last}:80 -r 192.0.2.2:80 -g -w 1`,
    ]),
  );
});

t.test('plan: a wrong configuration is exit code 3, a kernel without IPVS 1; each says why', async (t) => {
  t.match(await cli(['plan', '-c', file(t, 'services: 5')]), { code: 3, out: '', err: /lvsentry\.yaml:1:/ });
  const absent = new LvsError('IPVS_ABSENT', 'this kernel has no IPVS: load it with `modprobe ip_vs`');
  t.same(await cli(['plan', '-c', file(t, CONFIG)], { openKernelTable: () => Promise.reject(absent) }), {
    code: 1,
    out: '',
    err: 'lvsentry: this kernel has no IPVS: load it with `modprobe ip_vs`',
  });
});

t.test('table: the sync daemons stand below it, and in the JSON', async (t) => {
  const its = await tableOf();
  await its.startSyncDaemon(syncDaemon('backup'));
  const { out } = await cli(['table'], { openKernelTable: lend(its) });
  t.same(out.split('\n'), [
    'the table is empty',
    'sync daemon: backup on eth1, id 51, group 224.0.0.81 port 8848',
  ]);
  const json = await cli(['table', '--json'], { openKernelTable: lend(its) });
  t.match(JSON.parse(json.out), { syncDaemons: [{ role: 'backup', interface: 'eth1', maxLength: 1472 }] });
  const save = await cli(['table', '--save'], { openKernelTable: lend(its) });
  t.equal(save.out, '', 'ipvsadm -Sn does not print them');
});

t.test('table: connections, a line each; what is none is named and left out', async (t) => {
  const heading = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData';
  const connectionsFile = file(
    t,
    [
      heading,
      'TCP C0A80101 8A3C C0A802FE 0050 C0A80202 1F90 ESTABLISHED     899',
      'nonsense',
      'UDP C0A80101 0000 C0A802FE 13C4 C0A80202 13C4 UDP               9 sip a84b4c76',
      '',
    ].join('\n'),
  );
  const listed = await cli(['table', '--connections'], { connectionsFile });
  t.same(listed, {
    code: 0,
    out: [
      'PROTOCOL  STATE        EXPIRES  CLIENT                 SERVICE                SERVER',
      'TCP       ESTABLISHED    14:59  192.168.1.1:35388      192.168.2.254:80       192.168.2.2:8080',
      'UDP       UDP             0:09  192.168.1.1:0          192.168.2.254:5060     192.168.2.2:5060       sip a84b4c76',
    ].join('\n'),
    err: 'lvsentry: not understood, and left out: nonsense',
  });
  const json = await cli(['table', '--connections', '--json'], { connectionsFile });
  t.same(
    json.out.split('\n').map((line) => (JSON.parse(line) as { engine: unknown }).engine),
    [null, 'sip a84b4c76'],
  );
  const absent = await cli(['table', '--connections']);
  t.match(absent, {
    code: 1,
    out: '',
    err: /\/nonexistent\/ip_vs_conn cannot be read, is ip_vs loaded\? ENOENT/,
  });
  t.equal((await cli(['table', '--connections', '--stats'])).code, 2);
});

t.test('table: services and servers in columns', async (t) => {
  const fancy = service(
    { kind: 'fwmark', family: 'ipv6', mark: 9 },
    {
      scheduler: 'sh',
      schedulerFlags: { flag1: true, flag2: false, flag3: false },
      persistence: { timeoutSeconds: 300, prefix: 64 },
      onePacket: true,
      persistenceEngine: 'sip',
    },
  );
  const its = await tableOf(
    ...add(
      WEB,
      dest('192.0.2.2', { upperThreshold: 100, lowerThreshold: 50 }),
      dest('192.0.2.3', { weight: 0 }),
    ),
    ...add(
      fancy,
      dest('2001:db8::2', { forward: { method: 'tunnel', type: 'gue', port: 6080, checksum: 'checksum' } }),
    ),
  );
  its.countTraffic(key(), dest('192.0.2.2').key, {
    active: 3,
    inactive: 12,
    persistent: 0,
    stats: COUNTED,
  });
  const { out } = await cli(['table'], { openKernelTable: lend(its) });
  t.same(out.split('\n'), [
    'SERVICE / SERVER    SCHEDULER / FORWARD                                  WEIGHT  ACTIVE  INACTIVE',
    'tcp 192.0.2.1:80    wlc',
    '  192.0.2.2:80      direct limits 50-100                                      1       3        12',
    '  192.0.2.3:80      direct                                                    0       0         0',
    'fwmark 9 ipv6       sh sh-fallback persistent 300s/64 by sip one-packet',
    '  [2001:db8::2]:80  tunnel gue:6080 checksum                                  1       0         0',
  ]);
});

t.test('table: counters, rates, JSON, and what ipvsadm prints', async (t) => {
  const its = await tableOf(...add(WEB, dest('192.0.2.2', { upperThreshold: 7 })));
  its.countTraffic(key(), dest('192.0.2.2').key, { active: 0, inactive: 0, persistent: 0, stats: COUNTED });
  const openKernelTable = lend(its);
  const stats = await cli(['table', '--stats'], { openKernelTable });
  t.match(stats.out.split('\n')[0], /CONNECTIONS +PACKETS IN +PACKETS OUT +BYTES IN +BYTES OUT$/);
  t.match(
    stats.out.split('\n')[2],
    /^ {2}192\.0\.2\.2:80 +direct limits 0-7 +15 +0 +0 +0 +1152921504606846976$/,
  );
  const rate = await cli(['table', '--rate'], { openKernelTable });
  t.match(rate.out.split('\n')[0], /CONNECTIONS\/S +PACKETS IN\/S/);
  const json = await cli(['table', '--json'], { openKernelTable });
  t.match(JSON.parse(json.out), {
    version: '1.2.1',
    services: [
      {
        service: 'tcp 192.0.2.1:80',
        scheduler: 'wlc',
        persistence: null,
        stats: { connections: 15, bytesOut: 2 ** 60 },
        servers: [
          {
            address: '192.0.2.2',
            port: 80,
            forward: { method: 'direct' },
            weight: 1,
            upperThreshold: 7,
            active: 0,
          },
        ],
      },
    ],
  });
  t.same(await cli(['table', '--save'], { openKernelTable }), {
    code: 0,
    out: '-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1',
    err: 'lvsentry: not in what ipvsadm can read: tcp 192.0.2.1:80 -> 192.0.2.2:80: the connection thresholds are left out',
  });
});

t.test('table: an empty one says so, and its save is empty; the table is closed after each', async (t) => {
  let closed = 0;
  const openKernelTable = lend(new MemoryTable(), () => {
    closed += 1;
  });
  t.same(await cli(['table'], { openKernelTable }), { code: 0, out: 'the table is empty', err: '' });
  t.same(await cli(['table', '--save'], { openKernelTable }), { code: 0, out: '', err: '' });
  t.equal(closed, 2);
});

t.test('run hands path and level over, and gives back the exit code', async (t) => {
  const calls: unknown[] = [];
  const runDaemon = (path: string, level: string): Promise<number> => {
    calls.push([path, level]);
    return Promise.resolve(3);
  };
  t.equal((await cli(['run', '-c', '/etc/x'], { runDaemon })).code, 3);
  t.equal((await cli(['run', '--config', 'y', '--log-level', 'debug'], { runDaemon })).code, 3);
  t.same(calls, [
    ['/etc/x', 'info'],
    ['y', 'debug'],
  ]);
});

t.test('errors become exit codes; only a defect shows its stack', async (t) => {
  const failing = (thrown: unknown) => ({ openKernelTable: () => Promise.reject(thrown) });
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [new LvsError('PERMISSION', 'not permitted: run as root'), 1, /^lvsentry: not permitted: run as root$/],
    [new LvsError('NATIVE', 'missing'), 1, /^lvsentry: missing$/],
    [new LvsError('CONFIG', 'wrong'), 3, /^lvsentry: wrong$/],
    [new LvsError('API', 'gone'), 4, /^lvsentry: gone$/],
    [new LvsError('INTERNAL', 'broken'), 1, /^lvsentry: a defect: .*broken\n +at /],
    [new TypeError('x is not a function'), 1, /^lvsentry: a defect: TypeError: x is not a function\n +at /],
    ['a text', 1, /^lvsentry: a defect: a text$/],
  ];
  for (const [thrown, code, err] of cases)
    t.match(await cli(['table'], failing(thrown)), { code, out: '', err });
});
