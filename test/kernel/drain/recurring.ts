/**
 * A window that comes again and again, through its whole life, over a service that takes TCP and UDP at one address: one
 * mark, one set of servers and of checks.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import type { GuestProcess } from '../process.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, directorTable, type Host, runOn, startOn, VIP } from '../topology.js';

const MARK = 7;
const WEIGHT = 8;
const MINUTE_MS = 60_000;
const AHEAD_MS = 10_000;
/** The daemon is started in this time, and the connections are open. */
const READY_MS = 30_000;
const DATAGRAMS = 10;

/** Every packet for the VIP, whatever its protocol. */
const MARK_LINE = `filter add dev eth0 parent ffff: protocol ip u32 match ip dst ${VIP}/32 action skbedit mark ${MARK}`;

const SERVE = `const socket = require('dgram').createSocket('udp4');
socket.on('message', (_, { port, address }) => socket.send(process.argv[1], port, address));
socket.bind(80, '${VIP}');`;

/** Each datagram comes from another port: it is a connection of its own. */
const ASK = `const { createSocket } = require('dgram');
setInterval(() => {
  const socket = createSocket('udp4');
  const end = (word) => { console.log(word); clearTimeout(late); socket.close(); };
  const late = setTimeout(end, 5000, 'lost');
  socket.once('message', (name) => end(String(name)));
  socket.send('?', 80, '${VIP}');
}, 200);`;

const lines = (rs1: number): string[] => [
  `-A -f ${MARK} -s rr`,
  `-a -f ${MARK} -r ${ADDRESSES.rs1}:0 -g -w ${rs1}`,
  `-a -f ${MARK} -r ${ADDRESSES.rs2}:0 -g -w 1`,
];

function configuration(from: Date): string {
  const [first, second] = [from.getUTCMinutes(), (from.getUTCMinutes() + 2) % 60];
  return `
maintenance:
  updates: { schedule: '${first},${second} * * * *', duration: 1m, ahead: ${AHEAD_MS}ms, tags: [rack-1], reason: updates }
services:
  web:
    fwmark: ${MARK}
    scheduler: rr
    admit: { canary: 1, ramp: 4s }
    servers:
      - { name: web1, address: ${ADDRESSES.rs1}, weight: ${WEIGHT}, tags: [rack-1] }
      - { name: web2, address: ${ADDRESSES.rs2} }
`;
}

/** Who answers the datagrams from now on. */
async function answering(asker: GuestProcess): Promise<string[]> {
  // What was asked before may have gone elsewhere.
  const mark = asker.lines.length + 2;
  await eventually(() => asker.lines.length >= mark + DATAGRAMS, PATIENCE_MS);
  return [...new Set(asker.lines.slice(mark))].sort();
}

function weightOfRs1(): number {
  const line = directorTable().find((each) => each.includes(`-r ${ADDRESSES.rs1}:`));
  return Number(line?.split(' -w ')[1] ?? -1);
}

async function comesBack(t: Assertions, scene: Scene): Promise<void> {
  const weights = [0];
  const isBack = (): boolean => {
    const weight = weightOfRs1();
    if (weight !== weights.at(-1)) weights.push(weight);
    return weight === WEIGHT;
  };
  t.ok(await eventually(isBack, 2 * PATIENCE_MS, 100), `it comes back: ${weights.join(', ')}`);
  t.equal(scene.director.events('maintenance-ends').length, 1, 'when the window is over');
  t.strictSame(
    weights,
    [...weights].sort((a, b) => a - b),
    'its weight only grows',
  );
  t.ok(weights.length > 3 && weights[1] === 1, `from small on, by stages: ${weights.join(', ')}`);
}

async function life(t: Assertions, scene: Scene, asker: GuestProcess): Promise<void> {
  const from = new Date(Math.ceil((Date.now() + READY_MS + AHEAD_MS) / MINUTE_MS) * MINUTE_MS);
  await scene.start(t, configuration(from));
  await tableBecomes(t, lines(WEIGHT), 'one entry, for both protocols');
  const talks = await scene.talks(t, 10);
  t.strictSame(await answering(asker), ['rs1', 'rs2'], 'datagrams reach both servers');
  t.strictSame(
    (await scene.status()).maintenance.map(({ active, next }) => [active, Date.parse(next ?? '')]),
    [[false, from.getTime() - AHEAD_MS]],
    'the status says when the drain begins',
  );
  await pause(Math.max(0, from.getTime() - AHEAD_MS - Date.now()));
  const drain = await scene.event(t, 'drain-started');
  await tableBecomes(t, lines(0), 'it drains');
  await scene.newOnes(t, ['rs2'], 'new connections go elsewhere');
  t.strictSame(await answering(asker), ['rs2'], 'and datagrams too');
  const window = await scene.event(t, 'maintenance-begins');
  t.ok(Number(drain.at) < Number(window.at), 'ahead of the window');
  await scene.liveOn(t, talks, 'established connections live on');
  await comesBack(t, scene);
  t.ok(Date.now() >= from.getTime() + MINUTE_MS, 'not before its end');
  t.strictSame(await answering(asker), ['rs1', 'rs2'], 'datagrams reach it again');
  await scene.liveOn(t, talks, 'and nobody was lost');
  const again = (): boolean => scene.director.events('drain-started').length === 2;
  t.ok(await eventually(again, 2 * PATIENCE_MS), 'the next window drains again');
  t.ok(Date.now() >= from.getTime() + 2 * MINUTE_MS - AHEAD_MS, 'in its time');
  await tableBecomes(t, lines(0), 'in the table too');
  await scene.liveOn(t, talks, 'and the connections live on');
  t.ok(!asker.lines.includes('lost'), 'no datagram was lost all the time');
  scene.hangUp(talks);
}

export async function recurring(t: Assertions, scene: Scene): Promise<void> {
  runOn('director', 'tc', 'qdisc', 'add', 'dev', 'eth0', 'ingress');
  runOn('director', 'tc', ...MARK_LINE.split(' '));
  const serve = (host: Host): GuestProcess => startOn(host, process.execPath, '-e', SERVE, host);
  const servers = [serve('rs1'), serve('rs2')];
  const isBound = (host: Host): boolean => runOn(host, 'ss', '-Hlun').includes(`${VIP}:80`);
  t.ok(await eventually(() => isBound('rs1') && isBound('rs2'), PATIENCE_MS, 200), 'the servers listen');
  // The service is not there yet: who asks now asks in vain.
  const asker = startOn('client', process.execPath, '-e', `setTimeout(() => { ${ASK} }, ${READY_MS / 2});`);
  try {
    await life(t, scene, asker);
  } finally {
    for (const each of [asker, ...servers]) await each.stop();
    runOn('director', 'tc', 'qdisc', 'del', 'dev', 'eth0', 'ingress');
  }
}
