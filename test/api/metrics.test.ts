import { readFileSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { sampleText } from '../../src/api/metric.js';
import { METRICS, MetricsText, metricsPieces } from '../../src/api/metrics.js';
import { buildApi } from '../../src/api/server.js';
import type { ServiceConfig } from '../../src/config/model.js';
import type { World } from '../../src/world.js';
import { config, dest, key, service, serviceConfig, syncDaemon } from '../ipvs/build.js';
import { busy, down, NOW, STRETCHED, source, UNKNOWN, up, world } from './build.js';
import { seen, worldOf } from './routers.js';

const DOCUMENT = new URL('../../../docs/metrics.md', import.meta.url);

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

const UNESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\"': '"' };

/** Reads the format as its documentation has it, and nothing that it has not. @throws where it is broken */
function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  let family: string | undefined;
  const seen = new Set<string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const head = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (head !== null) {
      const [, what, name = '', rest] = head;
      if (what === 'HELP' && seen.has(name)) throw new Error(`${name} comes twice`);
      if (what === 'TYPE' && (family !== name || !/^(gauge|counter)$/.test(rest ?? '')))
        throw new Error(`a wrong type: ${line}`);
      family = name;
      seen.add(name);
      continue;
    }
    const match = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)+)\})? (-?\d+(?:\.\d+)?)$/.exec(
      line,
    );
    if (match === null || match[1] !== family) throw new Error(`no sample of ${family}: ${line}`);
    const labels = [...(match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, name = '', value = '']) => [name, value.replace(/\\[\\n"]/g, (code) => UNESCAPED[code] ?? code)],
    );
    samples.push({
      name: match[1] ?? '',
      labels: Object.fromEntries(labels) as Record<string, string>,
      value: match[3] ?? '',
    });
  }
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  return samples;
}

const textOf = (its: World): string => [...metricsPieces(its)].join('');
const samplesOf = (its: World): Sample[] => parse(textOf(its));

