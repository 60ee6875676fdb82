/** The command line beside the kernel, with the real ipvsadm as second reader and second writer. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../../src/cli/program.js';
import { ip as address } from '../../../src/core/ip.js';
import { IpvsClient } from '../../../src/ipvs/client.js';
import { operationWords, saveLines } from '../../../src/ipvs/ipvsadm.js';
import type {
  DestSettings,
  Forward,
  ObservedTable,
  Operation,
  Protocol,
  Service,
  ServiceKey,
} from '../../../src/ipvs/model.js';
import { systemClock, systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import { openPacketSocket } from '../../../src/sys/packet.js';
import { openPipe } from '../../../src/sys/pipe.js';
import type { Assertions } from '../../contract/assertions.js';
import { dest, key, service } from '../../ipvs/build.js';
import { ip, run } from './run-program.js';

const open = (): IpvsClient => new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });

async function dump(): Promise<ObservedTable> {
  const client = open();
  try {
    return await client.dump();
  } finally {
    client.close();
  }
}

/** `ipvsadm -R`: its own command lines, one a line. */
function restore(lines: readonly string[]): string {
  return spawnSync('ipvsadm', ['-R'], { input: `${lines.join('\n')}\n`, encoding: 'utf8' }).stderr;
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process. */
async function cli(...words: string[]): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCli(words, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    isTerminal: false,
    clock: systemClock,
    timers: systemTimers,
    openOrigin: () => -38,
    openSocket: openPacketSocket,
    openPipe,
    openKernelTable: async () => open(),
    trialFile: '/run/lvsentry-apply.json',
    connectionsFile: '/proc/net/ip_vs_conn',
    onInterrupt: () => () => undefined,
    openRealServer: () => Promise.reject(new Error('this suite has no real server')),
    examine: () => Promise.reject(new Error('nothing is examined here')),
    runDaemon: () => Promise.resolve(1),
  });
  return { code, out: out.map((line) => `${line}\n`).join(''), err: err.join('\n') };
}

const flags = (flag1: boolean, flag2: boolean, flag3: boolean) => ({
  schedulerFlags: { flag1, flag2, flag3 },
});
const persistent = (timeoutSeconds: number, prefix: number) => ({ persistence: { timeoutSeconds, prefix } });
const at = (protocol: Protocol, host: string, port: number): ServiceKey => ({
  kind: 'address',
  protocol,
  address: address(host),
  port,
});
const UDP = at('udp', '192.0.2.1', 53);
const SIX = key('2001:db8::80', 80);

const SERVICES: readonly Service[] = [
  service(key()),
  service(key('192.0.2.1', 443), { scheduler: 'wrr', ...persistent(60, 24) }),
  service(key('192.0.2.1', 81), { scheduler: 'sh', ...flags(true, true, false) }),
  service(key('192.0.2.1', 82), { scheduler: 'mh', ...flags(false, true, false) }),
  service(key('192.0.2.1', 83), { ...flags(true, true, true) }),
  service(UDP, { scheduler: 'rr', onePacket: true }),
  service(at('sctp', '192.0.2.1', 2905)),
  service(SIX, { scheduler: 'rr', ...persistent(30, 64) }),
  service(key('::ffff:192.0.2.7', 80), persistent(30, 128)),
  service({ kind: 'fwmark', family: 'ipv4', mark: 10 }, persistent(360, 32)),
  service({ kind: 'fwmark', family: 'ipv6', mark: 9 }, { scheduler: 'lc' }),
  // 10 < 100 < 200 < 10 for ipvsadm: its order has circles.
  ...['200.0.0.1', '10.0.0.9', '100.0.0.1', '126.1.1.1', '9.9.9.9'].map((vip) => service(key(vip, 7))),
];

const tunnel = (
  type: 'ipip' | 'gue' | 'gre',
  checksum: 'none' | 'checksum' | 'remote-checksum',
): Forward => ({
  method: 'tunnel',
  type,
  port: type === 'gue' ? 6080 : 0,
  checksum,
});

function add(to: Service, host: string, settings: Partial<DestSettings> = {}, port = 80): Operation {
  return { kind: 'add-dest', service: to.key, dest: dest(host, settings, port) };
}

/** Every kind of entry. Without thresholds: ipvsadm's own format leaves them out. */
function everything(): Operation[] {
  const masquerade = { forward: { method: 'masquerade' } } as const;
  const udp = service(UDP);
  const tunnels: readonly Forward[] = [
    tunnel('ipip', 'none'),
    tunnel('gue', 'none'),
    tunnel('gue', 'checksum'),
    tunnel('gue', 'remote-checksum'),
    tunnel('gre', 'none'),
    tunnel('gre', 'checksum'),
  ];
  return [
    ...SERVICES.map((each): Operation => ({ kind: 'add-service', service: each })),
    add(service(), '10.0.0.2', { weight: 0 }),
    add(service(), '200.0.0.3', { weight: 2_000_000_000 }),
    add(service(), '100.0.0.3', masquerade, 8080),
    add(service(), '100.0.0.3', masquerade, 808),
    ...tunnels.map((forward, index) => add(udp, `10.0.1.${index + 1}`, { forward }, 53)),
    add(udp, '2001:db8::7', { forward: tunnel('ipip', 'none') }, 53),
    add(service(SIX), '2001:db8::2'),
    add(service({ kind: 'fwmark', family: 'ipv6', mark: 9 }), '2001:db8::3', masquerade, 90),
    add(service({ kind: 'fwmark', family: 'ipv4', mark: 10 }), '10.0.0.2', {}, 0),
  ];
}

