/** Others change the table in a loop, under traffic, while a server comes and goes; and the module goes and comes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import type { Random } from '../../sim/random.js';
import { eventually, TestClient } from '../client.js';
import type { Director } from '../director.js';
import { isGuest, unloadIpvs } from '../guest/module.js';
import { httpServer, type TestServer } from '../servers.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, runOn, VIP } from '../topology.js';

const LIMIT_MS = 60_000;
const WEB = `-t ${VIP}:80`;
const RS1 = `${WEB} -r ${ADDRESSES.rs1}:80`;
const RIGHT = [`-A ${WEB} -s wlc`, `-a ${RS1} -g -w 1`, `-a ${WEB} -r ${ADDRESSES.rs2}:80 -g -w 1`];
const FOREIGN = '-t 192.0.2.200:80';

const CONFIG = `
name: meddled
resync: 1s
cold-start: 1s
defaults: { check: { interval: 500ms, timeout: 400ms, rise: 1, fall: 1 } }
services:
  web: { address: ${VIP}:80, servers: [${ADDRESSES.rs1}, ${ADDRESSES.rs2}] }
`;

/** Somebody else at the table. What is not there any more cannot be changed: that is no fault of theirs. */
class Meddler {
  /** What is foreign in the table by now. */
  foreign: string[] = [];
  readonly done = new Map<string, number>();

  #try(line: string): boolean {
    try {
      runOn('director', 'ipvsadm', ...line.split(' '));
      return true;
    } catch {
      return false;
    }
  }

  once(chance: Random, server: TestServer): Promise<void> | undefined {
    const deeds: readonly (readonly [string, () => Promise<void> | undefined])[] = [
      ['clear', () => this.#clear()],
      ['delete a server', () => void this.#try(`-d ${RS1}`)],
      ['change a scheduler', () => void this.#try(`-E ${WEB} -s rr`)],
      ['change a weight', () => void this.#try(`-e ${RS1} -g -w 7`)],
      ['add a foreign service', () => this.#addForeign(chance.whole(1, 9))],
      ['break or heal a server', () => (server.process.running ? server.stop() : server.start())],
    ];
    const [name, deed] = chance.pick(deeds);
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
    return deed();
  }

  #clear(): undefined {
    if (this.#try('-C')) this.foreign = [];
  }

  #addForeign(weight: number): undefined {
    const server = `${FOREIGN} -r 192.0.2.201:80 -m -w ${weight}`;
    if (this.foreign.length === 0) this.#try(`-A ${FOREIGN} -s rr`);
    if (this.#try(`${this.foreign.length === 0 ? '-a' : '-e'} ${server}`))
      this.foreign = [`-A ${FOREIGN} -s rr`, `-a ${server}`];
  }
}

/** As many deeds; afterwards the table is right beside what others left, and requests are answered. */
export async function meddling(
  t: Assertions,
  director: Director,
  chance: Random,
  deeds: number,
): Promise<void> {
  const servers = [httpServer('rs1'), httpServer('rs2')] as const;
  await Promise.all(servers.map((server) => server.start()));
  director.configure(CONFIG);
  await director.start();
  await tableBecomes(t, RIGHT, 'the table is right', LIMIT_MS);
  const client = await TestClient.start();
  const loop = client.loop(200, { protocol: 'http', address: VIP, port: 80, timeoutMs: 2000 });
  const meddler = new Meddler();
  for (let count = 0; count < deeds; count += 1) {
    await meddler.once(chance, servers[1]);
    await pause(chance.between(50, 600));
  }
  if (!servers[1].process.running) await servers[1].start();
  await tableBecomes(
    t,
    [...RIGHT, ...meddler.foreign],
    'it is right again, beside what is foreign',
    LIMIT_MS,
  );
  const said = [...meddler.done].map(([name, count]) => `${name} ${count}`).join(', ');
  const answers = await loop.stop();
  const good = answers.filter(({ status }) => status === 200).length;
  t.comment(`${said}; ${good} of ${answers.length} requests were answered meanwhile`);
  const last = await client.http(VIP);
  t.equal(last.status, 200, 'requests are answered');
  t.ok(director.events('table-drift').length > 0 && director.process.running, 'drift was told, and it lives');
  await client.close();
  await moduleGoes(t, director, [...RIGHT]);
  await director.stop();
  runOn('director', 'ipvsadm', '-C');
  await Promise.all(servers.map((server) => server.stop()));
}

/** The module is unloaded and loaded while the daemon cannot hold it; when it runs on, the table is right again. */
async function moduleGoes(t: Assertions, director: Director, wanted: readonly string[]): Promise<void> {
  if (!isGuest()) return;
  director.process.freeze();
  runOn('director', 'ipvsadm', '-C');
  unloadIpvs();
  director.process.thaw();
  await tableBecomes(t, wanted, 'after the module went and came', LIMIT_MS);
  t.ok(await eventually(() => director.process.running, 0), 'it lives');
}
