import t from 'tap';
import { type Errno, errnoValue } from '../../src/core/errno.js';
import { IpvsClient } from '../../src/ipvs/client.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import type { Operation, SyncDaemon } from '../../src/ipvs/model.js';
import type { Message } from '../../src/wire/netlink.js';
import { outcomes } from '../contract/place.js';
import { IpvsKernel } from '../fakes/ipvs-kernel.js';
import { FakeNetlinkSocket, refused } from '../fakes/netlink-socket.js';
import { FakeTime, turn } from '../fakes/time.js';
import { dest, key, service, table } from './build.js';

function open() {
  const kernel = new IpvsKernel();
  const socket = new FakeNetlinkSocket(kernel.handle);
  const time = new FakeTime();
  const asked: number[] = [];
  const openNetlink = (protocol: number) => {
    asked.push(protocol);
    return socket;
  };
  let turns = 0;
  const soon = (run: () => void) => {
    turns += 1;
    setImmediate(run);
  };
  const client = new IpvsClient({ openNetlink, timers: time, turns: { soon } });
  return { client, kernel, socket, time, asked, turnsTaken: () => turns };
}

const refuseAll = (errno: Errno) => (_: number, request: Message) => refused(request, errnoValue(errno));
const addService: Operation = { kind: 'add-service', service: service() };
const addDest = (last: number): Operation => ({
  kind: 'add-dest',
  service: key(),
  dest: dest(`192.0.2.${last}`),
});

t.test('what is applied is dumped and read', async (t) => {
  const { client, asked } = open();
  t.strictSame(asked, [16], 'a socket of generic netlink');
  const mark = { kind: 'fwmark', family: 'ipv6', mark: 6 } as const;
  const results = await client.apply([
    addService,
    addDest(2),
    addDest(3),
    { kind: 'add-service', service: service(mark) },
    { kind: 'add-dest', service: mark, dest: dest('2001:db8::2') },
    { kind: 'edit-dest', service: key(), dest: dest('192.0.2.3', { weight: 9 }) },
    { kind: 'delete-dest', service: key(), dest: dest('192.0.2.2').key },
  ]);
  t.strictSame(outcomes(results), new Array(7).fill('ok'));
  const expected = table(
    [service(), [dest('192.0.2.3', { weight: 9 })]],
    [service(mark), [dest('2001:db8::2')]],
  );
  t.strictSame(await client.dump(), expected);
  t.strictSame(await client.read(mark), expected.get(serviceText(mark)));
  t.equal(await client.read(key('192.0.2.77')), undefined);
  await client.flush();
  t.strictSame(await client.dump(), new Map());
});

t.test('a destination is edited whole: nothing of it is left to the kernel’s defaults', async (t) => {
  const { client } = open();
  const forward = { method: 'tunnel', type: 'gue', port: 6080, checksum: 'checksum' } as const;
  const whole = dest('192.0.2.2', { forward, weight: 3, upperThreshold: 20, lowerThreshold: 10 });
  await client.apply([addService, { kind: 'add-dest', service: key(), dest: whole }]);
  const lighter = { ...whole, settings: { ...whole.settings, weight: 0 } };
  await client.apply([{ kind: 'edit-dest', service: key(), dest: lighter }]);
  const observed = await client.read(key());
  t.strictSame(observed?.dests.get(destText(whole.key))?.settings, lighter.settings);
});

/** Each: the operation, what the kernel says, and what the operator reads. */
const MEANINGS: readonly (readonly [Operation, Errno, RegExp])[] = [
  [addService, 'EEXIST', /^add-service tcp 192\.0\.2\.1:80: EEXIST, the service is in the table already$/],
  [addService, 'ENOENT', /ENOENT, the kernel has no scheduler "wlc" \(module ip_vs_wlc\)$/],
  [{ kind: 'edit-service', service: service() }, 'ESRCH', /ESRCH, the service is not in the table$/],
  [
    { kind: 'delete-service', key: key() },
    'ESRCH',
    /^delete-service .*: ESRCH, the service is not in the table$/,
  ],
  [addDest(2), 'ESRCH', /^add-dest 192\.0\.2\.2:80 of tcp 192\.0\.2\.1:80: ESRCH, the service is not/],
  [addDest(2), 'EEXIST', /EEXIST, the server is in the service already$/],
  [
    { kind: 'delete-dest', service: key(), dest: dest('192.0.2.2').key },
    'ENOENT',
    /the server is not in the service$/,
  ],
  [addDest(2), 'EPERM', /EPERM, it needs CAP_NET_ADMIN/],
  [addDest(2), 'ENOMEM', /ENOMEM, the kernel has no memory left for it$/],
];

t.test('an error says what it means for its operation', async (t) => {
  for (const [operation, errno, words] of MEANINGS) {
    const { client, kernel } = open();
    kernel.script = refuseAll(errno);
    const [result] = await client.apply([operation]);
    t.match(result, { ok: false, errno, message: words });
  }
});