/** What of a table is configuration, in an order of its own: dumps differ from load to load. */
function essence(table: ObservedTable): unknown {
  return [...table]
    .map(([name, { service: its, dests }]) => ({
      name,
      settings: its.settings,
      dests: [...dests]
        .map(([text, { settings }]) => ({ text, settings }))
        .sort((a, b) => (a.text < b.text ? -1 : 1)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function applied(operations: readonly Operation[]): Promise<unknown> {
  run('ipvsadm', '-C');
  const client = open();
  const results = await client.apply(operations);
  client.close();
  const refused = results.find((result) => !result.ok);
  if (refused !== undefined) throw new Error(JSON.stringify(refused));
  return essence(await dump());
}

async function bothWays(t: Assertions, operations: readonly Operation[]): Promise<void> {
  const ours = await applied(operations);
  run('ipvsadm', '-C');
  t.equal(restore(operations.map(operationWords)), '', 'ipvsadm takes every line');
  t.strictSame(essence(await dump()), ours);
}

const CONFIG = `name: director-a
table: kernel
services:
  web:
    address: 192.0.2.1:80
    scheduler: wlc
    forward: direct
    persistence: { timeout: 300s, netmask: 24 }
    check: { type: tcp }
    servers: [{ name: web1, address: 10.0.0.2, weight: 4 }, { name: web2, address: 10.0.0.3 }]
`;

export async function suite(t: Assertions): Promise<void> {
  ip('link set lo up');
  ip('addr add 10.0.0.1/8 dev lo');
  ip('-6 addr add 2001:db8::1/64 dev lo');

  await t.test('our operations and ipvsadm by our words make the same table', async (t) => {
    const all = everything();
    await bothWays(t, all);
    await bothWays(t, [
      ...all,
      { kind: 'edit-service', service: service(key(), { scheduler: 'rr', ...persistent(5, 8) }) },
      {
        kind: 'edit-dest',
        service: key(),
        dest: dest('10.0.0.2', { weight: 7, upperThreshold: 90, lowerThreshold: 30 }),
      },
      { kind: 'delete-dest', service: SIX, dest: { address: address('2001:db8::2'), port: 80 } },
      { kind: 'delete-service', key: { kind: 'fwmark', family: 'ipv6', mark: 9 } },
    ]);
  });

  await t.test('table --save is what ipvsadm -Sn prints, and what ipvsadm -R reads', async (t) => {
    await applied(everything());
    const saved = run('ipvsadm', '-Sn');
    t.strictSame(await cli('table', '--save'), { code: 0, out: saved, err: '' });
    const before = essence(await dump());
    run('ipvsadm', '-C');
    t.equal(restore(saved.split('\n').filter((line) => line !== '')), '');
    t.strictSame(essence(await dump()), before);
    t.strictSame(
      saveLines(await dump()),
      run('ipvsadm', '-Sn').trimEnd().split('\n'),
      'and again in the order of another load',
    );
  });

  await t.test('what ipvsadm shows without its own losses, table shows too', async (t) => {
    run('ipvsadm', '-C');
    run('ipvsadm', ...'-A -t 192.0.2.1:80 -s wlc'.split(' '));
    run('ipvsadm', ...'-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 5 -x 100 -y 50'.split(' '));
    const { out } = await cli('table');
    t.ok(/^ {2}10\.0\.0\.2:80 +direct limits 50-100 +5 +0 +0$/m.test(out), out);
    const saved = await cli('table', '--save');
    t.ok(saved.err.includes('the connection thresholds are left out'), saved.err);
  });

  await t.test('a plan changes nothing; run by hand it leads to a table that needs no plan', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
    const path = join(folder, 'lvsentry.yaml');
    writeFileSync(path, CONFIG);
    run('ipvsadm', '-C');
    // In the way: our service with other settings, a server with another weight, and what is not ours.
    run('ipvsadm', ...'-A -t 192.0.2.1:80 -s rr'.split(' '));
    run('ipvsadm', ...'-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1'.split(' '));
    run('ipvsadm', ...'-a -t 192.0.2.1:80 -r 10.0.0.9:80 -g -w 1'.split(' '));
    run('ipvsadm', ...'-A -t 192.0.2.9:25 -s rr'.split(' '));
    const before = run('ipvsadm', '-Sn');
    const plan = await cli('plan', '-c', path);
    t.equal(plan.code, 0);
    t.equal(run('ipvsadm', '-Sn'), before, 'nothing changed');
    const shell = spawnSync('bash', ['-e', '-c', plan.out], { encoding: 'utf8' });
    t.strictSame([shell.status, shell.stderr], [0, ''], plan.out);
    const after = await cli('plan', '-c', path);
    t.strictSame(after.out.trimEnd().split('\n'), [
      '# no changes: the table is as the configuration wants it',
      '# foreign, left alone: tcp 192.0.2.9:25',
      '# foreign, left alone: 10.0.0.9:80 in tcp 192.0.2.1:80',
    ]);
    const foreign = ['-a -t 192.0.2.1:80 -r 10.0.0.9:80 -g -w 1', '-A -t 192.0.2.9:25 -s rr'];
    const lines = run('ipvsadm', '-Sn').split('\n');
    for (const line of foreign) t.ok(lines.includes(line), `${line} is untouched`);
    rmSync(folder, { recursive: true });
  });
}
