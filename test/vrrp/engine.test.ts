/** The engine as a whole: packets and time in, packets and changes of the kernel out, in their order. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { config, ms } from './build.js';
import { Director, master, packetOf, router, ruled } from './director.js';
import { Network } from './network.js';

/** No second burst and one announcement: logs stay short. */
const BRIEF = { announce: { ...config().announce, repeat: 1, delay: config().announce.refresh } };
const ONE = router(BRIEF);
const HIGHER = packetOf(ONE.instance, 200);

t.test(
  'nobody is heard: advert first, then the addresses, then their announcement, then it is told',
  async (t) => {
    const director = new Director();
    await director.start(ONE);
    t.same(director.log, ['0 outside initialize>backup startup']);
    t.same(await director.pass(3600), [], 'three intervals and the skew are not over');
    t.same(await director.pass(10), [
      '3609 advert 20 100',
      '3609 add 10.0.0.100',
      '3609 outside backup>master master-silent',
      '3609 arp 10.0.0.100',
    ]);
    t.same(await director.pass(2000), ['4609 advert 20 100', '5609 advert 20 100']);
  },
);

t.test(
  'a higher director is heard: it stays backup for as long as that one speaks, and no longer',
  async (t) => {
    const director = new Director();
    await director.start(ONE);
    for (let second = 0; second < 10; second += 1) {
      t.same(await director.hear(HIGHER), []);
      t.same(await director.pass(1000), []);
    }
    t.match(await director.pass(2700), [/advert 20 100/, /add/, /backup>master master-silent/, /arp/]);
  },
);

t.test(
  'a higher director while we are master: a last word, the virtual IPs go, then it is told',
  async (t) => {
    const director = await master(ONE);
    t.same(await director.hear(HIGHER), [
      '4000 advert 20 100',
      '4000 remove 10.0.0.100',
      '4000 outside master>backup higher-priority',
    ]);
    t.notOk(director.network.has('10.0.0.100'));
    t.same(await director.pass(3000), [], 'and nothing more is sent');
  },
);

t.test('the end: priority 0 goes out before the virtual IPs go, and stop waits for both', async (t) => {
  const director = await master(ONE);
  director.log.length = 0;
  await director.engine.stop();
  t.same(director.log, [
    '4000 advert 20 0',
    '4000 remove 10.0.0.100',
    '4000 outside master>initialize shutdown',
  ]);
  t.same([director.network.open, director.sockets.map(({ closed }) => closed)], [0, [true]]);
  t.equal(director.time.waiting, 0, 'no timer is left');
  await director.engine.stop();
  t.same(await director.pass(10_000), [], 'nothing runs any more');
});

t.test('what a predecessor left behind is taken away at the start', async (t) => {
  const network = new Network();
  network.add('eth0', '10.0.0.100/24');
  const director = new Director(network);
  await director.start(ONE);
  t.same(director.log, ['0 remove 10.0.0.100', '0 outside initialize>backup startup']);
});

t.test('the owner is master at once, and keeps what its interface has', async (t) => {
  const network = new Network();
  network.add('eth0', '10.0.0.100/24');
  const director = new Director(network);
  await director.start(router({ ...BRIEF, priority: 255 }));
  t.same(director.log, ['0 advert 20 255', '0 outside initialize>master owner', '0 arp 10.0.0.100']);
  director.log.length = 0;
  await director.engine.stop();
  t.ok(network.has('10.0.0.100'));
});

t.test('adverts stay on their grid: a late turn delays one and none after it', async (t) => {
  const director = await master(ONE);
  director.time.stall(700);
  t.same(await director.pass(0), ['4700 advert 20 100']);
  t.same(await director.pass(2000), ['5609 advert 20 100', '6609 advert 20 100']);
  await director.pass(1000);
  t.match(director.status()?.lateness, { max: 90_625, count: 4 });
});