function valuesOf(its: World, name: string): string[] {
  return samplesOf(its)
    .filter((sample) => sample.name === name)
    .map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`.trim());
}

const RICH = world({
  observed: busy(world().observed ?? new Map()),
  health: new Map([
    ['web/192.0.2.11:80', up()],
    ['web/192.0.2.12:80', down()],
    ['ftp/192.0.2.13:21', UNKNOWN],
  ]),
  admin: new Map([
    [
      'web/192.0.2.11:80',
      {
        effective: {
          source: 'operator',
          state: 'draining',
          weight: undefined,
          since: NOW,
          deadline: undefined,
          finish: 'drained',
          by: 'operator',
          reason: undefined,
        },
        entries: [],
        drain: undefined,
      },
    ],
  ]),
  sync: {
    wanted: [syncDaemon('backup')],
    seen: [],
    inSync: true,
    lastError: undefined,
    repaired: 0,
    left: [],
  },
});

t.test('what a world holds, metric by metric', async (t) => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['lvsentry_table_in_sync', ['1']],
    ['lvsentry_table_drift_total', ['2']],
    ['lvsentry_table_operations_applied_total', ['5']],
    ['lvsentry_table_operations_failed_total', ['1']],
    ['lvsentry_start_time_seconds', ['1700000000']],
    ['lvsentry_sync_in_sync', ['1']],
    ['lvsentry_worker_probes_total', ['0 100']],
    ['lvsentry_service_in_table', ['web 1', 'ftp 1']],
    [
      'lvsentry_service_servers',
      ['web up 1', 'web down 1', 'web unknown 0', 'ftp up 0', 'ftp down 0', 'ftp unknown 1'],
    ],
    ['lvsentry_service_active_connections', ['web 7', 'ftp 0']],
    ['lvsentry_service_bytes_in_total', ['web 1152921504606846977', 'ftp 0']],
    ['lvsentry_server_up', ['web 192.0.2.11:80 1', 'web 192.0.2.12:80 0']],
    ['lvsentry_server_weight', ['web 192.0.2.11:80 1', 'web 192.0.2.12:80 5', 'ftp 192.0.2.13:21 1']],
    ['lvsentry_server_admin', ['web 192.0.2.11:80 draining 1']],
    [
      'lvsentry_server_connections_total',
      ['web 192.0.2.11:80 15', 'web 192.0.2.12:80 0', 'ftp 192.0.2.13:21 0'],
    ],
    [
      'lvsentry_server_persistent_connections',
      ['web 192.0.2.11:80 2', 'web 192.0.2.12:80 0', 'ftp 192.0.2.13:21 0'],
    ],
  ];
  for (const [name, values] of rows) t.same(valuesOf(RICH, name), values, name);
});

t.test('what is held and why, drains, windows, most servers failing, and who was refused', async (t) => {
  const held = (rail: 'minimum-healthy' | 'mass-failure') => ({ kind: 'held', rail, limit: 1 }) as const;
  const standing = { quorum: 'met', weight: 6, needed: 1, serving: 2, minimum: 2, tier: undefined } as const;
  const left = { active: 2, inactive: 3, persistent: 4 };
  const admin = RICH.admin.get('web/192.0.2.11:80');
  if (admin === undefined) throw new Error('the world is another one');
  const its = {
    ...RICH,
    admin: new Map([['web/192.0.2.11:80', { ...admin, drain: { left, told: 9, toldAt: 0 as never } }]]),
    standings: new Map([
      [
        'web',
        {
          ...standing,
          servers: new Map([
            ['web/192.0.2.11:80', held('minimum-healthy')],
            ['web/192.0.2.12:80', held('mass-failure')],
          ]),
        },
      ],
      ['ftp', { ...standing, minimum: undefined, tier: 1, servers: new Map() }],
    ]),
    mass: {
      rule: { percent: 50, minimum: 2, within: 0, action: 'hold', limit: undefined, canaries: [] },
      isActive: true,
      failing: 5,
      of: 6,
      canaries: [],
      count: 3,
    },
    maintenance: [
      { window: { name: 'disks' }, current: { from: NOW, until: NOW }, next: undefined },
      { window: { name: 'later' }, current: undefined, next: undefined },
    ],
    refused: { FORBIDDEN: 0, UNAUTHORIZED: 7 },
  } as unknown as World;
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [
      'lvsentry_service_held_servers',
      ['web', 'ftp'].flatMap((name) => [
        `${name} minimum-healthy ${name === 'web' ? 1 : 0}`,
        `${name} maximum-removals 0`,
        `${name} mass-failure ${name === 'web' ? 1 : 0}`,
      ]),
    ],
    ['lvsentry_service_serving_servers', ['web 2', 'ftp 2']],
    ['lvsentry_service_minimum_healthy', ['web 2']],
    ['lvsentry_service_fallback_tier', ['ftp 1']],
    ['lvsentry_server_drain_left', ['web 192.0.2.11:80 9']],
    ['lvsentry_admin_servers', ['enabled 0', 'draining 1', 'drained 0', 'disabled 0']],
    ['lvsentry_maintenance_active', ['disks 1', 'later 0']],
    ['lvsentry_mass_failure_active', ['1']],
    ['lvsentry_mass_failure_failing_addresses', ['5']],
    ['lvsentry_mass_failures_total', ['3']],
    ['lvsentry_api_requests_refused_total', ['FORBIDDEN 0', 'UNAUTHORIZED 7']],
  ];
  for (const [name, values] of rows) t.same(valuesOf(its, name), values, name);
  t.same(valuesOf(RICH, 'lvsentry_mass_failure_active'), [], 'nothing is configured for it');
});

t.test('a request that is refused is counted by its code', async (t) => {
  const its = source();
  const app = buildApi(its);
  t.teardown(() => app.close());
  await app.inject({ method: 'POST', url: '/v1/reload', headers: { host: 'localhost' } });
  await app.inject({ url: '/v1/status', headers: { host: 'www.example.org' } });
  await app.inject({ url: '/v1/status', headers: { host: 'localhost' } });
  t.same(valuesOf(its.current, 'lvsentry_api_requests_refused_total'), ['FORBIDDEN 1', 'UNAUTHORIZED 1']);
});

t.test('virtual routers: role, priority and counters, each reason by its own label', async (t) => {
  const its = worldOf([seen({ role: 'master' }), seen({ name: 'inside', role: 'fault' })]);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['lvsentry_vrrp_master', ['outside 1', 'inside 0']],
    ['lvsentry_vrrp_fault', ['outside 0', 'inside 1']],
    ['lvsentry_vrrp_priority', ['outside 100', 'inside 100']],
    ['lvsentry_vrrp_became_master_total', ['outside 4', 'inside 4']],
    ['lvsentry_vrrp_adverts_sent_total', ['outside 1', 'inside 1']],
    ['lvsentry_vrrp_send_errors_total', ['outside 2', 'inside 2']],
    ['lvsentry_vrrp_adverts_received_total', ['outside 3', 'inside 3']],
    ['lvsentry_vrrp_adverts_discarded_total', ['outside hops 7', 'inside hops 7']],
    ['lvsentry_vrrp_put_back_total', ['outside 5', 'inside 5']],
  ];
  for (const [name, values] of rows) t.same(valuesOf(its, name), values, name);
});

t.test('what is not known has no sample, and no wrong one', async (t) => {
  const bare = world({ observed: undefined, workers: [], health: new Map() });
  t.same(valuesOf(bare, 'lvsentry_service_in_table'), ['web 0', 'ftp 0']);
  const none = [
    'lvsentry_server_up',
    'lvsentry_server_weight',
    'lvsentry_server_connections_total',
    'lvsentry_service_bytes_in_total',
    'lvsentry_worker_probes_total',
    'lvsentry_sync_in_sync',
    'lvsentry_timeouts_in_sync',
    'lvsentry_vrrp_master',
  ];
  for (const name of none) t.same(valuesOf(bare, name), [], name);
});

t.test('every metric says what it is, with the labels that it has', async (t) => {
  for (const { name, type, help } of METRICS) {
    t.match(name, /^lvsentry_[a-z_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', name);
    t.match(help, /\.$/);
  }
  t.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length, 'each once');
  for (const { name, labels } of samplesOf(RICH))
    t.same(Object.keys(labels), METRICS.find((metric) => metric.name === name)?.labels, name);
});

t.test('law: any label is read back as it was', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (one, two) => {
      const labels = [
        ['a', one],
        ['b', two],
      ] as const;
      const [sample] = parse(`# HELP x y\n# TYPE x gauge\n${sampleText('x', labels, 1)}`);
      return sample?.labels.a === one && sample.labels.b === two;
    }),
  );
});

