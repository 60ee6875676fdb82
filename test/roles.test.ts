import t from 'tap';
import { millis } from '../src/core/units.js';
import { noticeHappening, RoleFollower, roleHappening } from '../src/roles.js';
import type { Observation, Role, RoleCause } from '../src/vrrp/model.js';
import type { RouterConfig } from '../src/vrrp/status.js';
import type { World } from '../src/world.js';
import { world } from './api/build.js';
import { config } from './vrrp/build.js';

const change = (to: Role, cause: RoleCause, faults: { kind: 'link-down'; name: string }[] = []) =>
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
    message: 'outside cannot take part: link-down eth0',
  });
  t.equal(change('fault', 'fault')?.message, 'outside cannot take part: no address to send from');
  t.equal(change('initialize', 'shutdown'), undefined, 'the end is told by the daemon');
});

t.test('what the thread notices is an event of its kind', async (t) => {
  const kinds = (['put-back', 'refused', 'report', 'trouble'] as const).map(
    (what) => noticeHappening({ instance: 'outside', level: 'warn', what, message: 'm' }).kind,
  );
  t.same(kinds, ['vip-restored', 'vip-refused', 'vrrp-trouble', 'vrrp-trouble']);
  const ofThread = noticeHappening({ instance: undefined, level: 'warn', what: 'trouble', message: 'm' });
  t.equal(ofThread.message, 'm');
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
    keys: new Map(),
    group: undefined,
    tracks: [{ kind: 'services', name: services, penalty: 50, minimum: 0 }],
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
    new RoleFollower(told).configure(worldWith([tracking('web')], 1));
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
  const follower = new RoleFollower(told);
  follower.configure(worldWith([tracking('web')], 0, 1));
  t.match(told.said.at(-1), /"up":2,"total":2/);
  t.notOk(told.said.includes('ready'));
  follower.follow(worldWith([tracking('web')], 1, 0));
  t.equal(told.said.at(-1), 'ready');
  follower.follow(worldWith([tracking('web')], 1, 0));
  t.equal(told.said.filter((word) => word === 'ready').length, 1, 'it is said once');
});

t.test('without virtual routers nothing is watched', async (t) => {
  const told = new Told();
  const follower = new RoleFollower(told);
  follower.follow(worldWith([], 0));
  t.same(told.said, []);
});
