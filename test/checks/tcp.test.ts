import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { ProbeResult, TcpCheck } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { tcpProber } from '../../src/checks/tcp.js';
import { ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { laneProber } from './lane-prober.js';
import {
  closedPort,
  eventually,
  LOCALHOST,
  listen,
  openSockets,
  probeOnce,
  silentTarget,
} from './listeners.js';

const tcp = tcpProber(systemClock.monotonic);
const WAYS = [
  ['by a socket', tcp],
  ['in the lane', laneProber<TcpCheck>(t)],
] as const;
const spec = (target: Target): TcpCheck => ({ type: 'tcp', target });

/** Sockets in TIME_WAIT (state 06) to or from a port of this machine's IPv4. */
function timeWaits(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => line.includes(`:${hex} `) && / 06 /.test(line)).length;
}

t.test(
  'in the lane many probes leave one socket, whatever came of them, and no program hears of them',
  async (t) => {
    let heard = 0;
    const here = await listen(t, () => {
      heard += 1;
    });
    const six = await listen(t, () => undefined, ip('::1'));
    const gone = await closedPort(t);
    const lane = laneProber<TcpCheck>(t);
    const before = openSockets();
    const outcomes = new Set<string>();
    for (let count = 0; count < 60; count += 1)
      for (const target of [here.target, here.target, six.target, gone])
        outcomes.add(
          `${target.port === gone.port} ${(await lane(spec(target), new AbortController().signal)).outcome}`,
        );
    t.same([...outcomes].sort(), ['false pass', 'true fail']);
    t.ok(openSockets() <= before + 1, 'one spare socket');
    t.equal(heard, 0, 'the handshake ends with the reset');
    t.equal(timeWaits(here.target.port), 0);
  },
);

for (const [way, tcp] of WAYS) {
  t.test(`${way}: a listener is up, IPv4 and IPv6; nobody there is refused`, async (t) => {
    const four = await listen(t, () => undefined);
    const up = await probeOnce(t, tcp, spec(four.target), { listeners: [four] });
    t.match(up, { outcome: 'pass', reason: { kind: 'ok' }, phases: [['connect', Number]] });
    const six = await listen(t, () => undefined, ip('::1'));
    t.equal((await probeOnce(t, tcp, spec(six.target), { listeners: [four, six] })).outcome, 'pass');
    await Promise.all([four.close(), six.close()]);
    const dead = await probeOnce(t, tcp, spec(await closedPort(t)));
    t.match(dead, { outcome: 'fail', reason: { kind: 'refused', phase: 'connect' } });
  });

  t.test(
    `${way}: nothing is sent, and the connection ends with a reset that leaves no TIME_WAIT`,
    async (t) => {
      let received = 0;
      const listener = await listen(t, (socket) => {
        socket.on('data', (bytes) => {
          received += bytes.length;
        });
      });
      for (let count = 0; count < 200; count += 1)
        await probeOnce(t, tcp, spec(listener.target), { listeners: [listener] });
      t.ok(await eventually(() => listener.sockets === 1), 'the server saw every connection end');
      t.equal(received, 0);
      t.equal(timeWaits(listener.target.port), 0);
    },
  );

  t.test(
    `${way}: a server that closes at once has accepted all the same; a reset may overtake the connection`,
    async (t) => {
      const closing = await listen(t, (socket) => socket.destroy());
      t.equal((await probeOnce(t, tcp, spec(closing.target), { listeners: [closing] })).outcome, 'pass');
      const resetting = await listen(t, (socket) => socket.resetAndDestroy());
      const { reason } = await probeOnce(t, tcp, spec(resetting.target), { listeners: [resetting] });
      if (reason.kind !== 'ok') t.match(reason, { kind: 'reset', phase: 'connect' });
    },
  );

  t.test(
    `${way}: an address that does not answer runs into the deadline, and its socket is freed`,
    async (t) => {
      const target = await silentTarget(t);
      const result = await probeOnce(t, tcp, spec(target), { deadline: 200 });
      t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'connect' } });
      // A busy machine may begin to count late, but not after most of the time.
      t.ok(result.elapsed >= 100_000, 'it waits for an answer');
    },
  );
}

t.test('a deadline that has fired before the start is a timeout, and opens nothing', async (t) => {
  const listener = await listen(t, () => t.fail('a connection came'));
  const result = await tcp(spec(listener.target), AbortSignal.abort());
  t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'connect' } });
});

t.test('what the network says is a failure, what this machine says is unknown', async (t) => {
  const rows: readonly (readonly [string, Target, object])[] = [
    [
      'multicast has no route',
      { address: ip('224.0.0.1'), port: 80 },
      { kind: 'unreachable', errno: 'ENETUNREACH' },
    ],
    [
      'a port beyond 65535',
      { address: LOCALHOST, port: 65536 },
      { kind: 'local', errno: 'ERR_SOCKET_BAD_PORT' },
    ],
  ];
  for (const [name, target, reason] of rows) {
    const result = await probeOnce(t, tcp, spec(target));
    t.match(result.reason, { ...reason, phase: 'connect' }, name);
    t.equal(result.outcome, 'kind' in reason && reason.kind === 'local' ? 'unknown' : 'fail', name);
  }
});

function tightSpot(command: string, args: readonly string[]): ProbeResult[] {
  const script = fileURLToPath(new URL('./tight-spot.js', import.meta.url));
  const { stdout } = spawnSync('sh', ['-c', command, 'sh', process.execPath, script, ...args], {
    timeout: 20_000,
  });
  return JSON.parse(stdout.toString()) as ProbeResult[];
}

t.test('without descriptors a probe is unknown, and works again when there are some', async (t) => {
  const results = tightSpot('ulimit -n 60; exec "$@"', ['descriptors']);
  t.match(results, [
    { outcome: 'unknown', reason: { kind: 'local', phase: 'connect', errno: 'EMFILE' } },
    { outcome: 'pass' },
  ]);
});

const NAMESPACE = 'unshare -n sh -c \'ip link set lo up && exec "$@"\' sh "$@"';

const noNamespace =
  spawnSync('unshare', ['-n', 'ip', 'link']).status !== 0 && 'network namespaces need root and iproute2';

t.test('without ports: unknown; a connection to itself is no server', { skip: noNamespace }, async (t) => {
  const results = tightSpot(NAMESPACE, ['ports']);
  t.match(results, [
    { outcome: 'unknown', reason: { kind: 'local', phase: 'connect', errno: 'EADDRNOTAVAIL' } },
    { outcome: 'pass' },
    { outcome: 'fail', reason: { kind: 'refused', phase: 'connect' } },
    { outcome: 'fail', reason: { kind: 'refused', phase: 'connect' } },
  ]);
});
