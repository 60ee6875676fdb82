import t from 'tap';
import { vrrpStatus } from '../../src/api/vrrp.js';
import { ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import type { Contribution } from '../../src/vrrp/model.js';
import { router } from '../vrrp/director.js';
import { CONFIG, NOW, START, world } from './build.js';
import { LATE, seen, worldOf } from './routers.js';

t.test('a router as configured and as its thread says', async (t) => {
  const [outside] = vrrpStatus(worldOf([seen()])).routers;
  t.same(outside, {
    name: 'outside',
    interface: 'eth0',
    id: 20,
    family: 'ipv4',
    version: 3,
    base: 100,
    role: 'backup',
    since: new Date(NOW - 5000).toISOString(),
    cause: 'startup',
    priority: 100,
    contributions: [],
    faults: [],
    master: null,
    addresses: ['10.0.0.100/24'],
    squatters: [],
    sent: 1,
    sendErrors: 2,
    received: 3,
    becameMaster: 4,
    putBack: 5,
    announced: 6,
    mirrored: 0,
    discarded: { hops: 7 },
    odd: { 'other-addresses': 8 },
    lateness: LATE,
  });
});

t.test('before its thread has spoken of it, it is in initialize and all counts are 0', async (t) => {
  const status = vrrpStatus(worldOf([seen()]));
  t.match(status, { running: true, strangers: 9, unreadable: 10, loop: LATE });
  t.match(status.routers[1], {
    name: 'inside',
    role: 'initialize',
    since: null,
    cause: null,
    priority: 100,
    master: null,
    sent: 0,
    discarded: {},
    odd: {},
    lateness: { count: 0 },
  });
  const silent = vrrpStatus(world({ config: { ...CONFIG, vrrp: [router()] } }));
  t.match(silent, { running: false, strangers: 0, routers: [{ role: 'initialize' }] });
  t.equal(vrrpStatus(worldOf([])).running, false, 'a thread that died runs no router');
});

t.test('who is master: we, whom we heard, or nobody knows', async (t) => {
  const rival = { source: ip('10.0.0.3'), priority: 200, interval: millis(1000), heardAt: millis(0) };
  for (const [changes, master] of [
    [{ role: 'master' }, '10.0.0.2'],
    [{ role: 'master', source: undefined }, null],
    [{ role: 'backup', heard: rival }, '10.0.0.3'],
    [{ role: 'backup', heard: { ...rival, priority: 0 } }, null],
    [{ role: 'fault', heard: rival }, null],
    [{ role: 'initialize', heard: rival }, null],
  ] as const)
    t.equal(vrrpStatus(worldOf([seen(changes)])).routers[0]?.master, master, JSON.stringify(changes));
});

t.test('every contribution to the priority is named, with how its object is', async (t) => {
  const contributions: Contribution[] = [
    {
      track: { kind: 'interface', name: 'eth1', weight: -30, reverse: false },
      seen: { kind: 'down' },
      points: -30,
      fault: false,
    },
    {
      track: { kind: 'services', name: 'web', penalty: 50, minimum: 3 },
      seen: { kind: 'share', up: 2, total: 9 },
      points: -39,
      fault: true,
    },
  ];
  const priority = { base: 100, total: 31, effective: 31, contributions, faults: [], settled: true };
  const faults = [{ kind: 'tracked', name: 'services web' }] as const;
  t.match(vrrpStatus(worldOf([seen({ priority, faults })])).routers[0], {
    priority: 31,
    base: 100,
    faults: ['what it tracks failed: services web'],
    contributions: [
      { of: 'interface eth1 (down)', points: -30, fault: false },
      { of: 'services web (2 of 9 up)', points: -39, fault: true },
    ],
  });
});

t.test('times are those of the world, not of the reader', async (t) => {
  t.equal(vrrpStatus(worldOf([seen({ since: START })])).routers[0]?.since, new Date(START).toISOString());
});