t.test('after a sleep what lies in the socket is heard before a silence is concluded', async (t) => {
  const director = new Director();
  await director.start(ONE);
  await director.hear(HIGHER);
  director.time.stall(60_000);
  for (let second = 0; second < 200; second += 1) director.lay(HIGHER);
  t.same(await director.pass(0), [], 'nobody takes over');
  const left = director.sockets[0]?.incoming.length ?? 0;
  t.ok(left > 0 && left < 200, 'some was read, and that is enough');
  while ((director.sockets[0]?.incoming.length ?? 0) > 0) director.sockets[0]?.listener?.();
  t.same(await director.pass(3000), []);
  t.match(await director.pass(700), [/advert/, /add/, /master-silent/, /arp/]);
});

t.test('a master that slept hears first, and does not announce against one that took over', async (t) => {
  const director = await master(ONE);
  director.time.stall(10_000);
  director.lay(HIGHER);
  t.match(await director.pass(0), [/advert/, /remove/, /master>backup higher-priority/]);
});

t.test('a virtual IP that somebody takes away is back at once, announced and told', async (t) => {
  const director = await master(ONE);
  director.log.length = 0;
  director.network.steal('eth0', '10.0.0.100/24');
  t.same(await director.settle(), ['4000 add 10.0.0.100', '4000 arp 10.0.0.100']);
  t.match(director.said(), [/^put-back: 10.0.0.100\/24 on eth0: taken away by somebody else/]);
  await director.pass(1000);
  t.match(director.status()?.counters, { putBack: 1, becameMaster: 1, announced: 2 });
});

t.test(
  'the link goes down: a resignation, then a fault; it comes up: the instance begins anew',
  async (t) => {
    const director = await master(ONE);
    director.log.length = 0;
    director.network.link('eth0', false);
    t.same(await director.settle(), [
      '4000 advert 20 0',
      '4000 remove 10.0.0.100',
      '4000 outside master>fault fault',
    ]);
    await director.pass(1000);
    t.same(director.status()?.faults, [{ kind: 'link-down', name: 'eth0' }]);
    director.log.length = 0;
    director.network.link('eth0', true);
    t.same(await director.settle(), ['5000 outside fault>backup fault-cleared']);
    t.match(await director.pass(4000), [/advert/, /add/, /master-silent/, /arp/]);
  },
);

t.test('the interface is made anew: the old socket is closed and the new one is heard', async (t) => {
  const director = await master(ONE);
  director.network.unplug('eth0');
  t.match((await director.settle()).at(-1), /master>fault fault/);
  await director.pass(1000);
  t.same(director.status()?.faults, [{ kind: 'no-interface', name: 'eth0' }]);
  t.same(
    director.sockets.map(({ closed }) => closed),
    [true],
  );
  director.network.plug('eth0');
  await director.settle();
  await director.pass(1000);
  t.same(director.status()?.role, 'fault', 'without an address it cannot speak');
  director.network.add('eth0', '10.0.0.2/24');
  await director.settle();
  t.same(
    director.sockets.map(({ closed }) => closed),
    [true, false],
  );
  t.same(await director.hear(HIGHER, 1), []);
  t.same(await director.pass(3500), []);
  t.match(director.status(), { role: 'backup', source: '10.0.0.2', counters: { received: 1 } });
});

t.test('no send is lost without a word: each error is counted, and told once', async (t) => {
  const director = await master(ONE);
  for (const socket of director.sockets) socket.sendResult = -105;
  await director.pass(3000);
  t.same(director.said(), ['trouble: an advert was not sent on eth0: ENOBUFS']);
  t.match(director.status()?.counters, { sendErrors: 3 });
  for (const socket of director.sockets) socket.sendResult = -100;
  await director.pass(1000);
  t.same(director.said(), ['trouble: an advert was not sent on eth0: ENETDOWN']);
});

t.test(
  'notices of the kernel that were lost: everything is read anew, and nothing else happens',
  async (t) => {
    const director = await master(ONE);
    director.log.length = 0;
    const before = director.network.reads;
    director.network.lose(() => undefined);
    t.same(await director.settle(), []);
    t.equal(director.network.reads, before + 1);
    director.network.lose(() => director.network.steal('eth0', '10.0.0.100/24'));
    t.match(await director.settle(), [/add 10.0.0.100/, /arp/]);
  },
);

