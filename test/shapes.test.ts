/** Objects of which there is one for each server: all have the same properties in the same order, and one hidden class. */
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import t from 'tap';
import type { VerdictChange } from '../src/checks/model.js';
import { epochMillis, millis } from '../src/core/units.js';
import { MemoryTable } from '../src/ipvs/memory.js';
import type { Operation } from '../src/ipvs/model.js';
import { applyToObserved } from '../src/ipvs/observe.js';
import { PolicyBook } from '../src/policy/book.js';
import { configOf } from './config/given.js';
import { change } from './ipvs/build.js';

setFlagsFromString('--allow-natives-syntax');
const isSameShape = runInThisContext('(one, other) => %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean;

/** Enough for inline caches to have seen them all. */
const SERVICES = 60;
const SERVERS = 20;

function text(line: (server: number) => string): string {
  const servers = Array.from({ length: SERVERS }, (_, at) => `    - ${line(at + 1)}\n`).join('');
  const service = (at: number) => `  s${at}:\n    address: 192.0.2.${at}:80\n    servers:\n${servers}`;
  return `services:\n${Array.from({ length: SERVICES }, (_, at) => service(at + 1)).join('')}`;
}

/** How many differ from the one before them, of the later half: the first few may, while caches grow. */
function strangers(all: Iterable<object>): number {
  const half = [...all].slice(-(SERVICES * SERVERS) / 2);
  return half.filter((one, at) => at > 0 && !isSameShape(one, half[at - 1] ?? one)).length;
}

const plain = configOf(text((at) => `10.0.0.${at}`));

t.test('the test sees an object that has a hidden class of its own', async (t) => {
  const all = Array.from({ length: SERVICES * SERVERS }, (_, at) => ({ ...{ first: at }, [`own${at}`]: at }));
  t.equal(strangers(all), (SERVICES * SERVERS) / 2 - 1);
});

t.test('servers and checks of a configuration', async (t) => {
  const lines: readonly ((at: number) => string)[] = [
    (at) => `10.0.0.${at}`,
    (at) => `{ address: 10.0.0.${at}, weight: ${at}, name: n${at}, tags: [a] }`,
    (at) => `{ address: 10.0.0.${at}, check: { type: http, path: /${at} } }`,
  ];
  for (const line of lines) {
    const servers = configOf(text(line)).services.flatMap((service) => service.servers);
    t.equal(servers.length, SERVICES * SERVERS);
    t.equal(strangers(servers), 0, 'servers');
    t.equal(strangers(servers.map(({ checks: [check] }) => check)), 0, 'checks');
    t.equal(strangers(servers.map(({ dest }) => dest)), 0, 'destinations');
  }
});

function operations(): readonly Operation[] {
  return plain.services.flatMap(({ entries: [entry], servers }): Operation[] => {
    if (entry === undefined) throw new Error('a service without an entry');
    const added = servers.map(({ dest }): Operation => ({ kind: 'add-dest', service: entry.key, dest }));
    return [{ kind: 'add-service', service: entry }, ...added];
  });
}

t.test('destinations as they are observed', async (t) => {
  const table = new MemoryTable();
  await table.apply(operations());
  const seen = {
    'by a dump': await table.dump(),
    'by what was done': applyToObserved(new Map(), operations()),
  };
  for (const [how, observed] of Object.entries(seen)) {
    const dests = [...observed.values()].flatMap((service) => [...service.dests.values()]);
    t.equal(dests.length, SERVICES * SERVERS);
    t.equal(strangers(dests), 0, how);
  }
});

t.test('what is known of checks, and of what they say', async (t) => {
  const book = new PolicyBook();
  const at = { now: millis(0), wall: epochMillis(0) };
  book.configure(plain, at);
  const ids = book.checks().map(({ id }) => id);
  const known = () => ids.map((id) => book.view().health.get(id) ?? {});
  const verdicts = (verdict: VerdictChange['verdict']) => ids.map((id) => change(id, verdict, 'unknown'));
  book.verdict(verdicts('up'), at);
  t.equal(strangers(known()), 0, 'with a verdict');
  const remark = { warning: 'slow', weight: undefined, say: undefined };
  book.remark(
    ids.map((id) => ({ id, remark })),
    at,
  );
  t.equal(strangers(known()), 0, 'with a remark');
  book.verdict(verdicts('down'), at);
  t.equal(strangers(known()), 0, 'with a verdict beside a remark');
  book.doubt(ids);
  t.equal(strangers(known()), 0, 'in doubt');
});
