/** All checks of a server: one, or a list of which so many must pass. */
import { type CheckTemplate, checkTemplate, type Defaults } from './check.js';
import {
  type Checked,
  type Claims,
  type Context,
  type Cursor,
  claim,
  FAULTY,
  items,
  member,
  report,
  reportKey,
} from './cursor.js';
import type { Layer, Layers } from './layers.js';
import type { RawChecks } from './schema-check-set.js';

/** One check of a set, without its target. */
interface Part {
  /** Tells it from the others. */
  readonly name: string;
  readonly template: CheckTemplate;
}

/** The checks of every server that says nothing of its own. */
export interface CheckSet {
  readonly parts: readonly [Part, ...Part[]];
  /** How many of them must pass. */
  readonly needed: number;
}

/** The check of a place where there is one only: it needs no name. */
export function onlyCheck(context: Context, layers: Layers): Checked<CheckSet> {
  const name = layers[0] === undefined ? undefined : member(layers[0], 'name');
  if (name !== undefined && name !== FAULTY)
    return reportKey(context, name, 'a name tells the checks of `checks` apart; here there is only one');
  const template = checkTemplate(context, layers);
  return template === FAULTY ? FAULTY : { parts: [{ name: template.type, template }], needed: 1 };
}

function neededOf(context: Context, at: Cursor<RawChecks>, count: number): Checked<number> {
  const given = member(at, 'require');
  if (given === undefined) return count;
  if (given === FAULTY) return FAULTY;
  if (given.value === 'all') return count;
  if (given.value === 'any') return 1;
  const least = given.value['at-least'];
  if (least <= count) return least;
  return report(context, given, `${least} can never pass: there are ${count} checks`);
}

/** `http`, and for the next one without a name `http-2`. */
function freeName(type: string, taken: ReadonlySet<string>): string {
  let [name, number] = [type, 1];
  while (taken.has(name)) {
    number += 1;
    name = `${type}-${number}`;
  }
  return name;
}

interface Entry {
  readonly given: string | undefined;
  readonly template: CheckTemplate;
}

function named(entries: readonly Entry[]): readonly Part[] {
  const taken = new Set(entries.flatMap(({ given }) => (given === undefined ? [] : [given])));
  return entries.map(({ given, template }) => {
    const name = given ?? freeName(template.type, taken);
    taken.add(name);
    return { name, template };
  });
}

function partsOf(context: Context, list: Cursor<NonNullable<RawChecks['checks']>>, outer: Layers) {
  const names: Claims = new Map();
  const entries: Entry[] = [];
  let isFaulty = false;
  for (const item of items(list) as readonly Checked<Layer>[]) {
    const template = item === FAULTY ? FAULTY : checkTemplate(context, [item, ...outer]);
    const name = item === FAULTY ? undefined : member(item, 'name');
    const isNew =
      name === undefined || name === FAULTY || claim(context, names, name, 'the name', name.value);
    if (template === FAULTY || name === FAULTY || !isNew) isFaulty = true;
    else entries.push({ given: name?.value, template });
  }
  return isFaulty ? FAULTY : named(entries);
}

function listedSet(
  context: Context,
  at: Cursor<RawChecks>,
  list: Cursor<NonNullable<RawChecks['checks']>>,
  outer: Layers,
): Checked<CheckSet> {
  if (list.value.length === 0) return report(context, list, 'empty; leave it out, or say what is probed');
  const needed = neededOf(context, at, list.value.length);
  const parts = partsOf(context, list, outer);
  if (needed === FAULTY || parts === FAULTY) return FAULTY;
  const [first, ...others] = parts;
  return first === undefined ? FAULTY : { parts: [first, ...others], needed };
}

/** The checks that a service, or a server, says over those of the level above; the same object where it says none. */
export function checksAt(
  context: Context,
  at: Cursor<RawChecks>,
  outer: Checked<Defaults>,
): Checked<Defaults> {
  const own = member(at, 'check');
  const list = member(at, 'checks');
  const needed = member(at, 'require');
  if (list === undefined && needed !== undefined && needed !== FAULTY)
    return reportKey(context, needed, 'it says how many of `checks` must pass, and there are none here');
  if (own === FAULTY || list === FAULTY || needed === FAULTY || outer === FAULTY) return FAULTY;
  if (own !== undefined && list !== undefined)
    return reportKey(context, list, 'there is `check` too; keep one of them');
  if (list !== undefined) return { ...outer, set: listedSet(context, at, list, outer.layers) };
  if (own === undefined) return outer;
  const layers = [own, ...outer.layers];
  return { ...outer, layers, set: onlyCheck(context, layers) };
}
