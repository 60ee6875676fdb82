/** A service of many addresses is one service: with one set of servers, checks, verdicts and events. */
import t from 'tap';
import type { LvsEvent } from '../../src/alerts/model.js';
import type { Check } from '../../src/checks/model.js';
import type { Config, ServiceConfig } from '../../src/config/model.js';
import { Controller } from '../../src/controller.js';
import { epochMillis, millis } from '../../src/core/units.js';
import { destText } from '../../src/ipvs/keys.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { ObservedService } from '../../src/ipvs/model.js';
import { PolicyBook } from '../../src/policy/book.js';
import { computeDesired, desiredEntries, destIn } from '../../src/policy/desired.js';
import { judge, NO_MEMORY } from '../../src/policy/judge.js';
import { configOf, serviceOf } from '../config/given.js';
import { FakeTime, turn } from '../fakes/time.js';
import { change, dest, key, seen as seenDest, service, table } from '../ipvs/build.js';
import { entry } from './build.js';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const yaml = (addresses: string, more = ''): string => `services:
  web:
    addresses: ${addresses}
    check: { interval: 1s, rise: 1, fall: 1 }
    servers: [192.0.2.201, { name: two, address: 192.0.2.202, weight: 3 }]
${more}`;

async function started(text: string) {
  const time = new FakeTime();
  const table = new MemoryTable();
  const events: LvsEvent[] = [];
  const updates: (readonly Check[])[] = [];
  const controller = new Controller({
    config: configOf(text),
    table,
    probes: { update: (checks) => updates.push(checks) },
    alerts: { configure: () => undefined, offer: (event) => events.push(event) },
    clock: time,
    timers: time,
    turns: { soon: setImmediate },
    log: SILENT,
  });
  await controller.start();
  const kinds = () => events.splice(0).map(({ kind, message }) => `${kind}: ${message}`);
  /** Each entry with its servers: `192.0.2.1:80 < 192.0.2.201:80*1`. */
  const inTable = async (): Promise<string[]> =>
    [...(await table.dump())].map(([entry, { dests }]) => {
      const servers = [...dests.values()].map(({ key, settings }) => `${destText(key)}*${settings.weight}`);
      return `${entry} < ${servers.sort().join(' ')}`;
    });
  return { controller, table, time, updates, kinds, inTable };
}

t.test('every entry has every server, and every server has one check', async (t) => {
  const { inTable, updates } = await started(
    yaml('[192.0.2.1:80, 192.0.2.1:443, { fwmark: 9 }]', '    forward: masquerade\n'),
  );
  t.same(await inTable(), [
    'tcp 192.0.2.1:80 < 192.0.2.201:80*1 192.0.2.202:80*3',
    'tcp 192.0.2.1:443 < 192.0.2.201:443*1 192.0.2.202:443*3',
    'fwmark 9 ipv4 < 192.0.2.201:0*1 192.0.2.202:0*3',
  ]);
  t.same(
    updates.map((checks) => checks.map(({ id }) => id)),
    [['web/192.0.2.201', 'web/two']],
  );
});

t.test('a verdict moves a server in all entries at once, and is one event', async (t) => {
  const { controller, inTable, kinds } = await started(yaml('[192.0.2.10-12:80]'));
  kinds();
  controller.onVerdicts([change('web/192.0.2.201:80', 'down', 'unknown')]);
  await turn();
  t.same(
    await inTable(),
    ['10', '11', '12'].map((last) => `tcp 192.0.2.${last}:80 < 192.0.2.202:80*3`),
  );
  controller.onVerdicts([change('web/two', 'down', 'unknown')]);
  await turn();
  t.same(
    kinds().map((text) => text.slice(0, text.indexOf(':'))),
    ['server-down', 'server-down', 'service-lost'],
  );
  t.match(controller.world().table, { operationsApplied: 3 * 3 + 3 + 3 });
});

t.test('the service is spoken of as one', async (t) => {
  const { controller, kinds } = await started(yaml('[192.0.2.10-12:80]'));
  controller.onVerdicts([
    change('web/192.0.2.201:80', 'down', 'unknown'),
    change('web/two', 'down', 'unknown'),
  ]);
  t.match(kinds().at(-1), /^service-lost: web \(tcp 192\.0\.2\.10:80 and 2 more\) has no server left/);
});

t.test('a table that was emptied is one event, which says a thing once', async (t) => {
  const { table, time, kinds, inTable } = await started(yaml('[192.0.2.10-12:80]'));
  const before = await inTable();
  await table.flush();
  kinds();
  await time.advance(10_000);
  t.match(kinds(), [/^table-drift: .*: web: removed \(3 times\)$/]);
  t.same(await inTable(), before);
});

