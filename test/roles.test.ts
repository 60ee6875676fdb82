import t from 'tap';
import { millis } from '../src/core/units.js';
import {
  blindHappening,
  hookHappening,
  noticeHappening,
  RoleFollower,
  roleHappening,
  trackHappening,
} from '../src/roles.js';
import { faultText } from '../src/vrrp/fault.js';
import type { Fault, Observation, Role, RoleCause } from '../src/vrrp/model.js';
import type { RouterConfig } from '../src/vrrp/status.js';
import type { World } from '../src/world.js';
import { world } from './api/build.js';
import { config } from './vrrp/build.js';

const change = (to: Role, cause: RoleCause, faults: readonly Fault[] = []) =>
  roleHappening({ instance: 'outside', from: 'backup', to, cause, priority: 150, faults });

t.test('a change of role is an event that says why', async (t) => {
  t.same(
    [change('master', 'master-silent'), change('backup', 'higher-priority')].map((event) => [
      event?.kind,
      event?.message,
    ]),
    [
      ['became-master', 'outside is master with priority 150: no master was heard'],
      ['became-backup', 'outside is backup with priority 150: a director of higher priority is master'],
    ],
  );
  t.match(change('fault', 'fault', [{ kind: 'link-down', name: 'eth0' }]), {
    kind: 'fault',
    message: 'outside cannot take part: eth0 is down, or has no carrier',
  });
  t.equal(change('initialize', 'shutdown'), undefined, 'the end is told by the daemon');
});

const FAULTS: readonly (readonly [Fault, string])[] = [
  [{ kind: 'no-interface', name: 'eth7' }, 'there is no interface eth7'],
  [{ kind: 'link-down', name: 'eth0' }, 'eth0 is down, or has no carrier'],
  [
    { kind: 'no-address', name: 'eth0 ipv4' },
    'eth0 has no IPv4 address of its own to send from (only priority 255 sends from a virtual IP)',
  ],
  [
    { kind: 'no-address', name: 'eth0 ipv6' },
    'eth0 has no link-local IPv6 address of its own to send from (only priority 255 sends from a virtual IP)',
  ],
  [
    { kind: 'no-source', name: '10.9.0.77' },
    '10.9.0.77, the source of its adverts, is no address of this machine',
  ],
  [{ kind: 'tracked', name: 'interface eth1' }, 'what it tracks failed: interface eth1'],
  [{ kind: 'group', name: 'inside' }, 'inside of its sync group cannot take part'],
  [{ kind: 'addresses', name: '10.0.0.100' }, 'its virtual IPs cannot be set: 10.0.0.100'],
  [{ kind: 'sockets', name: 'no socket for VRRP on eth0' }, 'no socket for VRRP on eth0'],
];

t.test('every fault is told in words', async (t) => {
  for (const [fault, text] of FAULTS) t.equal(faultText(fault), text);
  const list = FAULTS.slice(0, 2).map(([fault]) => fault);
  t.equal(
    change('fault', 'fault', list)?.message,
    'outside cannot take part: there is no interface eth7; eth0 is down, or has no carrier',
  );
});

t.test('what the thread notices is an event of its kind', async (t) => {
  const kinds = (['put-back', 'refused', 'report', 'trouble'] as const).map(
    (what) => noticeHappening({ instance: 'outside', level: 'warn', what, message: 'm' }).kind,
  );
  t.same(kinds, ['vip-restored', 'vip-refused', 'vrrp-trouble', 'vrrp-trouble']);
  const ofThread = noticeHappening({ instance: undefined, level: 'warn', what: 'trouble', message: 'm' });
  t.equal(ofThread.message, 'm');
});

t.test('what is tracked is told when it changes, and at first where it is not as it should be', async (t) => {
  const rows: readonly (readonly [Observation, Observation | undefined, string | undefined])[] = [
    [{ kind: 'up' }, undefined, undefined],
    [{ kind: 'down' }, undefined, 'script uplink is down: because'],
    [{ kind: 'up' }, { kind: 'down' }, 'script uplink is up: because'],
    [{ kind: 'number', value: 0 }, undefined, undefined],
    [{ kind: 'number', value: 3 }, undefined, 'script uplink holds 3: because'],
    [{ kind: 'number', value: 0 }, { kind: 'number', value: 3 }, 'script uplink holds 0: because'],
  ];
  for (const [seen, before, message] of rows) {
    const told = trackHappening({ what: 'script uplink', seen, before, why: 'because' });
    t.equal(told?.message, message, `${JSON.stringify(before)} to ${JSON.stringify(seen)}`);
    if (told !== undefined) t.match(told, { kind: 'track-changed', facts: { what: 'script uplink', seen } });
  }
  t.match(blindHappening('file x', 'it is a folder'), {
    kind: 'vrrp-trouble',
    message: 'file x cannot be looked at, what was seen of it last holds: it is a folder',
  });
});

