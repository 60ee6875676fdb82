/** The private services of data-path checks, beside what is shown of a table. */
import fc from 'fast-check';
import t from 'tap';
import type { Through } from '../../src/checks/spec-through.js';
import { serviceText } from '../../src/ipvs/keys.js';
import type { Forward, IpvsTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import { PathTable, type Placed } from '../../src/ipvs/path-table.js';
import {
  giveMarks,
  isPrivate,
  partTable,
  planPrivate,
  privateService,
  wayText,
} from '../../src/ipvs/private.js';
import { ScriptedTable } from '../fakes/scripted-table.js';
import { dest, key, service, table } from './build.js';

const MARKS = { first: 100, count: 10 };
const METHODS: readonly Forward[] = [
  { method: 'direct' },
  { method: 'masquerade' },
  { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' },
];

function way(last: number, forward: Forward = { method: 'direct' }): Through {
  return { family: 'ipv4', dest: dest(`192.0.2.${last}`, { forward }, 0) };
}

const kept = (mark: number, its: Through) => [privateService(mark, its), [its.dest]] as const;
const fwmark = (mark: number) => ({ kind: 'fwmark', family: 'ipv4', mark }) as const;

/** A table that says it is the kernel's. */
function setup(observed = table()) {
  const scripted = new ScriptedTable(observed);
  let changes = 0;
  const port: IpvsTable = Object.assign(Object.create(scripted.port()), { kind: 'kernel' });
  const paths = new PathTable(port, () => {
    changes += 1;
  });
  return { scripted, paths, changes: () => changes };
}

const placedText = (placed: readonly Placed[]): readonly string[] =>
  placed.map((one) => (one.kind === 'ready' ? String(one.mark) : one.why));
const entriesOf = (scripted: ScriptedTable): readonly string[] =>
  [...scripted.observed].map(([text, { dests }]) => [text, ...dests.keys()].join(' > ')).sort();

t.test('what is private is told by its making, whatever its mark', async (t) => {
  for (const forward of METHODS) {
    const [entry] = table(kept(7, way(2, forward))).values();
    t.ok(entry !== undefined && isPrivate(entry), forward.method);
  }
  const others = table(
    [service(fwmark(8), { scheduler: 'rr' }), [dest('192.0.2.2')]],
    [service(fwmark(9), privateService(9, way(2)).settings), [dest('192.0.2.2'), dest('192.0.2.3')]],
    [service(key(), privateService(9, way(2)).settings), []],
    [
      service(fwmark(10), {
        ...privateService(9, way(2)).settings,
        persistence: { timeoutSeconds: 300, prefix: 32 },
      }),
      [],
    ],
  );
  for (const entry of others.values()) t.notOk(isPrivate(entry), serviceText(entry.service.key));
  const [shown, hidden] = partTable(others);
  t.equal(shown, others, 'a table without them is given as it is');
  t.same(hidden, []);
});

t.test('UDP goes by single packets, but for masquerading', async (t) => {
  t.same(
    METHODS.map((forward) => privateService(7, way(2, forward)).settings.onePacket),
    [true, false, true],
  );
});

const forward = fc.constantFrom(...METHODS);
const someWay = fc.tuple(fc.integer({ min: 1, max: 12 }), forward).map(([last, method]) => way(last, method));
const byText = (ways: readonly Through[]) => new Map(ways.map((one) => [wayText(one), one]));

t.test('every way has a mark of its own, keeps it, and no mark of others is used', async () => {
  fc.assert(
    fc.property(
      fc.array(someWay, { maxLength: 8 }),
      fc.array(someWay, { maxLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 95, max: 115 })),
      (before, after, others) => {
        const taken = new Set(others);
        const first = giveMarks(byText(before), new Map(), [], { first: 100, count: 40, taken });
        const second = giveMarks(byText(after), first, [], { first: 100, count: 40, taken });
        const marks = [...second.values()];
        return (
          second.size === byText(after).size &&
          new Set(marks).size === marks.length &&
          marks.every((mark) => mark >= 100 && mark < 140 && !taken.has(mark)) &&
          [...second].every(([text, mark]) => !first.has(text) || first.get(text) === mark)
        );
      },
    ),
  );
});

t.test(
  'carried out, a plan leaves what is wanted and nothing else, and then there is nothing to do',
  async () => {
    fc.assert(
      fc.property(fc.array(someWay, { maxLength: 8 }), fc.array(someWay, { maxLength: 8 }), (old, now) => {
        const entries = [...byText(old).values()].map((one, index) => kept(100 + index, one));
        const seen = table(...entries);
        const hidden = [...seen.values()];
        const given = giveMarks(byText(now), new Map(), hidden, { ...MARKS, count: 40, taken: new Set() });
        const wanted = new Map([...given].map(([text, mark]) => [mark, byText(now).get(text) ?? way(0)]));
        const steps = planPrivate(wanted, hidden);
        const after = applyToObserved(
          seen,
          steps.map(({ operation }) => operation),
        );
        const adopted = [...byText(now).keys()].filter((text) => byText(old).has(text)).length;
        return (
          after.size === wanted.size &&
          planPrivate(wanted, [...after.values()]).length === 0 &&
          steps.filter(({ operation }) => operation.kind === 'add-service').length === wanted.size - adopted
        );
      }),
    );
  },
);

t.test('nobody who reads the table sees them', async (t) => {
  const { scripted, paths } = setup(table([service(), [dest('192.0.2.2')]]));
  await paths.dump();
  t.same(placedText(await paths.want([way(2), way(3)], MARKS)), ['100', '101']);
  t.same(entriesOf(scripted), [
    'fwmark 100 ipv4 > 192.0.2.2:0',
    'fwmark 101 ipv4 > 192.0.2.3:0',
    'tcp 192.0.2.1:80 > 192.0.2.2:80',
  ]);
  t.same([...(await paths.dump()).keys()], ['tcp 192.0.2.1:80']);
  t.equal(await paths.read(fwmark(100)), undefined);
  t.equal((await paths.read(key()))?.dests.size, 1);
  await paths.leave();
  t.same(entriesOf(scripted), ['tcp 192.0.2.1:80 > 192.0.2.2:80']);
});

t.test(
  'those of an earlier run are kept until it is known what is wanted, then taken over or out',
  async (t) => {
    const { scripted, paths } = setup(table(kept(500, way(2)), kept(105, way(3)), kept(101, way(4))));
    await paths.dump();
    t.same(scripted.applied, [], 'nothing is done before');
    t.same(placedText(await paths.want([way(2), way(3)], MARKS)), ['100', '105']);
    t.same(scripted.applied, ['delete-service', 'delete-service', 'add-service', 'add-dest']);
    t.same(entriesOf(scripted), ['fwmark 100 ipv4 > 192.0.2.2:0', 'fwmark 105 ipv4 > 192.0.2.3:0']);
  },
);

t.test('what somebody else does to them is undone by the next look', async (t) => {
  const { scripted, paths, changes } = setup();
  await paths.want([way(2), way(3)], MARKS);
  scripted.observed = table(
    [privateService(100, way(2)), []],
    [service(fwmark(101), { scheduler: 'wlc' }), []],
  );
  await paths.dump();
  t.same(entriesOf(scripted).slice(0, 1), ['fwmark 100 ipv4 > 192.0.2.2:0']);
  t.equal(changes(), 0, 'a service that was given a server again is usable as before');
  const { size } = scripted.observed;
  await paths.dump();
  t.equal(scripted.observed.size, size);
});

t.test('a mark of others is not used, and is left alone', async (t) => {
  const { scripted, paths } = setup(table([service(fwmark(100)), []]));
  await paths.dump();
  t.same(placedText(await paths.want([way(2)], MARKS)), ['101']);
  await paths.leave();
  t.same(entriesOf(scripted), ['fwmark 100 ipv4']);
});

t.test('a kernel that refuses blocks the way, and what it takes later opens it', async (t) => {
  const { scripted, paths, changes } = setup();
  scripted.refuse = ({ kind }) => (kind === 'add-dest' ? 'EPERM' : undefined);
  t.match(placedText(await paths.want([way(2)], MARKS)), [
    /^the kernel has no service of the mark 100: refused by the test$/,
  ]);
  await paths.dump();
  t.equal(changes(), 0, 'still');
  scripted.refuse = () => undefined;
  await paths.dump();
  t.equal(changes(), 1);
  t.same(placedText(await paths.want([way(2)], MARKS)), ['100']);
  scripted.failApply = true;
  t.match(placedText(await paths.want([way(2), way(3)], MARKS)), ['100', /socket gone/]);
});

t.test('more ways than marks, and a table in memory', async (t) => {
  const { paths } = setup();
  t.same(placedText(await paths.want([way(2), way(3)], { first: 100, count: 1 })), [
    '100',
    'all of `path-marks` are taken',
  ]);
  const memory = new PathTable(new ScriptedTable().port(), () => undefined);
  t.match(placedText(await memory.want([way(2)], MARKS)), [/in memory/]);
});
