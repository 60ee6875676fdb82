/**
 * `lvsentry realserver` as a program, in a network namespace of its own, with a second host on a link that asks for the
 * virtual IP all the time. `ip` is the second reader.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isFreshNamespace } from '../addresses/kernel-network.js';
import type { Heard, Order } from './asker.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const ASKER = fileURLToPath(new URL('./asker.js', import.meta.url));
const VIP = '192.0.2.254';
const SIX = '2001:db8::254';
const MEMORY = `/run/lvsentry/realserver-${readlinkSync('/proc/self/ns/net').replace(/\D/g, '')}.json`;
const ASKED_MIN = 20;

t.setTimeout(120_000);
const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8' });
const setting = (path: string): string => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim();
const setSetting = (path: string, value: string): void => writeFileSync(`/proc/sys/net/${path}`, value);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Without holding this process, which hears the other host meanwhile. */
function lvsentry(...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH };
    const child = execFile(process.execPath, [MAIN, 'realserver', ...words], { env }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

async function startAsker(order: Order): Promise<ChildProcess> {
  // unshare becomes the program: its pid is the one of the namespace.
  const asker = spawn('unshare', ['-n', process.execPath, ASKER], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH },
  });
  t.teardown(() => void asker.kill());
  await once(asker, 'message');
  ip(`link add ${order.device} netns ${asker.pid} type veth peer name eth0`);
  ip('address add 192.0.2.2/24 dev eth0');
  ip('link set eth0 up');
  ip('link set lo up');
  asker.send(order);
  return asker;
}

async function heardSince(asker: ChildProcess): Promise<Heard> {
  const told = once(asker, 'message');
  asker.send('tell');
  return (await told)[0] as Heard;
}

/** What the other host has heard once it has asked often enough. */
async function hear(asker: ChildProcess): Promise<Heard> {
  const sum = { asked: 0, answered: 0, announced: 0 };
  while (sum.asked < ASKED_MIN) {
    const { asked, answered, announced } = await heardSince(asker);
    sum.asked += asked;
    sum.answered += answered;
    sum.announced += announced;
  }
  return sum;
}

function sendFrom(source: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4').once('error', reject);
    socket.bind({ address: source }, () =>
      socket.send('x', 9, to, (error) => {
        socket.close();
        if (error === null) resolve();
        else reject(error);
      }),
    );
  });
}

function snapshot(): object {
  const names = ['arp_ignore', 'arp_announce', 'rp_filter'];
  const paths = ['all', 'lo', 'eth0'].flatMap((at) => names.map((name) => `ipv4/conf/${at}/${name}`));
  return { settings: paths.map((path) => `${path}=${setting(path)}`), lo: ip('-br address show lo') };
}

