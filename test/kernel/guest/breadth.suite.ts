/** Everything that IPVS can do, asked for by a configuration, loaded at once, and read back by others. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { faultText } from '../../../src/config/faults.js';
import type { Config } from '../../../src/config/model.js';
import { parseConfig } from '../../../src/config/parse.js';
import { millis } from '../../../src/core/units.js';
import { IpvsClient } from '../../../src/ipvs/client.js';
import { diffTable } from '../../../src/ipvs/diff.js';
import { timeoutWords } from '../../../src/ipvs/ipvsadm.js';
import { SCHEDULERS } from '../../../src/ipvs/names.js';
import { FORGETFUL } from '../../../src/ipvs/timeout-keeper.js';
import { computeDesired } from '../../../src/policy/desired.js';
import { systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import { TimeoutFollower } from '../../../src/timeouts.js';
import type { Assertions } from '../../contract/assertions.js';
import { outcomes } from '../../contract/place.js';
import { dest, key, service } from '../../ipvs/build.js';
import { eventually } from '../client.js';
import { breadthRows } from './breadth-rows.js';
import { ip, run } from './run-program.js';

const VIP = '203.0.113.80';
const SERVER = '198.51.100.1';

const open = (): IpvsClient => new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });

function configOf(text: string): Config {
  const outside = {
    hostName: 'director',
    env: () => undefined,
    readFile: () => ({ ok: false, problem: 'is not there' }) as const,
    hasPackage: () => false,
    programProblem: () => undefined,
  };
  const parsed = parseConfig([{ file: 'breadth.yaml', text }], outside);
  if (!parsed.ok) throw new Error(parsed.faults.map(faultText).join('\n'));
  return parsed.config;
}

function hasModule(name: string): boolean {
  try {
    run('modprobe', '-n', name);
    return true;
  } catch {
    return false;
  }
}

const sorted = (lines: readonly string[]): string[] => [...lines].sort();
const saved = (): string[] => sorted(run('ipvsadm', '-Sn').trimEnd().split('\n'));

async function everything(t: Assertions, client: IpvsClient): Promise<void> {
  const schedulers = SCHEDULERS.filter((name) => hasModule(`ip_vs_${name}`));
  const rows = breadthRows(schedulers);
  const yaml = rows.flatMap((row, index) => [`  s${index}:`, ...row.yaml.map((line) => `    ${line}`)]);
  const desired = computeDesired(configOf(`services:\n${yaml.join('\n')}\n`), new Map());
  const plan = diffTable(desired, await client.dump());
  const results = await client.apply(plan.map(({ operation }) => operation));
  t.strictSame(
    results.flatMap((result) => (result.ok ? [] : [result.message])),
    [],
    `the kernel takes ${rows.length} services of ${schedulers.length} schedulers in ${plan.length} steps`,
  );
  t.strictSame(saved(), sorted(rows.flatMap((row) => row.saved)), 'ipvsadm sees what was asked for');
  t.strictSame(
    diffTable(desired, await client.dump()).map(({ operation }) => operation),
    [],
    'what ipvsadm cannot say (thresholds) is read back as well: nothing is left to do',
  );
}

async function lacking(t: Assertions, client: IpvsClient): Promise<void> {
  for (const scheduler of SCHEDULERS.filter((name) => !hasModule(`ip_vs_${name}`))) {
    const [result] = await client.apply([{ kind: 'add-service', service: service(key(), { scheduler }) }]);
    t.ok(
      result?.ok === false && result.message.includes(`ENOENT, the kernel has no scheduler "${scheduler}"`),
      scheduler,
    );
  }
  t.strictSame(await client.dump(), new Map());
}

/** Accepts connections and says who it is. */
async function answering(port: number): Promise<Server> {
  const server = createServer((socket) => socket.end(String(port)));
  server.listen(port, SERVER);
  await once(server, 'listening');
  return server;
}

