import fc from 'fast-check';
import t from 'tap';
import { serviceStatus, worldStatus } from '../../src/api/status.js';
import { StatusTexts } from '../../src/api/texts.js';
import type { World } from '../../src/world.js';
import { config, dest, serviceConfig, table } from '../ipvs/build.js';
import { A, B, CONFIG, down, FTP, UNKNOWN, up, WEB, world } from './build.js';

/** The same without any memory. */
function plain(its: World): unknown {
  const services = its.config.services.map((service) => serviceStatus(service, its));
  return { ...worldStatus(its, '1.2.3'), services };
}

t.test('a text is the body that its world has', async (t) => {
  const texts = new StatusTexts();
  t.strictSame(JSON.parse(texts.status(world(), '1.2.3')), plain(world()));
  t.strictSame(JSON.parse(texts.services(world())), {
    services: (plain(world()) as { services: unknown }).services,
  });
  t.strictSame(JSON.parse(texts.services(world({ config: config() }))), { services: [] });
});

const otherConfig = config(serviceConfig('web', WEB, [B, A]), serviceConfig('x', FTP, [A]));
const verdicts = [up(), down(), UNKNOWN, { ...up(), verdict: 'unknown' as const }];
const tables = [
  table([WEB, [A, B]]),
  table([WEB, [A, dest('192.0.2.12', { weight: 0 })]], [FTP, []]),
  new Map(),
  undefined,
];

t.test('whatever changes between two worlds, the text is that of the second', async () => {
  const ids = [...CONFIG.services, ...otherConfig.services].flatMap(({ servers }) =>
    servers.map(({ checks }) => checks[0].id),
  );
  const anyWorld = fc
    .record({
      config: fc.constantFrom(CONFIG, otherConfig),
      observed: fc.constantFrom(...tables),
      stopping: fc.boolean(),
      health: fc
        .array(fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...verdicts)))
        .map((entries): World['health'] => new Map(entries)),
    })
    .map((changes) => world(changes as Partial<World>));
  fc.assert(
    fc.property(fc.array(anyWorld, { minLength: 2, maxLength: 8 }), (worlds) => {
      const texts = new StatusTexts();
      return worlds.every((its) => texts.status(its, '1.2.3') === JSON.stringify(order(plain(its))));
    }),
  );
});

/** Members in the order in which the text has them. */
function order(body: unknown): unknown {
  const { workers, services, ...head } = body as Record<string, unknown>;
  return { ...head, services, workers };
}

t.test('a service that did not change is not written again', async (t) => {
  const texts = new StatusTexts();
  let reads = 0;
  const watched = { ...up() };
  Object.defineProperty(watched, 'since', {
    get: () => {
      // Once for the server, once for its check.
      reads += 0.5;
      return up().since;
    },
  });
  const ids = [...world().health.keys()];
  const health = new Map(ids.map((id) => [id, watched]));
  const its = world({ health });
  texts.status(its, '1');
  t.equal(reads, ids.length);
  texts.status({ ...its, version: 8, stopping: true, workers: [], health: new Map(health) }, '1');
  t.equal(reads, ids.length, 'a digest and a new version touch no service');
  texts.status({ ...its, version: 9, health: new Map([...health, [ids[0] ?? '', down()]]) }, '1');
  t.equal(reads, ids.length + 1, 'the other server of that service alone');
});
