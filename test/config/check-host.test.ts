/** Checks that are not of a port of the server: what their keys come to. */
import t from 'tap';
import type { ProbeSpec } from '../../src/checks/model.js';
import { serverOf } from './given.js';

const FWMARK = 'fwmark: 7\nforward: masquerade';
const WEB = 'address: 192.0.2.1:80\nforward: masquerade';

function probeOf(check: string, service = FWMARK, server = '192.0.2.2'): ProbeSpec {
  return serverOf(`${service}\ncheck: ${check}\nservers: ["${server}"]`).checks[0].probe;
}

t.test('ping has no port, whatever the server and the defaults have', async (t) => {
  const ping = { type: 'ping', target: { address: '192.0.2.2', port: 0 } };
  t.same(probeOf('{ type: ping }'), ping);
  t.same(probeOf('{ type: ping }', WEB), ping);
  t.same(probeOf('{ type: ping }', WEB, '192.0.2.2:8080'), ping);
});

t.test('a port in a ping is refused, not left out', async (t) => {
  t.throws(
    () => probeOf('{ type: ping, port: 80 }'),
    /services\.\w+\.check\.port: ping checks have no `port`$/,
  );
});

t.test(
  'where a ping comes from can be chosen, by itself and by the defaults; its service is no way',
  async (t) => {
    t.match(probeOf('{ type: ping, mark: 7 }'), { target: { port: 0, origin: { mark: 7 } } });
    const outer = `${FWMARK}\nservers: [{ address: 192.0.2.2, check: { type: ping } }]\ncheck: { interface: eth1 }`;
    t.match(serverOf(outer).checks[0].probe, { type: 'ping', target: { origin: { device: 'eth1' } } });
    t.throws(() => probeOf('{ type: ping, through: service }'), /ping checks have no `through`/);
  },
);
