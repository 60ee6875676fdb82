/** The contract of `IpvsTable`, held by the kernel through its client. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { IpvsClient } from '../../../src/ipvs/client.js';
import { destText } from '../../../src/ipvs/keys.js';
import type { DestSeen, IpvsTable } from '../../../src/ipvs/model.js';
import { systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import type { Assertions } from '../../contract/assertions.js';
import { ipvsContract } from '../../contract/ipvs.js';
import { applyAll, type ContractPlace, onTable, outcomes } from '../../contract/place.js';
import { dest, key, service } from '../../ipvs/build.js';
import { ip, run } from './run-program.js';

const ADDRESS = '198.51.100.1';
const VIP = '203.0.113.80';
/** The kernel adds counters up every two seconds. */
const COUNTED_WITHIN_MS = 10_000;

function makeInterfaces(): ContractPlace['interfaces'] {
  ip(`addr add ${VIP}/32 dev lo`);
  for (const name of ['up0', 'down0']) ip(`link add ${name} type veth peer name ${name}-peer`);
  ip(`addr add ${ADDRESS}/24 dev up0`);
  ip('link set up0 up');
  ip('link set up0-peer up');
  return { up: 'up0', down: 'down0' };
}

async function until(table: IpvsTable, its: ContractPlace['traffic'], holds: (seen: DestSeen) => boolean) {
  for (const end = performance.now() + COUNTED_WITHIN_MS; performance.now() < end; await pause(100)) {
    const seen = (await table.read(its.service.key))?.dests.get(destText(its.dest.key));
    if (seen === undefined || holds(seen)) return;
  }
  throw new Error('the kernel does not count the connection');
}

/** A real server in this namespace, and connections to it through the VIP. */
async function makeTraffic(): Promise<ContractPlace['traffic']> {
  // The client ends its connections by a reset.
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let client: Socket | undefined;
  const traffic: ContractPlace['traffic'] = {
    service: service(key(VIP), { scheduler: 'rr' }),
    dest: dest(ADDRESS, { forward: { method: 'masquerade' } }, port),
    connect: async (table) => {
      client = connect(80, VIP);
      await once(client, 'connect');
      await until(
        table,
        traffic,
        ({ active, stats }) => active === 1 && stats.packetsIn >= 2n && stats.bytesOut > 0n,
      );
    },
    close: async (table) => {
      client?.resetAndDestroy();
      await until(table, traffic, ({ active }) => active === 0);
    },
  };
  return traffic;
}

/** The one rule that depends on the machine: a table in memory has no addresses of its own. */
async function ownAddresses(t: Assertions, place: ContractPlace): Promise<void> {
  const ipv6 = key('2001:db8::1');
  ip('addr add fe80::77/64 dev up0 nodad');
  await onTable(
    t,
    place,
    'own subnets’ broadcasts are refused, own link-local addresses taken',
    async (t, table) => {
      await applyAll(t, table, { kind: 'add-service', service: service() });
      await applyAll(t, table, { kind: 'add-service', service: service(ipv6) });
      const results = await table.apply([
        { kind: 'add-dest', service: key(), dest: dest('198.51.100.255') },
        { kind: 'add-dest', service: key(), dest: dest(ADDRESS) },
        { kind: 'add-dest', service: key(), dest: dest('198.51.101.255') },
        { kind: 'add-dest', service: ipv6, dest: dest('fe80::78') },
        { kind: 'add-dest', service: ipv6, dest: dest('fe80::77') },
      ]);
      t.strictSame(outcomes(results), ['EINVAL', 'ok', 'ok', 'EINVAL', 'ok']);
    },
  );
}

export async function suite(t: Assertions): Promise<void> {
  const place: ContractPlace = {
    open: async () => new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns }),
    interfaces: makeInterfaces(),
    traffic: await makeTraffic(),
    save: () =>
      run('ipvsadm', '-Sn')
        .split('\n')
        .filter((line) => line !== ''),
  };
  await ipvsContract(t, place);
  await ownAddresses(t, place);
}
