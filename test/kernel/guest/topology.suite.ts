/** The topology itself: a table set by ipvsadm carries real traffic with every method, and servers break and heal. */
import type { Assertions } from '../../contract/assertions.js';
import { eventually, TestClient } from '../client.js';
import { startServers } from '../servers.js';
import { ADDRESSES, buildTopology, directorTable, type Method, runOn, useMethod, VIP } from '../topology.js';

const OPTIONS: Readonly<Record<Method, string>> = {
  direct: '-g -w 1',
  masquerade: '-m -w 1',
  tunnel: '-i -w 1 --tun-type ipip',
};

const REQUESTS = 6;

function ipvsadm(line: string): void {
  runOn('director', 'ipvsadm', ...line.split(' '));
}

function fill(port: number, method: Method): string[] {
  const lines = [
    `-A -t ${VIP}:${port} -s rr`,
    `-a -t ${VIP}:${port} -r ${ADDRESSES.rs1}:${port} ${OPTIONS[method]}`,
    `-a -t ${VIP}:${port} -r ${ADDRESSES.rs2}:${port} ${OPTIONS[method]}`,
  ];
  for (const line of lines) ipvsadm(line);
  return lines;
}

async function askInTurn(
  ask: () => Promise<{ server: string | undefined }>,
): Promise<(string | undefined)[]> {
  const servers: (string | undefined)[] = [];
  for (let count = 0; count < REQUESTS; count += 1) servers.push((await ask()).server);
  return servers;
}

export async function suite(t: Assertions): Promise<void> {
  buildTopology();
  const folder = process.env.LAB_SHARED ?? '';
  const { http, ftp } = await startServers(folder);
  const client = await TestClient.start();
  const inTurn = Array.from({ length: REQUESTS }, (_, index) => (index % 2 === 0 ? 'rs1' : 'rs2'));

  for (const method of ['direct', 'masquerade', 'tunnel'] as const) {
    await t.test(`${method}: requests to the VIP reach both servers in turn, by HTTP and FTP`, async (t) => {
      useMethod(method);
      const lines = [...fill(21, method), ...fill(80, method)];
      t.strictSame(directorTable(), lines, 'ipvsadm prints what was set');
      t.strictSame((await askInTurn(() => client.http(VIP))).sort(), [...inTurn].sort());
      t.strictSame((await askInTurn(() => client.ftp(VIP))).sort(), [...inTurn].sort());
      t.strictSame((await client.ftp(VIP)).status, 230, 'the login succeeds');
      ipvsadm('-C');
      t.strictSame(directorTable(), []);
    });
  }

  await t.test('without a table nobody answers at the VIP', async (t) => {
    t.ok((await client.http(VIP)).error?.includes('ECONNREFUSED'));
  });

  await t.test('a server stops, freezes, answers 500, and heals', async (t) => {
    const { rs1 } = http;
    const ask = () => client.http(ADDRESSES.rs1, 80, 1000);
    await rs1.stop();
    t.ok((await ask()).error?.includes('ECONNREFUSED'), 'refused while it is stopped');
    await rs1.start();
    t.equal((await ask()).status, 200);
    rs1.freeze();
    t.equal((await ask()).error, 'timeout', 'silent while it is frozen');
    rs1.thaw();
    t.equal((await ask()).status, 200);
    await rs1.order({ status: 500 });
    t.equal((await ask()).status, 500);
    await rs1.order({ status: 200 });
    t.equal((await ask()).status, 200);
    ftp.rs2.freeze();
    t.equal((await client.ftp(ADDRESSES.rs2, 21, 1000)).error, 'timeout');
    ftp.rs2.thaw();
    t.equal((await client.ftp(ADDRESSES.rs2)).server, 'rs2');
  });

  await t.test('a loop of requests records those that failed', async (t) => {
    useMethod('direct');
    fill(80, 'direct');
    const loop = client.loop(200, { protocol: 'http', address: VIP, port: 80, timeoutMs: 10_000 });
    t.ok(await eventually(() => loop.recorded.length >= 4, 20_000), 'it goes on by itself');
    await http.rs1.stop();
    // Those under way may see a reset instead.
    const refused = () => loop.recorded.some(({ error }) => error?.includes('ECONNREFUSED'));
    t.ok(await eventually(refused, 20_000), 'the stopped server shows');
    ipvsadm(`-d -t ${VIP}:80 -r ${ADDRESSES.rs1}:80`);
    const recorded = await loop.stop();
    t.ok(
      recorded.slice(0, 4).every(({ status }) => status === 200),
      'all was well at first',
    );
    const after = await askInTurn(() => client.http(VIP));
    t.strictSame(after, new Array(REQUESTS).fill('rs2'), 'none fails once it is out of the table');
  });
}