t.test(
  'a reload that adds and drops addresses leaves the others, the checks and the verdicts alone',
  async (t) => {
    const { controller, updates, inTable } = await started(yaml('[192.0.2.10-12:80]'));
    controller.onVerdicts([change('web/192.0.2.201:80', 'down', 'unknown')]);
    await turn();
    const applied = controller.world().table.operationsApplied;
    controller.reload(configOf(yaml('[192.0.2.10:80, 192.0.2.12-13:80]')));
    await turn();
    await turn();
    t.same(
      (await inTable()).sort(),
      ['10', '12', '13'].map((last) => `tcp 192.0.2.${last}:80 < 192.0.2.202:80*3`),
    );
    t.equal(
      controller.world().table.operationsApplied - applied,
      3,
      'one service less, one more with one server',
    );
    t.same(updates[1], updates[0]);
  },
);

t.test('an address may go from one service to another, and the entry stays', async (t) => {
  const shop = '  shop: { addresses: [192.0.2.12:80], servers: [192.0.2.203] }\n';
  const { controller, table, inTable } = await started(yaml('[192.0.2.10-12:80]'));
  const before = controller.world().table.operationsApplied;
  controller.reload(configOf(yaml('[192.0.2.10-11:80]', shop)));
  controller.onVerdicts([change('shop/192.0.2.203:80', 'up', 'unknown')]);
  await turn();
  await turn();
  t.same((await inTable()).at(-1), 'tcp 192.0.2.12:80 < 192.0.2.203:80*1');
  t.equal((await table.dump()).size, 3);
  t.equal(controller.world().table.operationsApplied - before, 3, 'one server more, two less');
});

function judged(service: ServiceConfig) {
  const judgement = judge(
    service,
    { health: new Map(), admin: new Map(), assumed: new Set() },
    NO_MEMORY,
    millis(0),
  );
  return desiredEntries(service, judgement, new Map());
}

t.test('entries of one port share what is wanted of their servers', async (t) => {
  const desired = [
    ...judged(serviceOf('addresses: [192.0.2.0/24:80, 192.0.3.0/24:81]\nservers: [192.0.2.201]')).values(),
  ];
  t.equal(desired.length, 512);
  t.equal(new Set(desired.map(({ servers }) => servers)).size, 2, 'the cost is entries plus servers');
});

t.test('where a server is in an entry, it is as it stands in the configuration', async (t) => {
  const { entries, servers } = serviceOf('addresses: [192.0.2.1:80, 192.0.2.2:80]\nservers: [192.0.2.201]');
  for (const { key } of entries) for (const server of servers) t.equal(destIn(server, key), server.dest);
});

t.test('the whole configuration has each entry once', async (t) => {
  const config: Config = configOf(`services:
  a: { addresses: [192.0.2.0/25:80], servers: [] }
  b: { addresses: [192.0.2.128/25:80, { fwmark: 1 }], servers: [] }
`);
  t.equal(computeDesired(config, new Map()).size, 257);
});

t.test('a drain counts the connections of all entries, each at its own port', async (t) => {
  const config = configOf(yaml('[192.0.2.1:80, 192.0.2.1:443]'));
  const book = new PolicyBook();
  const at = { now: millis(0), wall: epochMillis(0) };
  book.configure(config, at);
  book.verdict([change('web/two', 'up', 'unknown')], at);
  book.administer([{ server: 'web/two', source: 'operator', entry: entry({ state: 'draining' }) }], at);
  const look = (active: number) => {
    const seen = [80, 443].map((port): [string, ObservedService] => {
      const its = {
        ...seenDest(dest('192.0.2.202', { weight: 0 }, port)),
        active: port === 443 ? active : 0,
      };
      const [[text, observed]] = [...table([service(key('192.0.2.1', port)), []])] as [
        [string, ObservedService],
      ];
      return [text, { ...observed, dests: new Map([[destText(its.key), its]]) }];
    });
    return book.look(new Map(seen), at).news.map((news) => (news.kind === 'admin' ? news.what : news.kind));
  };
  t.same(look(2), [], 'there are some at port 443');
  t.same(look(0), ['drain-finished']);
});

t.test('a first judging in steps comes to what one at once comes to', async (t) => {
  const config = configOf(yaml('[192.0.2.1:80, 192.0.2.1:443]'));
  const at = { now: millis(0), wall: epochMillis(0) };
  const [whole, parts] = [new PolicyBook(), new PolicyBook()];
  whole.configure(config, at);
  let steps = 0;
  for (const _ of parts.configureInSteps(config, at)) steps += 1;
  t.same([...parts.desired], [...whole.desired]);
  t.same(parts.checks(), whole.checks());
  t.ok(steps >= 2 * config.services.length, 'each service is a step, twice');
});
