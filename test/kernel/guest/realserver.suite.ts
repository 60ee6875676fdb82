/** `lvsentry realserver` alone makes real servers: traffic by direct routing and by tunnels, and everything undone. */
import type { Assertions } from '../../contract/assertions.js';
import { TestClient } from '../client.js';
import { prepareByLvsentry, realserver } from '../real-servers.js';
import { startServers } from '../servers.js';
import { ADDRESSES, buildTopology, runOn, useMethod, VIP } from '../topology.js';
import { ip } from './run-program.js';

const SERVERS = ['rs1', 'rs2'] as const;
const REQUESTS = 4;
const FORWARDS = { direct: '-g -w 1', tunnel: '-i -w 1 --tun-type ipip' } as const;

function ipvsadm(line: string): void {
  runOn('director', 'ipvsadm', ...line.split(' '));
}

/** All that `up` may change. */
function state(server: (typeof SERVERS)[number]): string {
  const settings = ['all', 'lo', 'eth0'].flatMap((name) =>
    ['arp_ignore', 'arp_announce', 'rp_filter'].map((setting) => `net.ipv4.conf.${name}.${setting}`),
  );
  return `${runOn(server, 'sysctl', ...settings)}${ip(`-n ${server} -br address show up`)}`;
}

async function answers(client: TestClient): Promise<(string | undefined)[]> {
  const servers: (string | undefined)[] = [];
  for (let count = 0; count < REQUESTS; count += 1) servers.push((await client.http(VIP)).server);
  return servers.sort();
}

export async function suite(t: Assertions): Promise<void> {
  const before = new Map<string, string>();
  buildTopology(() => {
    // As many distributions set it: it drops what comes out of a tunnel.
    for (const server of SERVERS) runOn(server, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    for (const server of SERVERS) before.set(server, state(server));
    prepareByLvsentry();
  });
  await startServers(process.env.LAB_SHARED ?? '');
  const client = await TestClient.start();

  for (const method of ['direct', 'tunnel'] as const)
    await t.test(`${method}: the client reaches both servers by the VIP`, async (t) => {
      useMethod(method);
      ipvsadm(`-A -t ${VIP}:80 -s rr`);
      for (const server of SERVERS) ipvsadm(`-a -t ${VIP}:80 -r ${ADDRESSES[server]}:80 ${FORWARDS[method]}`);
      t.strictSame(await answers(client), ['rs1', 'rs1', 'rs2', 'rs2']);
      const owner = ip(`-n client neigh show ${VIP}`);
      const mac = runOn('director', 'cat', '/sys/class/net/eth0/address').trim();
      t.ok(owner.includes(mac), `the VIP is at the director: ${owner}`);
      ipvsadm('-C');
    });

  await t.test('the filter of other interfaces stays as it was, loose on the tunnel alone', async (t) => {
    for (const server of SERVERS) {
      t.equal(runOn(server, 'sysctl', '-n', 'net.ipv4.conf.all.rp_filter').trim(), '1');
      t.equal(runOn(server, 'sysctl', '-n', 'net.ipv4.conf.tunl0.rp_filter').trim(), '2');
    }
  });

  await t.test('down leaves a server as it was', async (t) => {
    for (const server of SERVERS) {
      realserver(server, 'down', '--tunnel');
      realserver(server, 'check');
      realserver(server, 'down');
      t.equal(state(server), before.get(server), server);
    }
  });
}