t.test('the kernel’s own words are passed on', async (t) => {
  const { client, kernel } = open();
  kernel.script = (_, request) => refused(request, 22, { text: 'Attribute failed policy validation' });
  t.match(await client.apply([addDest(2)]), [{ message: /EINVAL, .*, Attribute failed policy validation$/ }]);
  await t.rejects(client.flush(), { message: 'flush: EINVAL, Attribute failed policy validation' });
});

t.test(
  'an operation that no request can carry is EINVAL in its place, and the kernel never sees it',
  async (t) => {
    const { client, kernel } = open();
    const results = await client.apply([
      addService,
      { kind: 'add-dest', service: key(), dest: dest('192.0.2.2', {}, 70_000) },
      addDest(3),
      { kind: 'add-dest', service: key(), dest: dest('192.0.2.4', { forward: { method: 'local' } }) },
      addDest(3),
    ]);
    t.strictSame(outcomes(results), ['ok', 'EINVAL', 'ok', 'EINVAL', 'EEXIST']);
    t.match(results[1], { message: /70000 is not an integer from 0 to 65535$/ });
    t.match(results[3], { message: /forwarding local is set by the kernel alone$/ });
    t.strictSame(kernel.commands, [1, 5, 5]);
    t.strictSame(outcomes(await client.apply([{ kind: 'delete-service', key: key('192.0.2.1', -1) }])), [
      'EINVAL',
    ]);
  },
);

const DAEMON: SyncDaemon = {
  role: 'master',
  interface: 'eth0',
  syncId: 256,
  maxLength: undefined,
  group: undefined,
  port: undefined,
  ttl: undefined,
};

t.test('a command that no request can carry is EINVAL, and the kernel never sees it', async (t) => {
  const { client, kernel } = open();
  const bad = { code: 'IPVS', facts: { errno: 'EINVAL' } };
  await t.rejects(client.startSyncDaemon(DAEMON), bad);
  await t.rejects(client.setTimeouts({ tcp: 1.5 }), bad);
  await t.rejects(client.zero(key('192.0.2.1', 65_536)), bad);
  t.strictSame(kernel.commands, []);
});

t.test('a refused command rejects with its operation and errno', async (t) => {
  const { client, kernel } = open();
  const commands: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['info', () => client.info()],
    ['dump', () => client.dump()],
    ['read', () => client.read(key())],
    ['flush', () => client.flush()],
    ['zero', () => client.zero()],
    ['timeouts', () => client.timeouts()],
    ['set-timeouts', () => client.setTimeouts({ udp: 1 })],
    ['sync-daemons', () => client.syncDaemons()],
    ['start-sync-daemon', () => client.startSyncDaemon({ ...DAEMON, syncId: 1 })],
    ['stop-sync-daemon', () => client.stopSyncDaemon('master')],
  ];
  for (const [operation, command] of commands) {
    kernel.script = refuseAll('EINVAL');
    await t.rejects(command(), { code: 'IPVS', facts: { operation, errno: 'EINVAL' } }, operation);
    kernel.script = refuseAll('EPERM');
    await t.rejects(
      command(),
      { code: 'PERMISSION', message: /CAP_NET_ADMIN/, facts: { operation } },
      operation,
    );
  }
});

t.test('without IPVS everything rejects with what to do, and works once the module is there', async (t) => {
  const { client, kernel } = open();
  kernel.id = undefined;
  const absent = { code: 'IPVS_ABSENT', message: /modprobe ip_vs.*table: memory/ };
  await t.rejects(client.dump(), absent);
  await t.rejects(client.apply([addService]), absent);
  await t.rejects(client.flush(), absent);
  kernel.id = 28;
  t.strictSame(outcomes(await client.apply([addService])), ['ok']);
});

t.test('a module that was loaded again is found, and its table is the one that counts', async (t) => {
  const { client, kernel } = open();
  await client.apply([addService, addDest(2)]);
  kernel.reload(31);
  t.strictSame(outcomes(await client.apply([addDest(3), addService, addDest(3)])), ['ESRCH', 'ok', 'ok']);
  t.strictSame(await client.dump(), table([service(), [dest('192.0.2.3')]]));
});

t.test('a dump and our own changes never meet', async (t) => {
  const { client, kernel, socket } = open();
  const keys = Array.from({ length: 30 }, (_, index) => key('192.0.2.1', 1000 + index));
  await client.apply(keys.map((each) => ({ kind: 'add-service', service: service(each) })));
  kernel.commands.length = 0;
  const dumped = client.dump();
  const changed = client.apply(
    keys.map((each) => ({ kind: 'add-dest', service: each, dest: dest('192.0.2.9') })),
  );
  const again = client.dump();
  t.strictSame(
    [...(await dumped).values()].filter(({ dests }) => dests.size > 0),
    [],
  );
  await changed;
  t.equal([...(await again).values()].filter(({ dests }) => dests.size === 1).length, 30);
  const runs = kernel.commands.filter((command, index, all) => command !== all[index - 1]);
  t.strictSame(runs, [4, 8, 5, 4, 8], 'services, destinations, changes, services, destinations');
  t.equal(socket.unread, 0);
});

