import t, { type Test } from 'tap';
import { buildApi } from '../../src/api/server.js';
import type { RouterStatus, VrrpStatus } from '../../src/api/vrrp.js';
import { vrrpStatus } from '../../src/api/vrrp.js';
import { vrrpLines } from '../../src/cli/vrrp.js';
import { epochMillis, micros } from '../../src/core/units.js';
import { source, world } from '../api/build.js';
import { router } from '../vrrp/director.js';
import { cli } from './context.js';

const NOW = 1_700_000_000_000;
const NEVER = { count: 0, p50: micros(0), p99: micros(0), max: micros(0) };
const LATE = { count: 30, p50: micros(12), p99: micros(250), max: micros(3000) };

function status(changes: Partial<RouterStatus> = {}, more: Partial<VrrpStatus> = {}): VrrpStatus {
  const [plain] = vrrpStatus(world({ config: { ...world().config, vrrp: [router()] } })).routers;
  if (plain === undefined) throw new Error('one router was configured');
  const seen: RouterStatus = {
    ...plain,
    role: 'master',
    since: new Date(NOW - 61_000).toISOString(),
    cause: 'master-silent',
    master: '10.0.0.2',
    sent: 62,
    lateness: LATE,
    ...changes,
  };
  return { running: true, routers: [seen], loop: LATE, strangers: 0, unreadable: 0, ...more };
}

t.test('a router in one row, what moved it below, and how late it was', async (t) => {
  t.same(vrrpLines(status(), NOW), [
    'ROUTER   WHERE    ROLE    SINCE  PRIORITY  MASTER    ADDRESSES',
    'outside  eth0 20  master  1m 1s  100       10.0.0.2  10.0.0.100/24',
    '',
    'outside: master-silent',
    '  adverts: 62 sent, 0 received, 0 errors; late by 0.01 / 0.25 / 3.00 ms (p50 / p99 / max)',
    '  virtual IPs: 0 announcements, 0 put back',
    'thread: late by 0.01 / 0.25 / 3.00 ms',
  ]);
});

t.test('the priority with everything that it is made of', async (t) => {
  const contributions = [
    { of: 'interface eth1 (down)', points: -30, fault: false },
    { of: 'script gate (up)', points: 5, fault: false },
    { of: 'services web (0 of 9 up)', points: -50, fault: true },
  ];
  const lines = vrrpLines(status({ priority: 25, contributions, faults: ['tracked services web'] }), NOW);
  t.match(lines[1], / 25 \(of 100\) /);
  t.same(lines.slice(4, 8), [
    '  fault: tracked services web',
    '  interface eth1 (down): -30',
    '  script gate (up): +5',
    '  services web (0 of 9 up): fault',
  ]);
});

t.test('what was ignored, and what was odd, by reason', async (t) => {
  const lines = vrrpLines(
    status(
      { discarded: { hops: 3, checksum: 1 }, odd: { 'other-addresses': 2 } },
      { strangers: 4, unreadable: 5 },
    ),
    NOW,
  );
  t.ok(lines.includes('  ignored: hops 3, checksum 1'));
  t.ok(lines.includes('  heard, but odd: other-addresses 2'));
  t.ok(lines.includes('ignored on all interfaces: 4 of ids that nobody has here, 5 that could not be read'));
});

t.test('before anything happened, and without any virtual router', async (t) => {
  const fresh = status(
    { role: 'initialize', since: null, cause: null, master: null, lateness: NEVER },
    { running: false, loop: NEVER },
  );
  const lines = vrrpLines(fresh, NOW);
  t.match(lines[1], /initialize +- +100 +- +10/);
  t.equal(lines[3], 'outside: no change of role yet');
  t.match(lines[4], /late by none yet/);
  t.equal(lines.at(-1), 'thread: not running');
  t.same(vrrpLines({ ...fresh, routers: [] }, NOW), ['no virtual routers in the configuration']);
});

async function daemon(t: Test, its = source()): Promise<string> {
  const app = buildApi(its);
  t.teardown(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

t.test('the command asks the daemon; as JSON it is the body as it came', async (t) => {
  const its = world({ config: { ...world().config, vrrp: [router()] } });
  const url = await daemon(t, source(its));
  const clock = { wall: () => epochMillis(NOW), monotonic: () => 0 as never };
  const plain = await cli(['vrrp', '--url', url], { clock });
  t.equal(plain.code, 0);
  t.match(plain.out, /^ROUTER .*\noutside +eth0 20 +initialize/);
  const { out } = await cli(['vrrp', '--url', url, '--json'], { clock });
  t.same(JSON.parse(out), JSON.parse(JSON.stringify(vrrpStatus(its))));
});

t.test('whoever else answers is not believed', async (t) => {
  const app = buildApi(source());
  t.teardown(() => app.close());
  for (const body of [
    '{}',
    '[]',
    '5',
    'null',
    '{"running":1,"routers":[]}',
    '{"running":true,"routers":5}',
    'x',
  ]) {
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, out, err } = await cli(['vrrp', '--url', `http://127.0.0.1:${port}`]);
    server.close();
    t.same([code === 0, out], [false, ''], body);
    t.match(err, /is not lvsentry/);
  }
});
