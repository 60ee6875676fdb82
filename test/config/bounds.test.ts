/** Large configurations: what is allowed is read whole, what is not is refused before it costs much. */
import t from 'tap';
import { FAULTS_MAX } from '../../src/config/faults.js';
import { configOf, faultsOf } from './given.js';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

t.test('1,000 services with 10 servers each are read whole', async (t) => {
  const services = Array.from({ length: 1000 }, (_, index) => {
    const vip = `10.0.${index >> 8}.${index & 255}:80`;
    const servers = Array.from(
      { length: 10 },
      (_unused, server) => `      - { address: 10.9.${index & 255}.${server + 1}, weight: ${server} }`,
    );
    return `  s${index}:\n    address: ${vip}\n    servers:\n${servers.join('\n')}\n`;
  });
  const config = configOf(`services:\n${services.join('')}`);
  t.equal(config.services.length, 1000);
  t.ok(config.services.every(({ servers }) => servers.length === 10));
  const ids = new Set(config.services.flatMap(({ servers }) => servers.map(({ checks }) => checks[0].id)));
  t.equal(ids.size, 10_000);
});

t.test('50,000 servers are allowed, and the service that goes beyond is named', async (t) => {
  const service = (index: number, servers: number) => {
    const addresses = Array.from(
      { length: servers },
      (_, server) => `10.${index}.${server >> 8}.${server & 255}`,
    );
    return `  s${index}: { address: "192.0.2.1:${index}", servers: [${addresses.join(', ')}] }`;
  };
  const text = (last: number) =>
    `services:\n${lines(5, (index) => service(index + 1, 9999))}\n${service(6, last)}\n`;
  t.same(faultsOf(text(5)), []);
  t.same(faultsOf(text(6)), ['a.yaml:7:3: services.s6: with this service there are more than 50000 servers']);
});

t.test('a list that is too long is one fault, whatever is in it', async (t) => {
  const servers = lines(10_001, (index) => `      - 10.0.${index >> 8}.${index & 255}`);
  t.same(faultsOf(`services:\n  s:\n    address: "192.0.2.1:80"\n    servers:\n${servers}`), [
    'a.yaml:5:7: services.s.servers: more than the 10000 entries that are allowed',
  ]);
  t.same(faultsOf(`services:\n${lines(10_001, (index) => `  s${index}: { fwmark: 1, servers: [] }`)}`), [
    'a.yaml:2:3: services: more than the 10000 entries that are allowed',
  ]);
});

t.test('what is wrong in many thousand places is refused, and no rule looks at it', async (t) => {
  const texts = [
    lines(20_000, () => 'a: 1'),
    `services: {}\n${lines(20_000, (index) => `k${index}: 1`)}`,
    `services:\n${lines(2_000, (index) => `  s${index}: 1`)}`,
    `services:\n${lines(2_000, (index) => `  s${index}: { fwmark: x, servers: 5, check: [] }`)}`,
  ];
  for (const text of texts) {
    const faults = faultsOf(text);
    t.equal(faults.length, FAULTS_MAX + 1);
    t.match(faults.at(-1), /: and more; put these right first$/);
  }
});
