/** Where the probes of every kind come from; what a chosen network does is tested beside it. */
import { constants } from 'node:os';
import t from 'tap';
import { probeByType } from '../../src/checks/kinds.js';
import { readLibraries } from '../../src/checks/libraries.js';
import { CHECK_TYPES } from '../../src/checks/model.js';
import { namespacePath, useOrigins } from '../../src/checks/origin.js';
import type { Origin, Target } from '../../src/checks/spec-target.js';
import { ip } from '../../src/core/ip.js';
import type { OpenOrigin } from '../../src/core/ports.js';
import { openOrigin } from '../../src/sys/origin.js';
import { datagramServer } from './datagram-server.js';
import { LOCALHOST, listen } from './listeners.js';
import { tlsSettings } from './secure.js';
import { FAR, probers, rowOf, TCP, UDP } from './trouble-column.js';

await readLibraries(CHECK_TYPES);

const NOTHING: Origin = { source: undefined, device: undefined, mark: undefined, namespace: undefined };
const ELSEWHERE = ip('127.0.0.9');

/** With TLS only where the kind is nothing without it. */
function probe(row: string, target: Target, signal = AbortSignal.timeout(FAR)) {
  const { spec, tls } = rowOf(row);
  return probeByType(probers, spec(target, tls === 'always' ? tlsSettings() : undefined), signal);
}

t.test('every kind that speaks over a network asks for a socket with all of its origin', async (t) => {
  const origin: Origin = { source: ELSEWHERE, device: 'eth9', mark: 7, namespace: 'blue' };
  for (const row of [...TCP, ...UDP]) {
    const asked: Parameters<OpenOrigin>[0][] = [];
    useOrigins((request) => {
      asked.push(request);
      return -constants.errno.EPERM;
    });
    const { outcome, reason } = await probe(row, { address: LOCALHOST, port: 9, origin });
    t.match([outcome, reason.kind], ['unknown', 'local'], `${row}: no failure of the server`);
    t.equal(asked.length, 1, row);
    const { type, mark, device, namespace } = asked[0] ?? {};
    const isUdp = UDP.includes(row);
    t.same([type, mark, namespace], [isUdp ? 'udp' : 'tcp', 7, namespacePath('blue')], row);
    t.equal(Buffer.from(device ?? []).toString(), 'eth9', row);
    t.same([...(asked[0]?.source ?? [])].slice(4, 8), [127, 0, 0, 9], row);
  }
});

t.test('a socket that this machine refuses is no failure of any server', async (t) => {
  const errors = ['EPERM', 'ENOMEM', 'EACCES', 'ENFILE', 'EMFILE', 'EADDRNOTAVAIL', 'ENOBUFS'] as const;
  for (const name of errors) {
    useOrigins(() => -constants.errno[name]);
    for (const row of [...TCP, ...UDP]) {
      const target = { address: LOCALHOST, port: 9, origin: { ...NOTHING, mark: 7 } };
      const { outcome, reason } = await probe(row, target);
      t.match([outcome, reason], ['unknown', { kind: 'local', errno: name }], `${row}: ${name}`);
    }
  }
});

t.test('servers see every kind come from the address that is said', async (t) => {
  useOrigins(openOrigin);
  const origin: Origin = { ...NOTHING, source: ELSEWHERE };
  const seen = new Map<string, string | undefined>();
  for (const row of TCP) {
    const server = await listen(t, (socket) => {
      seen.set(row, socket.remoteAddress);
      socket.destroy();
    });
    await probe(row, { ...server.target, origin });
    await server.close();
  }
  for (const row of UDP) {
    const over = new AbortController();
    const server = await datagramServer(t, (_, from) => {
      seen.set(row, from.address);
      over.abort();
      return [];
    });
    await probe(row, { ...server.target, origin }, over.signal);
  }
  t.same(Object.fromEntries(seen), Object.fromEntries([...TCP, ...UDP].map((row) => [row, ELSEWHERE])));
});

t.test('what there is not is no failure of any server', async (t) => {
  useOrigins(openOrigin);
  const missing: readonly Partial<Origin>[] = [
    { source: ip('203.0.113.1') },
    { device: 'nowhere0' },
    { namespace: 'nowhere' },
  ];
  for (const row of [...TCP, ...UDP])
    for (const one of missing) {
      const target = { address: LOCALHOST, port: 9, origin: { ...NOTHING, ...one } };
      const { outcome, reason } = await probe(row, target);
      t.match([outcome, reason.kind], ['unknown', 'local'], `${row} ${Object.keys(one)}`);
    }
});