t.test('members of a sync group become master together, and leave together', async (t) => {
  const network = new Network(['eth0', 'eth1']);
  const director = new Director(network);
  const grouped = { ...BRIEF, ...ruled({ grouped: true }) };
  const inside = { ...grouped, name: 'inside', interface: 'eth1', addresses: [ip('10.0.1.100')] };
  await director.start(router(grouped, { group: 'g' }), router({ ...inside, priority: 90 }, { group: 'g' }));
  const log = await director.pass(5000);
  const at = (word: string): string | undefined => log.find((line) => line.endsWith(word))?.split(' ')[0];
  t.equal(at('outside backup>master master-silent'), at('inside backup>master master-silent'));
  director.log.length = 0;
  network.link('eth1', false);
  const left = await director.settle();
  t.equal(left.filter((line) => /master>fault/.test(line)).length, 2);
  t.notOk(network.has('10.0.0.100'));
});

t.test('what main observes moves the priority, of instances that come later too', async (t) => {
  const director = new Director();
  const track = { kind: 'services', name: 'web', penalty: 50, minimum: 0 } as const;
  director.engine.observe('services web', { kind: 'share', up: 1, total: 2 });
  await director.start(router(BRIEF, { tracks: [track] }), router({ name: 'other', vrid: 21 }));
  await director.pass(4000);
  t.equal(director.status()?.priority.effective, 75);
  t.equal(director.status('other')?.priority.effective, 100);
  director.engine.observe('services web', { kind: 'share', up: 2, total: 2 });
  t.match(await director.pass(1000), [/advert 21 100/, /advert 20 100/]);
  t.equal(director.status()?.priority.effective, 100);
});

t.test('before the first verdicts nobody is preempted; with them it is', async (t) => {
  const director = new Director();
  await director.start(router({ ...BRIEF, ...ruled({ waitReady: true }) }));
  const lower = packetOf(ONE.instance, 50);
  for (let second = 0; second < 5; second += 1) {
    await director.hear(lower);
    t.same(await director.pass(1000), []);
  }
  director.engine.ready();
  await director.hear(lower);
  t.match(await director.pass(3700), [/advert/, /add/, /preempted/, /arp/]);
});

t.test('a socket that cannot be opened is a fault, and is tried again every second', async (t) => {
  const director = new Director();
  director.refusal = [2, -24];
  await director.start(ONE);
  t.same(director.log, ['0 outside initialize>fault fault']);
  await director.pass(3000);
  t.same(director.status()?.faults, [
    { kind: 'sockets', name: 'no socket for VRRP on eth0: socket says EMFILE' },
  ]);
  director.refusal = undefined;
  t.match(await director.pass(1000), [/^\d+ outside fault>backup fault-cleared$/]);
  t.match(await director.pass(4000), [/advert/, /add/, /master-silent/, /arp/]);
});

t.test('instances of one interface share its socket, and each hears its own id alone', async (t) => {
  const director = new Director(new Network(['eth0', 'eth1']));
  const other = router({ ...BRIEF, name: 'other', vrid: 21, addresses: [ip('10.0.0.101')] });
  const far = router({ ...BRIEF, name: 'far', interface: 'eth1', addresses: [ip('10.0.1.100')] });
  await director.start(ONE, other, far);
  t.equal(director.sockets.length, 2, 'one for each interface');
  for (let second = 0; second < 4; second += 1) {
    await director.hear(packetOf(other.instance, 200), 0);
    await director.hear(packetOf(far.instance, 200), 1);
    await director.hear(packetOf(router({ vrid: 22 }).instance, 200), 1);
    await director.hear(packetOf(other.instance, 200), 1);
    await director.pass(1000);
  }
  t.same(
    director.digest?.routers.map(({ name, role, counters: { received } }) => [name, role, received]),
    [
      ['outside', 'master', 0],
      ['other', 'backup', 4],
      ['far', 'backup', 4],
    ],
  );
  t.equal(director.digest?.strangers, 8, 'an id that nobody has, and one that nobody has there');
});