if (!isFreshNamespace()) t.fail('this is no namespace of its own');
else {
  // Numbers of namespaces come again: one that was killed may have left it.
  rmSync(MEMORY, { force: true });
  t.teardown(() => rmSync(MEMORY, { force: true }));
  const asker = await startAsker({ device: 'far0', address: '192.0.2.1/24', wanted: VIP });

  await t.test(
    'the other host is answered where the address is there and nothing else is done',
    async (t) => {
      ip(`address add ${VIP}/32 dev lo`);
      await hear(asker);
      t.ok((await hear(asker)).answered >= ASKED_MIN / 2, 'this is how it goes wrong by hand');
      setSetting('ipv4/conf/all/arp_ignore', '1');
      await hear(asker);
      ip('neigh flush dev eth0');
      await sendFrom(VIP, '192.0.2.1');
      const { answered, announced } = await hear(asker);
      t.same([answered, announced > 0], [0, true], 'and half of it is not enough');
      setSetting('ipv4/conf/all/arp_ignore', '0');
      ip(`address del ${VIP}/32 dev lo`);
      await hear(asker);
      t.equal((await hear(asker)).answered, 0);
    },
  );

  const before = snapshot();

  t.test('check finds what is missing, and exits 1', async (t) => {
    const { code, out } = await lvsentry('check', '--vip', VIP, '--json');
    t.equal(code, 1);
    t.match(JSON.parse(out), { ok: false, done: [], troubles: [] });
    t.same(snapshot(), before);
    t.notOk(existsSync(MEMORY));
  });

  t.test('up, again and again under questions: never answered, never announced', async (t) => {
    setSetting('ipv4/conf/all/arp_announce', '0');
    for (let round = 0; round < 3; round += 1) {
      await heardSince(asker);
      const up = await lvsentry('up', '--vip', VIP, '--vip', SIX);
      t.same([up.code, up.err], [0, ''], up.out);
      // Something leaves with the virtual IP as its source, and has to ask for the other host first.
      ip('neigh flush dev eth0');
      await sendFrom(VIP, '192.0.2.1');
      const { asked, answered, announced } = await hear(asker);
      t.ok(asked > 0);
      t.same([answered, announced], [0, 0], `of ${asked} questions`);
      t.match(ip('-o address show lo'), `inet ${VIP}/32 scope host lo`);
      t.match(ip('-o -6 address show lo'), new RegExp(`${SIX}/128 scope global .*deprecated`));
      t.equal((await lvsentry('check', '--vip', VIP, '--vip', SIX)).code, 0);
      await heardSince(asker);
      const down = await lvsentry('down', '--vip', VIP, '--vip', SIX);
      t.same([down.code, down.err], [0, ''], down.out);
      t.same((await hear(asker)).answered, 0, 'nor while it goes');
      t.same(snapshot(), before, 'all is as before');
      t.notOk(existsSync(MEMORY));
    }
  });

  t.test('up is idempotent: a second one changes nothing', async (t) => {
    await lvsentry('up', '--vip', VIP);
    const after = snapshot();
    const memory = readFileSync(MEMORY, 'utf8');
    const { code, out } = await lvsentry('up', '--vip', VIP, '--json');
    t.equal(code, 0);
    t.match(JSON.parse(out), { ok: true, done: [] });
    t.same(snapshot(), after);
    t.equal(readFileSync(MEMORY, 'utf8'), memory);
  });

  t.test('each point is found when it is broken, and its line puts it right', async (t) => {
    const breaks = [
      'sysctl -qw net.ipv4.conf.all.arp_ignore=0',
      'sysctl -qw net.ipv4.conf.all.arp_announce=1',
      'sysctl -qw net.ipv4.conf.eth0.arp_ignore=3',
      'ip link set lo down',
      `ip address del ${VIP}/32 dev lo`,
      `ip address add ${VIP}/24 dev eth0`,
      `ip address add ${VIP}/25 dev lo`,
    ];
    for (const line of breaks) {
      execFileSync('bash', ['-c', line]);
      const { code, out } = await lvsentry('check', '--vip', VIP, '--json');
      const wrong = (JSON.parse(out) as { points: { ok: boolean; fix: string }[] }).points.filter(
        ({ ok }) => !ok,
      );
      t.same([code, wrong.length], [1, 1], line);
      execFileSync('bash', ['-c', wrong[0]?.fix ?? 'false']);
      t.equal((await lvsentry('check', '--vip', VIP)).code, 0, wrong[0]?.fix ?? '');
    }
  });

  t.test('what was there before stays, and so does what somebody changed since', async (t) => {
    setSetting('ipv4/conf/all/arp_ignore', '2');
    const { code, out } = await lvsentry('down', '--vip', VIP);
    t.equal(code, 0);
    t.match(out, 'net/ipv4/conf/all/arp_ignore stays at 2');
    t.equal(setting('ipv4/conf/all/arp_announce'), '0');
    t.equal(setting('ipv4/conf/all/arp_ignore'), '2');
    t.notMatch(ip('-br address show lo'), VIP);
  });
}
