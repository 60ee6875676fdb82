/** `lvsentry vrrp`: what moves the priority, in words. */
import t from 'tap';
import { vrrpStatus } from '../../src/api/vrrp.js';
import { vrrpLines } from '../../src/cli/vrrp.js';
import { epochMillis, micros, millis } from '../../src/core/units.js';
import type { Observation, Track } from '../../src/vrrp/model.js';
import { effectivePriority } from '../../src/vrrp/priority.js';
import type { RouterConfig, RouterStatus } from '../../src/vrrp/status.js';
import { CONFIG, NOW, world } from '../api/build.js';
import { config, SELF } from '../vrrp/build.js';

const LATENESS = { count: 0, p50: micros(0), p99: micros(0), max: micros(0) };

/** What is tracked, what was seen of it, and the line that shows it. */
const ROWS: readonly (readonly [Track, Observation, string])[] = [
  [
    { kind: 'script', name: 'uplink', weight: -20, reverse: false },
    { kind: 'down' },
    'script uplink (down): -20',
  ],
  [{ kind: 'script', name: 'quick', weight: -20, reverse: false }, { kind: 'up' }, 'script quick (up): 0'],
  [
    { kind: 'script', name: 'new', weight: 'fault', reverse: false },
    { kind: 'unknown' },
    'script new (unknown): 0',
  ],
  [
    { kind: 'file', name: 'handicap', weight: -2, reverse: false },
    { kind: 'number', value: 5 },
    'file handicap (5): -10',
  ],
  [{ kind: 'process', name: 'bird', weight: 7, reverse: false }, { kind: 'up' }, 'process bird (up): +7'],
  [
    { kind: 'process', name: 'exabgp', weight: 'fault', reverse: false },
    { kind: 'down' },
    'process exabgp (down): fault',
  ],
  [
    { kind: 'services', name: 'web', penalty: 50, minimum: 0 },
    { kind: 'share', up: 1, total: 2 },
    'services web (1 of 2 up): -25',
  ],
];

t.test('every contribution is shown with what was seen and what it does', async (t) => {
  const tracks = ROWS.map(([track]) => track);
  const debounce = { down: millis(0), up: millis(0) };
  const rest = {
    addresses: [],
    routes: [],
    rules: [],
    virtualLink: undefined,
    keys: new Map(),
    group: undefined,
  };
  const router: RouterConfig = { instance: config(), tracks, debounce, ...rest };
  const priority = effectivePriority(
    100,
    ROWS.map(([track, seen]) => ({ track, seen })),
  );
  const status: RouterStatus = {
    name: router.instance.name,
    role: 'fault',
    since: epochMillis(NOW - 5000),
    cause: 'fault',
    source: SELF,
    faults: priority.faults,
    priority,
    heard: undefined,
    squatters: [],
    counters: {
      sent: 0,
      sendErrors: 0,
      received: 0,
      becameMaster: 0,
      putBack: 0,
      announced: 0,
      mirrored: 0,
      odd: {},
      discarded: {},
    },
    lateness: LATENESS,
  };
  const digest = { at: NOW, routers: [status], loop: LATENESS, strangers: 0, unreadable: 0 };
  const lines = vrrpLines(vrrpStatus(world({ config: { ...CONFIG, vrrp: [router] }, vrrp: digest })), NOW);
  t.match(lines[1], /^outside +eth0 20 +fault +5s +52 \(of 100\)/);
  const shown = lines.filter((line) =>
    ROWS.some(([track]) => line.startsWith(`  ${track.kind} ${track.name} `)),
  );
  t.same(
    shown,
    ROWS.map(([, , line]) => `  ${line}`),
  );
  t.ok(lines.includes('  fault: what it tracks failed: process exabgp'));
});
