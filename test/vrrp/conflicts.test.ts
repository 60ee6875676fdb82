/** A virtual IP that somebody else has too: found, told once, kept in view, and answered; nothing is delayed by it. */
import t from 'tap';
import { type Ip, ip } from '../../src/core/ip.js';
import { type Mac, mac } from '../../src/core/mac.js';
import { ARP_OP, arpProbe, gratuitousArp, writeArp } from '../../src/wire/arp.js';
import { ETH_P } from '../../src/wire/ethernet.js';
import { config, ms } from './build.js';
import { Director, packetOf, router } from './director.js';
import { Network } from './network.js';

const VIP = ip('10.0.0.100');
const OTHER = mac('02:00:00:00:00:99');
/** Of eth0 in the fake kernel, whose index is 3. */
const OWN = mac('02:00:00:00:00:03');
const BRIEF = { announce: { ...config().announce, repeat: 1, delay: ms(0) } };

function reply(address: Ip, sender: Mac): Uint8Array {
  return writeArp({
    ethernet: { destination: OWN, source: sender, type: ETH_P.ARP },
    operation: ARP_OP.REPLY,
    senderMac: sender,
    senderIp: address,
    targetMac: OWN,
    targetIp: ip('0.0.0.0'),
  });
}

/** struct sockaddr_ll of an incoming (or outgoing, 4) frame. */
function from(index: number, type = 0): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes[4] = index;
  bytes[10] = type;
  return bytes;
}

async function claim(director: Director, bytes: Uint8Array, sender = from(3)): Promise<void> {
  director.arp?.incoming.push({ bytes, from: sender, control: new Uint8Array(0) });
  director.arp?.listener?.();
  await director.settle();
}

async function masterOf(network = new Network()): Promise<Director> {
  const director = new Director(network);
  director.showsProbes = true;
  await director.start(router(BRIEF));
  await director.pass(3650);
  return director;
}

t.test('who else has it is asked before it is announced, and twice more; adverts do not wait', async (t) => {
  const director = new Director();
  director.showsProbes = true;
  await director.start(router(BRIEF));
  t.same(await director.pass(3650), [
    '3609 advert 20 100',
    '3609 add 10.0.0.100',
    '3609 outside backup>master master-silent',
    '3609 probe 10.0.0.100',
    '3609 arp 10.0.0.100',
  ]);
  const later = await director.pass(10_000);
  t.same(
    later.filter((line) => !line.includes('advert')),
    ['4609 probe 10.0.0.100', '5609 probe 10.0.0.100'],
  );
});

t.test('somebody answers: it is told once, announced again, and stays in view', async (t) => {
  const director = await masterOf();
  director.log.length = 0;
  await claim(director, reply(VIP, OTHER));
  t.same(director.log, ['3650 arp 10.0.0.100'], 'hosts learn the right MAC again');
  t.match(director.said(), [/^report: 10\.0\.0\.100 is at 02:00:00:00:00:99 too: another machine on eth0/]);
  await claim(director, reply(VIP, OTHER));
  await claim(director, gratuitousArp(VIP, OTHER));
  t.same([director.said(), director.log.length], [[], 1]);
  await director.pass(1000);
  t.match(director.status(), { role: 'master', squatters: [{ mac: OTHER, addresses: [VIP] }] });
});

t.test('it is asked again every ten seconds, and forgotten when it is silent', async (t) => {
  const director = await masterOf();
  await director.pass(3000);
  await claim(director, reply(VIP, OTHER));
  director.said();
  const asked = (log: readonly string[]): readonly string[] => log.filter((line) => !line.includes('advert'));
  t.same(asked(await director.pass(10_100)), ['16650 probe 10.0.0.100', '16650 arp 10.0.0.100']);
  await claim(director, reply(VIP, OTHER));
  t.same(asked(await director.pass(20_000)).length, 4);
  t.same(director.said(), []);
  t.same(asked(await director.pass(10_000)), [], 'nobody is asked any more');
  t.same(director.said(), ['report: 02:00:00:00:00:99 does not answer for 10.0.0.100 any more']);
  await director.pass(1000);
  t.same(director.status()?.squatters, []);
  await claim(director, reply(VIP, OTHER));
  t.equal(director.said().length, 1, 'when it is back it is told again');
});

