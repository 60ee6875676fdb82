/** One dump of the table serves all readers. */
import t from 'tap';
import { buildApi } from '../../src/api/server.js';
import { Controller } from '../../src/controller.js';
import { seconds } from '../../src/core/units.js';
import { ScriptedTable } from '../fakes/scripted-table.js';
import { FakeTime, turn } from '../fakes/time.js';
import { table } from '../ipvs/build.js';
import { A, B, busy, CONFIG, FTP, source, WEB } from './build.js';

const URLS = ['/v1/status', '/v1/services', '/v1/services/web', '/metrics', '/healthz', '/readyz'];

t.test('however many requests come, the kernel is asked once every interval', async (t) => {
  const time = new FakeTime();
  const scripted = new ScriptedTable(table([WEB, [A, B]], [FTP, []]));
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const controller = new Controller({
    config: CONFIG,
    table: scripted.port(),
    probes: { update: () => undefined },
    alerts: { configure: () => undefined, offer: () => undefined },
    clock: time,
    timers: time,
    turns: { soon: setImmediate },
    log,
  });
  await controller.start();
  const its = source(controller.world());
  const app = buildApi({ ...its, world: () => controller.world() });
  t.teardown(() => app.close());
  const ask = async (): Promise<void> => {
    for (const url of URLS) for (let count = 0; count < 10; count += 1) await app.inject({ url });
  };
  await ask();
  t.equal(scripted.dumps, 1, 'the one at the start');
  scripted.observed = busy(scripted.observed);
  await ask();
  t.equal(scripted.dumps, 1);
  const connections = async (): Promise<number | undefined> => {
    const { body } = await app.inject({ url: '/metrics' });
    const line = body
      .split('\n')
      .find((text) => text.startsWith('lvsentry_service_connections_total{service="web"}'));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  };
  t.equal(await connections(), 0, 'as of the last dump');
  await time.advance(seconds(10));
  await turn();
  t.equal(scripted.dumps, 2, 'the next interval');
  t.equal(await connections(), 15);
  await ask();
  t.equal(scripted.dumps, 2);
  await controller.stop('the test is over');
});
