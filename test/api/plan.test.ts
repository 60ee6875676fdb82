/** /v1/plan: what is still to be done to the table, and what of it is let be. */
import t from 'tap';
import type { PlanStatus } from '../../src/api/plan.js';
import { buildApi } from '../../src/api/server.js';
import type { KernelPreview } from '../../src/api/source.js';
import { NOTHING_FOREIGN } from '../../src/ipvs/foreign.js';
import { dest, key, service, syncDaemon } from '../ipvs/build.js';
import { NOTHING_BESIDE, source } from './build.js';

const OTHERS = { service: 'tcp 192.0.2.9:80', key: key('192.0.2.9'), servers: 2 };

t.test('changes with their commands and causes, what was left, and what is foreign', async (t) => {
  const its = source();
  const left = { service: 'web', server: 'web2', kind: 'weight', policy: 'accept' } as const;
  const plan = [
    {
      operation: { kind: 'edit-service', service: service(key(), { scheduler: 'rr' }) },
      cause: { kind: 'configured', service: 'web', server: undefined },
    },
    {
      operation: { kind: 'delete-dest', service: key(), dest: dest('192.0.2.11').key },
      cause: { kind: 'exclusive', service: 'tcp 192.0.2.1:80', server: '192.0.2.11:80' },
    },
  ] as const;
  const preview = { plan, left: [{ ...left, difference: 'weight 9, should be 1' }] };
  const beside = {
    sync: {
      steps: [{ kind: 'start', daemon: syncDaemon('master') }],
      left: [{ role: 'backup', policy: 'report', difference: 'backup on eth1 should not run' }],
    },
    timeouts: { set: { udp: 5 }, left: [{ name: 'tcpFin', policy: 'accept', wanted: 60, found: 61 }] },
  } as const;
  const foreign = { services: [OTHERS], servers: [] };
  const app = buildApi({ ...its, preview: async () => ({ ...preview, foreign, ...beside }) });
  const answer = (await app.inject({ url: '/v1/plan' })).json<PlanStatus>();
  t.same(answer, {
    lastDumpAt: new Date(its.now).toISOString(),
    changes: [
      {
        operation: 'edit-service',
        command: 'ipvsadm -E -t 192.0.2.1:80 -s rr',
        service: 'web',
        server: null,
        cause: 'configured',
        why: 'the configuration says so',
      },
      {
        operation: 'delete-dest',
        command: 'ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.11:80',
        service: 'tcp 192.0.2.1:80',
        server: '192.0.2.11:80',
        cause: 'exclusive',
        why: 'not in the configuration, and the table is `exclusive`',
      },
    ],
    left: [
      { ...left, difference: 'weight 9, should be 1' },
      {
        service: null,
        server: null,
        kind: 'sync',
        policy: 'report',
        difference: 'backup on eth1 should not run',
      },
      {
        service: null,
        server: null,
        kind: 'timeouts',
        policy: 'accept',
        difference: 'tcp-fin 61s, should be 60s',
      },
    ],
    sync: [
      {
        operation: 'start-sync-daemon',
        command:
          'ipvsadm --start-daemon master --mcast-interface eth1 --syncid 51 --mcast-group 224.0.0.81 --mcast-port 8848 --mcast-ttl 1',
      },
    ],
    timeouts: { set: { udp: 5 }, command: 'ipvsadm --set 0 0 5' },
    foreign: ['tcp 192.0.2.9:80'],
  });
  await app.close();
});

t.test('a table that cannot be read is an answer, and the next reading is another one', async (t) => {
  let fails = true;
  const preview = async (): Promise<KernelPreview> => {
    if (fails) throw new Error('the module is gone');
    return { plan: [], left: [], foreign: NOTHING_FOREIGN, ...NOTHING_BESIDE };
  };
  const app = buildApi({ ...source(), preview });
  const answer = await app.inject({ url: '/v1/plan' });
  t.equal(answer.statusCode, 503);
  t.match(answer.json(), { error: { code: 'TABLE', message: /module is gone/ } });
  fails = false;
  t.equal((await app.inject({ url: '/v1/plan' })).statusCode, 200);
  await app.close();
});
