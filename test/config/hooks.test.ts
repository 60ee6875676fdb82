/** `hooks:` and `vrrp.NAME.notify`. */
import t from 'tap';
import type { HookPlan } from '../../src/hooks/model.js';
import { configOf, faultsOf } from './given.js';

const router = (rest: string, id = 51): string =>
  `{ interface: eth0, id: ${id}, addresses: [192.168.2.${id}/24], ${rest} }`;

const plan = (text: string): HookPlan => configOf(`services: {}\n${text}`).hooks;

t.test('without hooks nobody is told', async (t) => {
  t.same(plan(''), { all: undefined, single: new Map(), groups: new Map() });
});

t.test('the least is completed with every default', async (t) => {
  t.same(plan('hooks: { program: [/bin/told, one] }').all, {
    program: { argv: ['/bin/told', 'one'], user: undefined, deadline: 10_000 },
    fifo: undefined,
  });
  t.same(plan('hooks: { fifo: /run/f }').all, { program: undefined, fifo: '/run/f' });
  t.same(
    plan('hooks: { program: [/bin/told], deadline: 10s }'),
    plan('hooks: { program: [/bin/told] }'),
    'the default that the reference states',
  );
});

t.test('every option arrives, for all and for one', async (t) => {
  const keys = 'program: [/bin/told], fifo: /run/f, deadline: 3s, user: nobody';
  const expected = {
    program: { argv: ['/bin/told'], user: 'nobody', deadline: 3000 },
    fifo: '/run/f',
  };
  t.same(plan(`hooks: { ${keys} }`).all, expected);
  const { all, single } = plan(`vrrp: { a: ${router(`notify: { ${keys} }`)}, b: ${router('', 52)} }`);
  t.same([all, [...single]], [undefined, [['a', expected]]]);
});

t.test('groups are known by their members', async (t) => {
  const { groups } = plan(
    `vrrp: { a: ${router('group: g', 51)}, b: ${router('', 52)}, c: ${router('group: g', 53)}, d: ${router('group: h', 54)} }`,
  );
  t.same(
    [...groups],
    [
      ['g', ['a', 'c']],
      ['h', ['d']],
    ],
  );
});

t.test('hooks change nothing about the virtual routers themselves', async (t) => {
  const routers = (rest: string) => configOf(`services: {}\nvrrp: { a: ${router(rest)} }`).vrrp;
  t.same(routers('notify: { fifo: /run/f }'), routers(''));
});

const FAULTS: readonly (readonly [string, string])[] = [
  ['hooks: {}', 'hooks: nobody is told; say `program` or `fifo`, or leave it out'],
  ['hooks: { user: nobody }', 'hooks: nobody is told; say `program` or `fifo`, or leave it out'],
  ['hooks: { program: [told] }', 'hooks.program[0]: "told" is not an absolute path; no PATH is searched'],
  ['hooks: { fifo: run/f }', 'hooks.fifo: "run/f" is not the absolute path of a FIFO'],
  [
    'hooks: { fifo: /f, deadline: 0s }',
    'hooks.deadline: "0s" is not a duration from 100ms to 1h, such as 3s',
  ],
  [
    `vrrp: { a: ${router('notify: { program: [] }')} }`,
    'vrrp.a.notify.program: empty; the first word is the path of a program',
  ],
  [`vrrp: { a: ${router('notify: { fifo: /f, pipe: /f }')} }`, 'vrrp.a.notify.pipe: unknown key'],
];

t.test('what is wrong is told where it stands, and once', async (t) => {
  for (const [text, expected] of FAULTS) {
    const faults = faultsOf(`services: {}\n${text}`).map((line) => line.replace(/^a\.yaml:\d+:\d+: /, ''));
    t.same(faults, [expected], text);
  }
  const twice = ['services: {}\nhooks: { fifo: /f }', 'hooks: { fifo: /g }'];
  t.match(faultsOf(twice), [/^b\.yaml.*hooks: set already in a\.yaml/]);
});