t.test('a new configuration: who stays goes on, who is another leaves, who is new begins', async (t) => {
  const director = new Director();
  const other = router({ ...BRIEF, name: 'other', vrid: 21, addresses: [ip('10.0.0.101')] });
  await director.start(ONE, other);
  await director.pass(4000);
  director.log.length = 0;
  await director.engine.configure([ONE, other]);
  t.same(await director.settle(), [], 'the same again changes nothing');
  const renamed = router({ ...BRIEF, name: 'other', vrid: 23, addresses: [ip('10.0.0.101')] });
  await director.engine.configure([router({ ...BRIEF, priority: 120 }), renamed]);
  t.same(await director.settle(), [
    '4000 advert 21 0',
    '4000 remove 10.0.0.101',
    '4000 other master>initialize shutdown',
    '4000 advert 20 120',
    '4000 arp 10.0.0.100',
    '4000 other initialize>backup startup',
  ]);
  t.match(await director.pass(1000), ['5000 advert 20 120']);
  await director.engine.configure([]);
  t.match(await director.settle(), [
    /20 120/,
    /20 0/,
    /other backup>initialize/,
    /remove/,
    /outside master>initialize/,
  ]);
  t.same(await director.pass(10_000), []);
});

t.test('a signed instance hears only what is signed, and its own adverts are', async (t) => {
  const auth = {
    kind: 'hmac',
    rule: { mode: 'enforce', activeKey: 1, antiReplay: 'time', window: ms(10_000) },
  } as const;
  const director = new Director();
  await director.start(router({ ...BRIEF, auth }, { keys: new Map([[1, 's3cret']]) }));
  await director.hear(HIGHER);
  t.match(await director.pass(4000), [/advert 20 100/, /add/, /master-silent/, /arp/]);
  t.match(director.said(), [/not signed/]);
  t.equal(director.sockets[0]?.sent.at(-1)?.bytes.length, 20 + 12 + 28);
});

t.test('roles of many are told one by one, and their picture once', async (t) => {
  const director = new Director();
  const many = Array.from({ length: 255 }, (_, at) =>
    router({ ...BRIEF, name: `v${at}`, vrid: at + 1, addresses: [ip(`10.1.0.${at}`)] }),
  );
  await director.start(...many);
  const log = await director.pass(3700);
  t.equal(log.filter((line) => line.includes('backup>master')).length, 255);
  t.ok(director.digests.length < 10, `${director.digests.length} pictures`);
  t.equal(director.sockets.length, 1);
  t.ok(director.alarms < 600, `the alarm was set ${director.alarms} times`);
});

t.test('announcing a thousand virtual IPs delays no advert: it goes out between them', async (t) => {
  const director = new Director();
  const addresses = Array.from({ length: 1000 }, (_, at) => ip(`10.2.${at >> 8}.${at & 255}`));
  const { instance, ...rest } = router({
    ...BRIEF,
    ...ruled({ interval: ms(10) }),
    addresses: [ip('10.0.0.100')],
  });
  // A tenth of a millisecond for every packet that is sent.
  director.cost = 0.1;
  const moved = addresses.map((address) => ({ ...rest.addresses[0], address }) as (typeof rest.addresses)[0]);
  await director.start({ instance, ...rest, addresses: moved });
  const log = await director.pass(300);
  const arps = log.filter((line) => line.includes(' arp '));
  t.equal(arps.length, 1000);
  const [first, last] = [log.indexOf(arps[0] ?? ''), log.indexOf(arps.at(-1) ?? '')];
  const between = log.slice(first, last).filter((line) => line.includes(' advert '));
  t.ok(between.length >= 9, `${between.length} adverts in ${0.1 * 1000} ms of announcements`);
  await director.pass(1000);
  t.ok((director.status()?.lateness.max ?? 0) <= 1700, 'late by the slice that was under way, and no more');
});
