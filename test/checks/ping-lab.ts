/**
 * A program that pings in a network of its own: run it in a new network namespace, where it makes a second one behind a
 * pair of links, with a router that refuses in every way that routes know. Prints its results as JSON.
 * The argument is the range of groups that may have unprivileged sockets: `1 0` for none.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ProbeResult } from '../../src/checks/model.js';
import { pingProber } from '../../src/checks/ping.js';
import { ip } from '../../src/core/ip.js';
import type { OpenPacketSocket } from '../../src/core/ports.js';
import { systemClock } from '../../src/sys/clock.js';
import { openPacketSocket } from '../../src/sys/packet.js';

const SOCK_RAW = 3;

const router = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec cat'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
await once(router.stdout, 'data');
const inRouter = (...words: readonly string[]): void => {
  execFileSync('nsenter', ['-t', String(router.pid), '-n', ...words]);
};
const net = (words: string): void => void execFileSync('ip', words.split(' '));
const netThere = (words: string): void => inRouter('ip', ...words.split(' '));

writeFileSync('/proc/sys/net/ipv4/ping_group_range', process.argv[2] ?? '1 0');
net('link set lo up');
net(`link add here type veth peer name there netns ${router.pid}`);
net('address add 10.9.0.1/24 dev here');
net('address add 2001:db8:9::1/64 dev here nodad');
net('link set here up');
netThere('link set lo up');
netThere('address add 10.9.0.2/24 dev there');
netThere('address add 2001:db8:9::2/64 dev there nodad');
netThere('link set there up');
net('route add 198.18.0.0/15 via 10.9.0.2');
net('route add 2001:db8:100::/40 via 2001:db8:9::2');
// Whoever routes refuses by these; else it only knows no way.
inRouter(
  'sh',
  '-c',
  'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
);
inRouter(
  'sh',
  '-c',
  'echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit',
);
for (const [kind, four, six] of [
  ['unreachable', '198.18.1.1', '2001:db8:101::1'],
  ['prohibit', '198.18.2.1', '2001:db8:102::1'],
  ['blackhole', '198.18.3.1', '2001:db8:103::1'],
] as const) {
  netThere(`route add ${kind} ${four}`);
  netThere(`-6 route add ${kind} ${six}`);
}
net('route add prohibit 203.0.113.1');

let rawSockets = 0;
const counting: OpenPacketSocket = (domain, type, protocol) => {
  if (type === SOCK_RAW) rawSockets += 1;
  return openPacketSocket(domain, type, protocol);
};
const ping = pingProber(() => systemClock.monotonic(), counting);
const probe = (address: string, limit = 5000): Promise<ProbeResult> =>
  ping({ type: 'ping', target: { address: ip(address), port: 0 } }, AbortSignal.timeout(limit));

const results: Record<string, ProbeResult> = {};
for (const address of ['127.0.0.1', '::1', '10.9.0.2', '2001:db8:9::2'])
  results[address] = await probe(address);
for (const last of [1, 2, 4] as const) {
  results[`198.18.${last}.1`] = await probe(`198.18.${last}.1`);
  results[`2001:db8:10${last}::1`] = await probe(`2001:db8:10${last}::1`);
}
for (const address of ['198.18.3.1', '2001:db8:103::1']) results[address] = await probe(address, 300);
for (const address of ['203.0.113.1', '192.0.2.1']) results[address] = await probe(address);

// All at once: nobody hears what belongs to somebody else. A router of IPv4 refuses one of us once a second.
const crowd = ['10.9.0.2', '198.18.3.1', '2001:db8:9::2', '2001:db8:101::1'];
const together = await Promise.all(
  Array.from({ length: 60 }, (_, index) => probe(crowd[index % crowd.length] ?? '', 1000)),
);
const mixed = together.map(({ outcome, reason }, index) => [
  crowd[index % crowd.length],
  outcome,
  reason.kind,
]);

router.stdin.end();
await once(router, 'exit');
process.stdout.write(`${JSON.stringify({ results, mixed, rawSockets })}\n`, () => process.exit(0));