t.test('between two services of a dump who asked for it may use the table', async (t) => {
  const { client, kernel } = open();
  const keys = Array.from({ length: 3 }, (_, index) => key('192.0.2.1', 1000 + index));
  await client.apply(keys.map((each) => ({ kind: 'add-service', service: service(each) })));
  kernel.commands.length = 0;
  let calls = 0;
  const dumped = await client.dump(async () => {
    calls += 1;
    await client.apply([
      { kind: 'add-dest', service: key('192.0.2.1', 1002), dest: dest(`192.0.2.${calls}`) },
    ]);
  });
  t.equal(calls, 3);
  t.strictSame(kernel.commands, [4, 8, 5, 8, 5, 8, 5], 'services, then destinations and changes in turn');
  t.equal(dumped.get('tcp 192.0.2.1:1002')?.dests.size, 2, 'it tells what was there when it looked');
});

t.test('a failed use of the table does not block the next', async (t) => {
  const { client, kernel } = open();
  kernel.script = refuseAll('ENOMEM');
  const failed = t.rejects(client.dump(), { code: 'IPVS', facts: { errno: 'ENOMEM' } });
  const next = client.apply([addService]);
  await failed;
  t.strictSame(outcomes(await next), ['ENOMEM']);
  kernel.script = () => undefined;
  t.strictSame(outcomes(await client.apply([addService])), ['ok']);
});

t.test('services that IPVS does not balance are left out of the table', async (t) => {
  const { client, kernel } = open();
  await client.apply([addService, { kind: 'add-service', service: service(key('192.0.2.2')) }]);
  const [foreign] = kernel.services.values();
  // AF, then PROTOCOL: header at 8, value at 12.
  foreign?.nest.fill(99, 12, 13);
  t.strictSame([...(await client.dump()).keys()], ['tcp 192.0.2.2:80']);
});

t.test('an answer that cannot be read rejects the command, and the client goes on', async (t) => {
  const { client, kernel } = open();
  await client.apply([addService]);
  const entry = kernel.services.get([...kernel.services.keys()][0] ?? '');
  const whole = entry?.nest ?? new Uint8Array(0);
  if (entry !== undefined) entry.nest = whole.subarray(0, 8);
  const unreadable = { code: 'IPVS', message: /EPROTO/, facts: { errno: 'EPROTO' } };
  await t.rejects(client.dump(), unreadable);
  await t.rejects(client.read(key()), unreadable);
  if (entry !== undefined) entry.nest = whole;
  t.equal((await client.dump()).size, 1);
});

t.test('where answers were lost the results say so, and the next dump tells the truth', async (t) => {
  const { client, kernel } = open();
  await client.apply([addService]);
  let once = true;
  kernel.script = (command) => {
    if (command !== 5 || !once) return undefined;
    once = false;
    return [-errnoValue('ENOBUFS')];
  };
  const results = await client.apply([addDest(2), addDest(3), addDest(3)]);
  t.strictSame(outcomes(results), ['ENOBUFS', 'ENOBUFS', 'EEXIST']);
  t.match(results[0], { message: /the answer was lost/ });
  t.strictSame([...((await client.read(key()))?.dests.keys() ?? [])], ['192.0.2.3:80']);
});

t.test('a kernel that is silent costs one limit, not the client', async (t) => {
  const { client, kernel, socket, time } = open();
  await client.apply([addService]);
  kernel.script = () => [];
  socket.mute = true;
  const lost = client.apply([addDest(2)]);
  await turn();
  await time.advance(3000);
  t.strictSame(outcomes(await lost), ['ETIMEDOUT']);
  socket.mute = false;
  kernel.script = () => undefined;
  t.strictSame(outcomes(await client.apply([addDest(2)])), ['ok']);
});

t.test('close rejects what waits, in the table’s terms', async (t) => {
  const { client, kernel, socket } = open();
  await client.apply([addService]);
  kernel.script = () => [];
  socket.mute = true;
  const closed = { code: 'IPVS', facts: { errno: 'ECANCELED' }, message: /the table was closed/ };
  const all = [t.rejects(client.dump(), closed), t.rejects(client.apply([addDest(2)]), closed)];
  await turn();
  client.close();
  await Promise.all(all);
  await t.rejects(client.info(), closed);
  t.equal(socket.closed, 1);
});

t.test('a large plan is applied in order, and gives way in between', async (t) => {
  const { client, kernel, turnsTaken } = open();
  const operations: Operation[] = [];
  for (let port = 1; port <= 200; port += 1) {
    operations.push({ kind: 'add-service', service: service(key('192.0.2.1', port)) });
    for (let last = 2; last < 12; last += 1) {
      operations.push({ kind: 'add-dest', service: key('192.0.2.1', port), dest: dest(`192.0.2.${last}`) });
    }
  }
  t.equal(outcomes(await client.apply(operations)).filter((outcome) => outcome === 'ok').length, 2200);
  t.ok(turnsTaken() >= 2200 / 64 - 1);
  const before = turnsTaken();
  const observed = await client.dump();
  t.equal(observed.size, 200);
  t.ok([...observed.values()].every(({ dests }) => dests.size === 10));
  t.ok(turnsTaken() > before, 'a dump gives way, too');
  t.equal(kernel.commands.length, 2200 + 1 + 200);
});
