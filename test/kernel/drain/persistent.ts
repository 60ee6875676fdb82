/** Templates of persistent clients: with and without net.ipv4.vs.expire_quiescent_template. */
import type { Assertions } from '../../contract/assertions.js';
import { TestClient } from '../client.js';
import type { Scene } from '../scene.js';
import { tableBecomes } from '../table-becomes.js';
import { sysctl, VIP } from '../topology.js';
import { lines, web } from './tables.js';

const TIMEOUT_SECONDS = 5;

function expireTemplates(isOn: boolean): void {
  sysctl('director', `net.ipv4.vs.expire_quiescent_template=${isOn ? 1 : 0}`);
}

const NAMES: Readonly<Record<string, string>> = { rs1: 'web1', rs2: 'web2' };

export async function persistent(t: Assertions, scene: Scene): Promise<void> {
  // Its requests never stop: a client that always comes back.
  scene.observer.rest();
  await scene.start(t, web(`    persistence: { timeout: ${TIMEOUT_SECONDS}s }\n`));
  await tableBecomes(t, lines(1, 1, ` -p ${TIMEOUT_SECONDS}`), 'a persistent service');
  const client = await TestClient.start();
  expireTemplates(false);
  const { server: first = '' } = await client.http(VIP);
  t.equal((await client.http(VIP)).server, first, 'the client comes back to its server');
  await scene.tell(NAMES[first] ?? '', 'drain');
  t.equal((await client.http(VIP)).server, first, 'and does so while it drains');
  const started = await scene.event(t, 'drain-started');
  t.ok(/expire_quiescent_template/.test(String(started.msg)), 'the event says what keeps it');
  await scene.sees(NAMES[first] ?? '', ({ admin }) => admin?.left?.persistent === 1);
  t.equal((await scene.server(NAMES[first] ?? '')).admin?.left?.persistent, 1, 'it is counted');
  const finished = await scene.event(t, 'drain-finished');
  t.strictSame([finished.how, finished.persistent], ['empty', 0], 'until the template has expired');
  const { server: second = '' } = await client.http(VIP);
  t.ok(second !== first && second !== '', 'from then on it goes elsewhere');
  await scene.tell(NAMES[first] ?? '', 'undrain');
  t.equal((await client.http(VIP)).server, second, 'and stays there');
  expireTemplates(true);
  await scene.tell(NAMES[second] ?? '', 'drain');
  const [its, other] = second === 'rs1' ? [0, 1] : [1, 0];
  await tableBecomes(t, lines(its, other, ` -p ${TIMEOUT_SECONDS}`), 'the other one drains');
  t.equal((await client.http(VIP)).server, first, 'with the setting it goes elsewhere at once');
  await scene.event(t, 'drain-finished', ({ server }) => server === NAMES[second]);
  t.equal((await client.http(VIP)).server, first, 'for good');
  expireTemplates(false);
  await client.close();
  scene.observer.rest(false);
}