t.test('a lower master that was preempted has a second to drop the addresses', async (t) => {
  const director = new Director();
  await director.start(router({ ...BRIEF, priority: 200 }));
  const lower = packetOf(router().instance, 100);
  for (let second = 0; second < 4; second += 1) {
    await director.hear(lower);
    await director.pass(900);
  }
  t.match(director.status(), { role: 'master', cause: 'preempted' });
  director.said();
  await claim(director, reply(VIP, OTHER));
  t.same(director.said(), []);
  await director.pass(1100);
  await claim(director, reply(VIP, OTHER));
  t.equal(director.said().filter((line) => line.includes('too')).length, 1);
});

t.test('what is no claim against us is not told', async (t) => {
  const rows: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ['another address', reply(ip('10.0.0.7'), OTHER), from(3)],
    ['another interface', reply(VIP, OTHER), from(9)],
    ['a frame of our own that goes out', gratuitousArp(VIP, OWN), from(3, 4)],
    ['a question', arpProbe(VIP, OTHER), from(3)],
    ['half a frame', reply(VIP, OTHER).subarray(0, 30), from(3)],
    ['no ARP', new Uint8Array(42), from(3)],
  ];
  for (const [name, bytes, sender] of rows) {
    const director = await masterOf();
    await claim(director, bytes, sender);
    await director.pass(1000);
    t.same([director.said(), director.status()?.squatters], [[], []], name);
  }
});

t.test('as backup others may have it, and what was found is over with the role', async (t) => {
  const director = await masterOf();
  await claim(director, reply(VIP, OTHER));
  await director.hear(packetOf(router().instance, 200));
  director.said();
  await claim(director, reply(VIP, OTHER));
  await director.pass(1000);
  t.same([director.said(), director.status()?.squatters], [[], []]);
});

t.test('one that has just yielded tells nothing, though its addresses are not dropped yet', async (t) => {
  const director = await masterOf();
  director.lay(packetOf(router().instance, 200));
  director.sockets[0]?.listener?.();
  director.arp?.incoming.push({ bytes: gratuitousArp(VIP, OWN), from: from(3), control: new Uint8Array(0) });
  director.arp?.listener?.();
  await director.settle();
  t.same(director.said(), []);
});

t.test('our own announcement that comes back is counted, and told once in a role', async (t) => {
  const director = await masterOf();
  await claim(director, gratuitousArp(VIP, OWN));
  await claim(director, gratuitousArp(VIP, OWN));
  t.match(director.said(), [/our own MAC came in on eth0/]);
  await director.pass(1000);
  t.match(director.status(), { squatters: [], counters: { mirrored: 2 } });
});

t.test('a machine with many of the addresses is told of once; sixteen are kept', async (t) => {
  const addresses = Array.from({ length: 40 }, (_, at) => ip(`10.1.0.${at}`));
  const director = new Director();
  await director.start(router({ ...BRIEF, addresses }));
  await director.pass(3700);
  for (const address of addresses) await claim(director, reply(address, OTHER));
  t.equal(director.said().length, 1);
  for (let host = 0; host < 40; host += 1) {
    const stranger = mac(`02:00:00:00:01:${host.toString(16).padStart(2, '0')}`);
    await claim(director, reply(ip('10.1.0.0'), stranger));
  }
  t.equal(director.said().length, 15);
  await director.pass(1000);
  t.equal(director.status()?.squatters.length, 16);
  t.equal(director.status()?.squatters[0]?.addresses.length, 16);
});

t.test('a flood of claims is read in slices', async (t) => {
  const director = await masterOf();
  for (let count = 0; count < 200; count += 1)
    director.arp?.incoming.push({ bytes: reply(VIP, OTHER), from: from(3), control: new Uint8Array(0) });
  director.arp?.listener?.();
  t.equal(director.arp?.incoming.length, 136);
});

t.test('without the socket it is said, and all else works', async (t) => {
  const director = new Director();
  director.arpRefusal = -24;
  await director.start(router(BRIEF));
  t.same(director.said(), ['report: cannot hear who else has virtual IPs (ipv4): EMFILE']);
  t.match(await director.pass(3700), [/advert/, /add/, /master-silent/, /arp/]);
});

t.test('the end closes what was opened', async (t) => {
  const director = await masterOf();
  await director.engine.stop();
  t.same([director.arp?.closed, director.arp?.listener], [true, undefined]);
});
