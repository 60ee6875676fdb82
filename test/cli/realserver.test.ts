import t from 'tap';
import { LvsError } from '../../src/core/errors.js';
import type { Outcome, RealServer } from '../../src/realserver/keeper.js';
import type { Point, VipPlace } from '../../src/realserver/model.js';
import { cli } from './context.js';

const RIGHT: Point = { id: 'device lo', ok: true, text: 'lo is up', fix: undefined, step: undefined };
const WRONG: Point = { ...RIGHT, id: 'arp', ok: false, text: 'arp_ignore is 0: bad', fix: 'sysctl -w x=1' };

interface Lent {
  readonly asked: [string, readonly VipPlace[]][];
  readonly closed: () => number;
  readonly open: () => Promise<RealServer>;
}

/** A real server that answers as it is told. */
function lend(points: readonly Point[], outcome: Partial<Outcome> = {}): Lent {
  const asked: [string, readonly VipPlace[]][] = [];
  let closed = 0;
  const answer = { points, done: [], troubles: [], ...outcome };
  const { points: _, ...undone } = answer;
  const note = <Value>(what: string, vips: readonly VipPlace[], value: Value): Promise<Value> => {
    asked.push([what, vips]);
    return Promise.resolve(value);
  };
  const server: Pick<RealServer, 'check' | 'up' | 'down' | 'close'> = {
    check: (vips) => note('check', vips, points),
    up: (vips) => note('up', vips, answer),
    down: (vips) => note('down', vips, undone),
    close: () => {
      closed += 1;
    },
  };
  return { asked, closed: () => closed, open: () => Promise.resolve(server as RealServer) };
}

const VIP = ['--vip', '192.0.2.1'];

t.test('the words of the command line become places', async (t) => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['--vip 192.0.2.1', ['192.0.2.1 lo direct']],
    ['--vip 192.0.2.1 --vip 2001:DB8::1', ['192.0.2.1 lo direct', '2001:db8::1 lo direct']],
    ['--vip 192.0.2.1 --vip 192.0.2.1', ['192.0.2.1 lo direct']],
    ['--vip 192.0.2.1 --vip 2001:db8::1 --tunnel', ['192.0.2.1 tunl0 tunnel', '2001:db8::1 ip6tnl0 tunnel']],
    ['--vip 192.0.2.1 --tunnel --interface gre1', ['192.0.2.1 gre1 tunnel']],
    ['--vip 192.0.2.1 --interface dummy0', ['192.0.2.1 dummy0 direct']],
  ];
  for (const [words, places] of cases)
    for (const action of ['up', 'down', 'check']) {
      const { asked, open, closed } = lend([RIGHT]);
      const ran = await cli(['realserver', action, ...words.split(' ')], { openRealServer: open });
      t.same([ran.code, ran.err, closed()], [0, '', 1]);
      const told = asked.map(([what, vips]) => [
        what,
        ...vips.map(({ address, device, tunnel }) => `${address} ${device} ${tunnel ? 'tunnel' : 'direct'}`),
      ]);
      t.same(told, [[action, ...places]], `${action} ${words}`);
    }
});

t.test('what is no address of a service is refused before anything is opened', async (t) => {
  const wrong = ['', '192.0.2', '192.0.2.1/32', '224.0.0.18', '0.0.0.0', '127.0.0.1', '::1', '::', 'web'];
  for (const word of wrong) {
    const ran = await cli(['realserver', 'up', '--vip', word]);
    t.same([ran.code, ran.out], [2, ''], word);
  }
  for (const words of ['up', 'sideways --vip 192.0.2.1', 'up --vip 192.0.2.1 --interface a/b'])
    t.equal((await cli(['realserver', ...words.split(' ')])).code, 2, words);
});

t.test('check prints each point, and the line below what is wrong', async (t) => {
  const ran = await cli(['realserver', 'check', ...VIP], { openRealServer: lend([RIGHT, WRONG]).open });
  t.same(ran, {
    code: 1,
    out: ['ok     lo is up', 'wrong  arp_ignore is 0: bad', '         sysctl -w x=1'].join('\n'),
    err: '',
  });
});

t.test('up prints what it did, and fails where something stays wrong or is refused', async (t) => {
  const good = lend([RIGHT], { done: ['lo up'] });
  const done = await cli(['realserver', 'up', ...VIP], { openRealServer: good.open });
  t.same(done, { code: 0, out: 'done   lo up\nok     lo is up', err: '' });
  const bad = lend([RIGHT], { troubles: ['lo up: EPERM'] });
  const refused = await cli(['realserver', 'up', ...VIP], { openRealServer: bad.open });
  t.match(refused, { code: 1, err: 'lvsentry: lo up: EPERM' });
  t.equal((await cli(['realserver', 'up', ...VIP], { openRealServer: lend([WRONG]).open })).code, 1);
});

t.test('down says so where there is nothing to undo', async (t) => {
  const ran = await cli(['realserver', 'down', ...VIP], { openRealServer: lend([]).open });
  t.same(ran, { code: 0, out: 'nothing to undo', err: '' });
});

t.test('--json is everything, in one line', async (t) => {
  const open = lend([RIGHT, WRONG], { done: ['lo up'] }).open;
  const ran = await cli(['realserver', 'up', ...VIP, '--json'], { openRealServer: open });
  t.equal(ran.code, 1);
  t.same(JSON.parse(ran.out), {
    ok: false,
    points: [
      { id: 'device lo', ok: true, text: 'lo is up', fix: null },
      { id: 'arp', ok: false, text: 'arp_ignore is 0: bad', fix: 'sysctl -w x=1' },
    ],
    done: ['lo up'],
    troubles: [],
  });
});

t.test('a kernel that cannot be asked is one line', async (t) => {
  const openRealServer = () => Promise.reject(new LvsError('PERMISSION', 'not allowed'));
  t.same(await cli(['realserver', 'check', ...VIP], { openRealServer }), {
    code: 1,
    out: '',
    err: 'lvsentry: not allowed',
  });
});