t.test('the answer is plain text of version 0.0.4, and HEAD works', async (t) => {
  const app = buildApi(source(RICH));
  t.teardown(() => app.close());
  const answer = await app.inject({ url: '/metrics' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(answer.body, textOf(RICH));
  t.equal((await app.inject({ url: '/metrics', method: 'HEAD' })).statusCode, 200);
  t.equal((await app.inject({ url: '/metrics', method: 'POST' })).statusCode, 405);
});

/** Counts how often its metrics are written. */
function counted(its: World): { readonly world: World; readonly reads: () => number } {
  let reads = 0;
  const watched = {
    ...its,
    get startedAt() {
      reads += 1;
      return its.startedAt;
    },
  };
  return { world: watched, reads: () => reads };
}

t.test('the text of one version is written once, however many ask; a new version anew', async (t) => {
  const texts = new MetricsText();
  const first = counted(world());
  const [one, two] = await Promise.all([texts.of(first.world), texts.of(first.world)]);
  t.equal(one, two);
  await texts.of(first.world);
  t.equal(first.reads(), 1);
  const next = counted(world({ version: 8, stopping: true }));
  await texts.of(next.world);
  t.equal(next.reads(), 1);
});

t.test('who asks while it is written shares it, though the world moves on', async (t) => {
  const texts = new MetricsText();
  const early = texts.of(LARGE);
  const later = counted({ ...LARGE, version: 99 });
  t.equal(await texts.of(later.world), await early);
  t.equal(later.reads(), 0);
});

/** 10,000 servers. */
function largeConfig(): readonly ServiceConfig[] {
  return Array.from({ length: 100 }, (_, at) =>
    serviceConfig(
      `s${at}`,
      service(key(`10.0.${at}.1`)),
      Array.from({ length: 100 }, (_, index) => dest(`10.1.${at}.${index + 1}`)),
    ),
  );
}
const LARGE = world({ config: config(...largeConfig()) });

t.test('ten thousand servers are written in slices, and others get their turn in between', async (t) => {
  const pieces = [...metricsPieces(LARGE)].map((piece) => piece.split('\n').length);
  t.ok(Math.max(...pieces) < 1000, `no piece is long: ${Math.max(...pieces)} lines`);
  let turns = 0;
  let done = false;
  const text = new MetricsText().of(LARGE).finally(() => {
    done = true;
  });
  while (!done) {
    await nextTurn();
    turns += 1;
  }
  t.ok(turns > 10, `${turns} turns in between`);
  const lines = (await text).split('\n').filter((line) => line.startsWith('lvsentry_server_up{'));
  t.equal(lines.length, 10_000);
});

t.test('how much is probed, and what a budget makes of it', async (t) => {
  const its = world({ probing: STRETCHED });
  t.same(valuesOf(its, 'lvsentry_checks'), ['3']);
  t.same(valuesOf(its, 'lvsentry_checks_distinct'), ['2']);
  t.same(valuesOf(its, 'lvsentry_probes_wanted_per_second'), ['20']);
  t.same(valuesOf(its, 'lvsentry_probes_planned_per_second'), ['10']);
  t.same(valuesOf(its, 'lvsentry_probe_stretch'), ['2']);
  t.same(valuesOf(world({ probing: undefined }), 'lvsentry_checks'), [], 'before the probes are started');
});

t.test('docs/metrics.md has each metric, word for word (UPDATE=1 writes it)', async (t) => {
  const rows = METRICS.map(({ name, type, labels, help }) => {
    const listed = labels.length === 0 ? '' : `\`${labels.join('`, `')}\``;
    return `| \`${name}\` | ${type} | ${listed} | ${help} |\n`;
  }).join('');
  const document = readFileSync(DOCUMENT, 'utf8');
  const expected = document.replace(/(\|---\|---\|---\|---\|\n)(?:\|.*\n)*/, `$1${rows}`);
  if (process.env.UPDATE === '1') writeFileSync(DOCUMENT, expected);
  t.equal(document, expected);
});
