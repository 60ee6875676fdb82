import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import type { Wanted } from '../../src/doctor/model.js';
import { diagnose, RULES } from '../../src/doctor/rules.js';
import { firstColumnOf } from '../house/project.js';
import { facts, SETTINGS, WANTED } from './build.js';
import { masquerade, masqueradeSix } from './case.js';
import { ADDRESS_CASES } from './cases-address.js';
import { KERNEL_CASES } from './cases-kernel.js';
import { MACHINE_CASES } from './cases-machine.js';

const CASES = [...KERNEL_CASES, ...ADDRESS_CASES, ...MACHINE_CASES];

for (const { name, id, changes, finds, fix, seen } of CASES)
  t.test(`${id}: ${name}`, async (t) => {
    const found = diagnose(facts(changes)).filter((each) => each.id === id);
    t.same(
      found.map(({ severity }) => severity),
      finds,
    );
    if (fix !== undefined) t.equal(found[0]?.fix, fix);
    if (seen !== undefined) t.match(found[0]?.seen, seen);
  });

t.test('on a director on which all is well there is nothing but right', async (t) => {
  t.same(
    diagnose(facts()).filter(({ severity }) => severity !== 'ok'),
    [],
  );
});

t.test(
  'every rule has a case that finds something, and every fault says why, with the line that fixes it',
  async (t) => {
    const caught = new Set(
      CASES.filter(({ finds }) => finds.some((each) => each !== 'ok')).map(({ id }) => id),
    );
    t.same([...caught].sort(), RULES.map(({ id }) => id).sort());
    for (const { changes } of CASES)
      for (const { severity, why, fix } of diagnose(facts(changes)))
        t.same([why === undefined, fix === undefined], [severity === 'ok', severity === 'ok'], `${why}`);
  },
);

t.test('a fault of a thousand services is told twenty times, and then counted', async (t) => {
  const services = Array.from({ length: 1000 }, (_, at) => ({
    name: `s${at}`,
    address: ip(`10.1.${at >> 8}.${at & 255}`),
    port: 80,
    persistent: false,
  }));
  const found = diagnose(facts({ wanted: { ...WANTED, services } })).filter(({ id }) => id === 'virtual-ip');
  t.equal(found.length, 21);
  t.equal(found[20]?.seen, 'and 980 more like these');
  t.equal(found[20]?.severity, 'error');
});

t.test(
  'law: rules look at facts of any kind, and a sysctl line that was obeyed is not printed again',
  async () => {
    const settings = fc.dictionary(
      fc.constantFrom(...Object.keys(SETTINGS).filter((path) => !/sync|range/.test(path))),
      fc.constantFrom('0', '1', '2'),
    );
    const wanted = fc.constantFrom<Partial<Wanted>>({}, masquerade, masqueradeSix, { synchronised: true });
    fc.assert(
      fc.property(settings, wanted, (given, what) => {
        const obeyed: Record<string, string> = { ...given };
        const lines = (): string[] =>
          diagnose(facts({ settings: obeyed, wanted: what })).flatMap(({ fix }) =>
            fix?.startsWith('sysctl -w ') === true ? [fix] : [],
          );
        for (const line of lines())
          for (const [, name = '', value = ''] of line.matchAll(/net\.([\w.]+)=([\d ]+\d|\d)/g))
            obeyed[name.replaceAll('.', '/')] = value;
        return lines().length === 0;
      }),
    );
  },
);

t.test('every rule is explained in the document', async (t) => {
  t.same(firstColumnOf('docs/operations.md', 'doctor').sort(), RULES.map(({ id }) => id).sort());
});
