/** Checks that go through their service, on their way to the probes. */
import t from 'tap';
import type { Way } from '../src/addresses/ways.js';
import type { Check } from '../src/checks/model.js';
import { type Ip, ip } from '../src/core/ip.js';
import type { PathTable, Placed } from '../src/ipvs/path-table.js';
import { PathFollower } from '../src/paths.js';
import { configOf } from './config/given.js';
import { FakeTime } from './fakes/time.js';

/** The checks of `web` with this forwarding method: `own` of each server, and one through the service. */
function checksOf(forward: string, more = ''): readonly Check[] {
  const text = `
services:
  web:
    address: 192.0.2.1:80
    forward: ${forward}
    checks: [{ name: own, type: tcp }, { name: path, type: tcp, through: service${more} }]
    servers: [192.0.2.8, 192.0.2.9]
`;
  return configOf(text).services.flatMap(({ servers }) => servers.flatMap(({ checks }) => checks));
}

function originText({ id, probe: { target } }: Check): string {
  const { origin } = target;
  const name = id.slice(id.indexOf('/') + 1);
  if (origin === undefined) return `${name} plain`;
  return `${name} ${origin.blocked ?? `${origin.mark} from ${origin.source}`}`;
}

function setup(values: Readonly<Record<string, string>> = {}) {
  const time = new FakeTime();
  const settings = new Map(Object.entries(values));
  const passed: (readonly string[])[] = [];
  const state = {
    ways: new Map<string, Way>([
      ['192.0.2.8', { source: ip('192.0.2.5'), device: 'eth0' }],
      ['192.0.2.9', { source: ip('192.0.2.5'), device: 'eth1' }],
    ]),
    place: (index: number): Placed => ({ kind: 'ready', mark: 100 + index }),
    fail: false,
    left: 0,
    writable: true,
  };
  const table: Pick<PathTable, 'want' | 'leave'> = {
    want: async (ways) => ways.map((_, index) => state.place(index)),
    leave: async () => {
      state.left += 1;
    },
  };
  const follower = new PathFollower({
    probes: { update: (checks) => passed.push(checks.map(originText)) },
    table,
    wayTo: async (destination: Ip, source: Ip | undefined) => {
      if (state.fail) throw new Error('no answer');
      const way = state.ways.get(destination);
      return way && { ...way, source: source ?? way.source };
    },
    sysctls: {
      read: (path) => settings.get(path) ?? '0',
      write: (path, value) => {
        if (!state.writable) return 'EROFS';
        settings.set(path, value);
        return undefined;
      },
    },
    timers: time,
    marks: () => ({ first: 100, count: 10 }),
  });
  const update = async (checks: readonly Check[]): Promise<void> => {
    follower.update(checks, new Map(), undefined);
    await time.advance(0);
    await time.advance(0);
  };
  /** What the probes were told last of the checks through the service. */
  const paths = () => (passed.at(-1) ?? []).filter((text) => text.includes('/path'));
  return { time, settings, passed, state, follower, update, paths };
}

const READY = ['192.0.2.8:80/path 100 from 192.0.2.5', '192.0.2.9:80/path 101 from 192.0.2.5'];

t.test('others go on at once, and those through the service when their way is there', async (t) => {
  const { passed, follower, update, time } = setup();
  await update(checksOf('direct'));
  t.match(passed[0], [
    '192.0.2.8:80/own plain',
    /is not prepared yet$/,
    '192.0.2.9:80/own plain',
    /is not prepared yet$/,
  ]);
  t.same(
    passed[1]?.filter((text) => text.includes('/path')),
    READY,
  );
  await time.advance(60_000);
  t.equal(passed.length, 2, 'nobody is disturbed while nothing changes');
  await update(checksOf('direct'));
  t.same(passed.slice(2).length, 1, 'a reload finds them prepared');
  await follower.close();
});

t.test('without such checks they are handed on as they are, and no time is spent', async (t) => {
  const { passed, update, time } = setup();
  await update(checksOf('direct').filter(({ through }) => through === undefined));
  t.equal(passed.length, 1);
  t.equal(time.waiting, 0);
});

t.test('answers from a virtual IP are let in, where they come from one', async (t) => {
  const { settings, update } = setup();
  await update(checksOf('masquerade'));
  t.same([...settings], []);
  await update(checksOf('tunnel'));
  t.same(
    [...settings],
    [
      ['ipv4/conf/eth0/accept_local', '1'],
      ['ipv4/conf/eth1/accept_local', '1'],
    ],
  );
  const all = setup({ 'ipv4/conf/all/accept_local': '1' });
  await all.update(checksOf('direct'));
  t.equal(all.settings.size, 1, 'nothing is written where it is on already');
});

t.test('what stands against a way blocks the check, and says what to do', async (t) => {
  const strict = setup({ 'ipv4/conf/eth0/rp_filter': '1' });
  await strict.update(checksOf('direct'));
  t.match(strict.paths(), [/sysctl -w .*net\.ipv4\.conf\.eth0\.rp_filter=2$/, READY[1]]);
  strict.settings.set('ipv4/conf/eth0/rp_filter', '2');
  await strict.time.advance(10_000);
  t.same(strict.paths(), READY, 'and it is looked at again');
  const fixed = setup();
  fixed.state.writable = false;
  await fixed.update(checksOf('direct'));
  t.match(fixed.paths()[0], /cannot be changed \(EROFS\): sysctl -w net\.ipv4\.conf\.eth0\.accept_local=1$/);
  const gone = setup();
  gone.state.ways.delete('192.0.2.8');
  gone.state.ways.set('192.0.2.9', { source: ip('192.0.2.1'), device: 'eth0' });
  await gone.update(checksOf('direct'));
  t.match(gone.paths(), [
    /there is no route to 192\.0\.2\.8$/,
    /would come from the virtual IP 192\.0\.2\.1; say `source`$/,
  ]);
  await gone.update(checksOf('direct', ', source: 192.0.2.6'));
  t.match(gone.paths()[1], '192.0.2.9:80/path 101 from 192.0.2.6');
});

t.test('a table without the private service blocks the check', async (t) => {
  const { update, state, follower, time, paths } = setup();
  state.place = () => ({ kind: 'blocked', why: 'all of `path-marks` are taken' });
  await update(checksOf('direct'));
  t.match(paths()[0], /all of `path-marks` are taken$/);
  state.place = (index) => ({ kind: 'ready', mark: 100 + index });
  follower.look();
  await time.advance(0);
  t.same(paths(), READY);
});

t.test('a kernel that does not answer changes no way that is known', async (t) => {
  const { update, state, time, passed, paths } = setup();
  state.fail = true;
  await update(checksOf('direct'));
  t.match(paths()[0], /the way to 192\.0\.2\.8 is not known: no answer$/);
  state.fail = false;
  await time.advance(10_000);
  t.same(paths(), READY);
  state.fail = true;
  const { length } = passed;
  await time.advance(60_000);
  t.equal(passed.length, length);
});

t.test('at the end the private services go, and nothing is looked at any more', async (t) => {
  const { update, state, follower, time, passed } = setup();
  await update(checksOf('direct'));
  await follower.close();
  t.equal(state.left, 1);
  t.equal(time.waiting, 0);
  const { length } = passed;
  follower.look();
  await time.advance(60_000);
  t.equal(passed.length, length);
});
