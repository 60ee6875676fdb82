import t from 'tap';
import { configOf, faultsOf } from './given.js';

const timeoutsOf = (keys: string) => configOf(`services: {}\ntimeouts: ${keys}`).timeouts;

t.test('those that are stated are set, in whole seconds; the others are left alone', async (t) => {
  t.same(configOf('services: {}').timeouts, {});
  t.same(timeoutsOf('{}'), {});
  t.same(timeoutsOf('{ tcp: 15m }'), { tcp: 900 });
  t.same(timeoutsOf('{ tcp: 24d, tcp-fin: 1.5m, udp: 1000ms }'), { tcp: 2_073_600, tcpFin: 90, udp: 1 });
});

t.test('every fault is told, each in its place', async (t) => {
  t.same(faultsOf('services: {}\ntimeouts: { tcp: 1500ms, tcp-fin: 25d, udp: 0s }'), [
    'a.yaml:2:18: timeouts.tcp: 1500ms is not a whole number of seconds, which is all the kernel can keep',
    'a.yaml:2:35: timeouts.tcp-fin: "25d" is not a duration from 1s to 24d, such as 30s',
    'a.yaml:2:45: timeouts.udp: "0s" is not a duration from 1s to 24d, such as 60s',
  ]);
  t.match(faultsOf('services: {}\ntimeouts: { tcpfin: 1m }'), [/unknown key.*did you mean "tcp-fin"/]);
});

t.test('in a folder one file has them', async (t) => {
  const texts = ['services: {}\ntimeouts: { tcp: 1m }', 'timeouts: { udp: 1m }'];
  t.match(faultsOf(texts), [/^b\.yaml:1:1: timeouts: set already in a\.yaml/]);
});
