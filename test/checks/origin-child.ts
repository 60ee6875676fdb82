/**
 * Probes with an origin, in a network of this process's own, against servers in another one that tell who asked:
 * `unshare -n node origin-child.js KEY CERTIFICATE`. Prints a line of JSON for each probe.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allProbers, lanePlanOf, probeByType } from '../../src/checks/kinds.js';
import { Lane, type LaneToken } from '../../src/checks/lane.js';
import type { ProbeResult, ProbeSpec } from '../../src/checks/model.js';
import { useOrigins } from '../../src/checks/origin.js';
import { reasonText } from '../../src/checks/reason.js';
import { systemClock } from '../../src/sys/clock.js';
import { openConnector } from '../../src/sys/connector.js';
import { openOrigin } from '../../src/sys/origin.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { serviceOf } from '../config/given.js';
import { ORIGINS, type OriginProbe } from './origin-probes.js';
import { runProgram } from './programs.js';

const ip = (...words: string[]): void => void execFileSync('ip', words);
const DEADLINE = 1500;

const far = spawn(
  'unshare',
  [
    '-n',
    process.execPath,
    fileURLToPath(new URL('./origin-far.js', import.meta.url)),
    ...process.argv.slice(2),
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
process.on('exit', () => far.kill());
const there = `/proc/${far.pid}/ns/net`;
const inFar = (...words: string[]): void => void execFileSync('nsenter', [`--net=${there}`, 'ip', ...words]);

/** Two cables: `good` leads to the servers by 10.9.0.3, `dull` to nobody who answers. Both could be the way to 10.9.9.9. */
function lay(): void {
  ip('link', 'set', 'lo', 'up');
  for (const [near, end] of [
    ['good', 'good-far'],
    ['dull', 'dull-far'],
  ] as const) {
    ip('link', 'add', near, 'type', 'veth', 'peer', end);
    ip('link', 'set', end, 'netns', String(far.pid));
    ip('link', 'set', near, 'up');
    inFar('link', 'set', end, 'up');
  }
  inFar('link', 'set', 'lo', 'up');
  for (const address of ['10.9.0.1/24', '10.9.0.2/24']) ip('address', 'add', address, 'dev', 'good');
  for (const address of ['10.9.0.3/24', '10.9.9.9/32']) inFar('address', 'add', address, 'dev', 'good-far');
  for (const address of ['fd00:9::1/64', 'fd00:9::2/64', 'fd00:9::4/64'])
    ip('address', 'add', address, 'dev', 'good', 'nodad');
  inFar('address', 'add', 'fd00:9::3/64', 'dev', 'good-far', 'nodad');
  // From these nothing is ever answered: whoever is there sees by it where an echo came from.
  ip('address', 'add', '10.9.0.4/24', 'dev', 'good');
  inFar('route', 'add', 'blackhole', '10.9.0.4');
  inFar('route', 'add', 'blackhole', 'fd00:9::4');
  ip('address', 'add', '10.8.0.1/24', 'dev', 'dull');
  ip('route', 'add', '10.9.9.9', 'dev', 'dull', 'metric', '1');
  ip('route', 'add', '10.9.9.9', 'via', '10.9.0.3', 'dev', 'good', 'metric', '2');
  ip('rule', 'add', 'fwmark', '0x80000001', 'table', '77');
  ip('route', 'add', '10.9.9.9', 'via', '10.9.0.3', 'src', '10.9.0.2', 'table', '77');
}

function specOf({ check, target }: OriginProbe): ProbeSpec {
  const text = check.replace('THERE', there);
  const service = serviceOf(
    `fwmark: 1\nfamily: ${target.startsWith('[') ? 'ipv6' : 'ipv4'}\nforward: masquerade\ncheck: { timeout: 1s, ${text} }\nservers: ["${target}"]`,
  );
  const probe = service.servers[0]?.checks[0].probe;
  if (probe === undefined) throw new Error(`nothing to probe in ${check}`);
  return probe;
}

/** Who may have unprivileged sockets for echoes: everybody, or nobody but who may have raw ones. */
function allowPings(range: '0 2147483647' | '1 0'): void {
  const write = `echo ${range} > /proc/sys/net/ipv4/ping_group_range`;
  execFileSync('sh', ['-c', write]);
  execFileSync('nsenter', [`--net=${there}`, 'sh', '-c', write]);
}

/** By an unprivileged socket; the prober has a raw one. */
async function unprivileged(spec: ProbeSpec): Promise<ProbeResult> {
  allowPings('0 2147483647');
  const result = await byProber(spec);
  allowPings('1 0');
  return result;
}

const probers = allProbers({ clock: systemClock, openSocket: openPacketSocket, run: runProgram });

async function byProber(spec: ProbeSpec): Promise<ProbeResult> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), DEADLINE);
  const result = await probeByType(probers, spec, deadline.signal);
  clearTimeout(timer);
  return result;
}

/** Undefined where the lane does not take it. */
function byLane(spec: ProbeSpec): Promise<ProbeResult | undefined> {
  return new Promise((resolve) => {
    const lane = Lane.open<LaneToken>({
      openConnector,
      slots: 1,
      planOf: lanePlanOf,
      onResult: (_token, result) => resolve(result),
      onTold: () => undefined,
    });
    const token = { laneSlot: -1 };
    if (lane?.start(token, spec) !== true) return resolve(undefined);
    lane.flush();
    setTimeout(() => {
      if (token.laneSlot >= 0) resolve(lane.expire(token, (DEADLINE * 1000) as never));
    }, DEADLINE);
  });
}

const textOf = (result: ProbeResult | undefined): string =>
  result === undefined ? 'not taken' : `${result.outcome}: ${reasonText(result.reason)}`;

if (far.stdout === null) throw new Error('the far side does not speak');
await once(far.stdout, 'data');
lay();
const home = readlinkSync('/proc/thread-self/ns/net');
for (const probe of ORIGINS) {
  // Without who opens sockets nothing is probed, and nothing is said of the server.
  if (probe.opener !== false) useOrigins(openOrigin);
  const spec = specOf(probe);
  const [prober, lane] =
    spec.type === 'ping'
      ? [await byProber(spec), await unprivileged(spec)]
      : await Promise.all([byProber(spec), byLane(spec)]);
  process.stdout.write(`${JSON.stringify({ prober: textOf(prober), lane: textOf(lane) })}\n`);
}
const open = (): string[] => readdirSync('/proc/self/fd');
const before = open().length;
for (const { check } of ORIGINS.slice(1))
  if (check.includes('nowhere')) await byProber(specOf({ check, target: '10.9.0.3:8000', expect: [] }));
process.stdout.write(
  `${JSON.stringify({ home: readlinkSync('/proc/thread-self/ns/net') === home, leaked: open().length - before })}\n`,
);
process.exit(0);