t.test('what went wrong with a hook is an event of its instance', async (t) => {
  t.same(hookHappening('/hook for outside MASTER ended with exit code 1', 'outside'), {
    kind: 'hook-failed',
    message: 'a change of role was not told: /hook for outside MASTER ended with exit code 1',
    facts: { instance: 'outside' },
  });
});

/** Writes down what it is told. */
class Told {
  readonly said: string[] = [];
  configure = (routers: readonly RouterConfig[]): void => void this.said.push(`configure ${routers.length}`);
  observe = (what: string, seen: Observation): void => void this.said.push(`${what} ${JSON.stringify(seen)}`);
  ready = (): void => void this.said.push('ready');
}

function tracking(services: string): RouterConfig {
  return {
    instance: config({ rule: { ...config().rule, interval: millis(1000) } }),
    addresses: [],
    routes: [],
    rules: [],
    virtualLink: undefined,
    keys: new Map(),
    group: undefined,
    tracks: [{ kind: 'services', name: services, penalty: 50, minimum: 0 }],
    debounce: { down: millis(0), up: millis(0) },
  };
}

function worldWith(vrrp: readonly RouterConfig[], down: number, unknown = 0): World {
  const base = world();
  const health = new Map(
    [...base.health].map(([id, each], index) => {
      const held = index < down ? 'down' : index < down + unknown ? undefined : 'up';
      return [id, { ...each, held }] as const;
    }),
  );
  return { ...base, config: { ...base.config, vrrp }, health };
}

t.test(
  'the thread hears of services before it is configured, and that the verdicts are in after it',
  async (t) => {
    const told = new Told();
    new RoleFollower(told, () => true).configure(worldWith([tracking('web')], 1));
    t.same(told.said, [
      'services web {"kind":"share","up":1,"total":2}',
      'configure 1',
      'services web {"kind":"share","up":1,"total":2}',
      'ready',
    ]);
  },
);

t.test('a server without a verdict counts as up, and keeps the director from being ready', async (t) => {
  const told = new Told();
  const follower = new RoleFollower(told, () => true);
  follower.configure(worldWith([tracking('web')], 0, 1));
  t.match(told.said.at(-1), /"up":2,"total":2/);
  t.notOk(told.said.includes('ready'));
  follower.follow(() => worldWith([tracking('web')], 1, 0));
  t.equal(told.said.at(-1), 'ready');
  follower.follow(() => worldWith([tracking('web')], 1, 0));
  t.equal(told.said.filter((word) => word === 'ready').length, 1, 'it is said once');
});

t.test('what is tracked and was not looked at yet keeps the director from being ready', async (t) => {
  const told = new Told();
  let hasLooked = false;
  const follower = new RoleFollower(told, () => hasLooked);
  follower.configure(worldWith([tracking('web')], 0));
  t.notOk(told.said.includes('ready'));
  hasLooked = true;
  follower.follow(() => worldWith([tracking('web')], 0));
  t.equal(told.said.at(-1), 'ready');
});

t.test(
  'this end of the synchronisation: what is seen of it holds until the daemon has its new role',
  async (t) => {
    const router: RouterConfig = {
      ...tracking('web'),
      tracks: [{ kind: 'sync-peer', name: 'eth1', weight: -30, reverse: false }],
    };
    const told = new Told();
    const follower = new RoleFollower(told, () => true);
    const state = { wanted: [], seen: [], inSync: false, lastError: undefined, repaired: 0, left: [] };
    follower.configure(worldWith([router], 0));
    told.said.length = 0;
    const follow = (sync: World['sync']): void =>
      follower.follow(() => ({ ...worldWith([router], 0), sync }));
    follow(undefined);
    follow(state);
    t.same(told.said, [], 'nothing is known yet');
    follow({ ...state, inSync: true });
    follow(state);
    follow({ ...state, lastError: 'ENODEV' });
    const both = ['sync-peer eth1 {"kind":"up"}', 'sync-peer eth1 {"kind":"down"}'];
    t.same(told.said, both);
    const left = { role: 'backup', difference: 'backup did not run' } as const;
    follow({ ...state, inSync: true, left: [{ ...left, policy: 'accept' }] });
    follow({ ...state, left: [{ ...left, policy: 'report' }] });
    t.same(told.said, [...both, ...both], 'what was accepted is right; what is only left so is not');
  },
);

t.test('without virtual routers nothing is watched', async (t) => {
  const told = new Told();
  const follower = new RoleFollower(told, () => true);
  follower.follow(() => worldWith([], 0));
  t.same(told.said, []);
});