/** What the server says that a connection to this port of the VIP comes to. */
async function asked(port: number): Promise<string> {
  const socket = connect(port, VIP).setEncoding('utf8');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** Why the configuration refuses it: what it says would not happen. */
async function portsStay(t: Assertions, client: IpvsClient): Promise<void> {
  ip(`addr add ${VIP}/32 dev lo`);
  ip(`addr add ${SERVER}/32 dev lo`);
  const servers = [await answering(8081), await answering(8082)];
  const every = key(VIP, 0);
  const masquerade = { forward: { method: 'masquerade' } } as const;
  const persistent = { persistence: { timeoutSeconds: 60, prefix: 32 } };
  const results = await client.apply([
    { kind: 'add-service', service: service(every, persistent) },
    { kind: 'add-dest', service: every, dest: dest(SERVER, masquerade, 8081) },
  ]);
  t.strictSame(outcomes(results), ['ok', 'ok'], 'the kernel takes a port for a server of every port');
  t.equal(await asked(8082), '8082', 'and does not use it');
  for (const server of servers) server.close();
}

const MANY = `services:
  web:
    addresses: [192.0.2.1:80, 192.0.2.1:443, 192.0.2.8-10:80, 192.0.2.64/30:8080, { fwmark: 10 }]
    forward: masquerade
    servers: [198.51.100.1, { address: 198.51.100.2, port: 8000, weight: 2 }]
  six:
    addresses: ["[2001:db8::fffe-2001:db8::1:1]:53", { fwmark: 10, family: ipv6 }]
    protocol: udp
    check: { interval: 1h }
    servers: ["2001:db8:1::1"]
`;

/** Each entry of `MANY` as ipvsadm names it, with its port where a server states none. */
const MANY_ENTRIES = {
  web: [
    ...['192.0.2.1:80', '192.0.2.1:443', '192.0.2.8:80', '192.0.2.9:80', '192.0.2.10:80'].map(
      (at) => `-t ${at}`,
    ),
    ...['64', '65', '66', '67'].map((last) => `-t 192.0.2.${last}:8080`),
    '-f 10',
  ],
  six: [
    ...['2001:db8::fffe', '2001:db8::ffff', '2001:db8::1:0', '2001:db8::1:1'].map((at) => `-u [${at}]:53`),
    '-f 10 -6',
  ],
} as const;

const portIn = (entry: string): string =>
  entry.startsWith('-f') ? '0' : entry.slice(entry.lastIndexOf(':') + 1);

async function manyAddresses(t: Assertions, client: IpvsClient): Promise<void> {
  const config = configOf(MANY);
  const desired = computeDesired(config, new Map());
  const results = await client.apply(
    diffTable(desired, await client.dump()).map(({ operation }) => operation),
  );
  t.strictSame(
    outcomes(results).filter((outcome) => outcome !== 'ok'),
    [],
  );
  const wanted = [
    ...MANY_ENTRIES.web.flatMap((entry) => [
      `-A ${entry} -s wlc`,
      `-a ${entry} -r 198.51.100.1:${portIn(entry)} -m -w 1`,
      `-a ${entry} -r 198.51.100.2:8000 -m -w 2`,
    ]),
    ...MANY_ENTRIES.six.flatMap((entry) => [
      `-A ${entry} -s wlc`,
      `-a ${entry} -r [2001:db8:1::1]:${portIn(entry)} -g -w 1`,
    ]),
  ];
  t.strictSame(saved(), sorted(wanted), 'every address has every server');
  t.strictSame(diffTable(desired, await client.dump()), [], 'and nothing is left to do');
}

/** `Timeout (tcp tcpfin udp): 900 120 300`, as ipvsadm prints it. */
const timeouts = (): string => run('ipvsadm', '-L', '--timeout').trim();
const seconds = (words: string): string => `Timeout (tcp tcpfin udp): ${words}`;

async function timeoutsKept(t: Assertions, client: IpvsClient): Promise<void> {
  const told: string[] = [];
  const follower = new TimeoutFollower({
    table: client,
    store: FORGETFUL,
    timers: systemTimers,
    onState: () => undefined,
    tell: ({ message }) => told.push(message),
  });
  const before = timeouts();
  // 24 days: what the configuration allows is what every kernel can count.
  const asked = 'services: {}\ntimeouts: { tcp: 24d, udp: 1s }';
  follower.configure({ ...configOf(asked), resync: millis(50) });
  t.ok(await eventually(() => timeouts() === seconds('2073600 120 1'), 5000), timeouts());
  run('ipvsadm', ...timeoutWords({ tcp: 77, tcpFin: 78 }).split(' '));
  t.ok(await eventually(() => timeouts() === seconds('2073600 78 1'), 5000), 'ours is undone, theirs stays');
  t.ok(
    told.some((message) => message.includes('tcp 77s, should be 2073600s')),
    told.join('\n'),
  );
  for (const policy of ['report', 'accept'] as const) {
    follower.configure({ ...configOf(`${asked}\ndrift: { timeouts: ${policy} }`), resync: millis(50) });
    t.ok(await eventually(() => timeouts() === seconds('2073600 78 1'), 5000), 'a reload makes it right');
    told.length = 0;
    run('ipvsadm', ...timeoutWords({ udp: policy === 'report' ? 9 : 10 }).split(' '));
    t.ok(await eventually(() => told.length > 0, 5000), `${policy}: it is told`);
    const { left } = await follower.preview();
    t.strictSame(left, [{ name: 'udp', policy, wanted: 1, found: policy === 'report' ? 9 : 10 }]);
    t.equal(told.length, 1, 'once');
  }
  t.equal(timeouts(), seconds('2073600 78 10'), 'and let stand');
  await follower.close();
  const theirs = before.replace(' 120 300', ' 78 10');
  t.equal(timeouts(), theirs, 'in the end the kernel has its own again, but for what others chose');
}

export async function suite(t: Assertions): Promise<void> {
  ip('link set lo up');
  const steps = [
    { name: 'a kernel takes every combination that the configuration takes', body: everything },
    { name: 'a scheduler that this kernel lacks is refused by name', body: lacking },
    { name: 'a service of every port changes no ports, whatever a server says', body: portsStay },
    { name: 'one service of many addresses is an entry for each', body: manyAddresses },
    { name: 'time-outs are set, kept and put back', body: timeoutsKept },
  ];
  for (const { name, body } of steps) {
    await t.test(name, async (t) => {
      const client = open();
      try {
        await body(t, client);
      } finally {
        await client.flush();
        client.close();
      }
    });
  }
}
