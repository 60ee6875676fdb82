/** Virtual routers as their thread tells of them, in a world. */
import { ip } from '../../src/core/ip.js';
import { epochMillis, micros } from '../../src/core/units.js';
import type { RouterStatus, VrrpDigest } from '../../src/vrrp/status.js';
import type { World } from '../../src/world.js';
import { router } from '../vrrp/director.js';
import { CONFIG, NOW, world } from './build.js';

export const LATE = { count: 3, p50: micros(10), p99: micros(200), max: micros(300) };

export function seen(changes: Partial<RouterStatus> = {}): RouterStatus {
  return {
    name: 'outside',
    role: 'backup',
    since: epochMillis(NOW - 5000),
    cause: 'startup',
    source: ip('10.0.0.2'),
    faults: [],
    priority: { base: 100, total: 100, effective: 100, contributions: [], faults: [], settled: true },
    heard: undefined,
    squatters: [],
    counters: {
      sent: 1,
      sendErrors: 2,
      received: 3,
      becameMaster: 4,
      putBack: 5,
      announced: 6,
      mirrored: 0,
      discarded: { hops: 7 },
      odd: { 'other-addresses': 8 },
    },
    lateness: LATE,
    ...changes,
  };
}

export function worldOf(routers: readonly RouterStatus[], changes: Partial<VrrpDigest> = {}): World {
  const config = { ...CONFIG, vrrp: [router(), router({ name: 'inside', vrid: 21 })] };
  const vrrp = { at: NOW, routers, loop: LATE, strangers: 9, unreadable: 10, ...changes };
  return world({ config, vrrp });
}
