/**
 * Holds values against the schema: the keywords of JSON Schema that the schema is written with, and no others. A part
 * of the schema is prepared when a value comes to it first, for most configurations use few of them.
 */
import { assert } from '../core/assert.js';
import type { Subschema } from './schema-facts.js';
import { characters, durationWithin } from './schema-rules.js';

/** One thing that is wrong with a value. */
export interface SchemaError {
  /** The keyword of the schema that the value breaks. */
  readonly keyword: string;
  /** JSON pointer to the value (RFC 6901). */
  readonly instancePath: string;
  /** `additionalProperty`, `missingProperty`, `limit`, or `i`: the place of what stands in a list twice. */
  readonly params: Readonly<Record<string, string | number>>;
  /** The part of the schema that the keyword stands in. */
  readonly parentSchema: Subschema;
  /** The key that is wrong, where a key is. */
  readonly propertyName?: string;
}

/** Adds to `found` what is wrong with a value at a place. */
type Rule = (value: unknown, at: string, found: SchemaError[]) => void;
/** Prepares a part of the schema. */
type Prepare = (schema: Subschema) => Rule;
type Mapping = Readonly<Record<string, unknown>>;

const NOTHING: Rule = () => undefined;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isMapping,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: Number.isFinite,
  integer: Number.isInteger,
  null: (value) => value === null,
};

function typeTest(type: unknown): (value: unknown) => boolean {
  if (type === undefined) return () => true;
  const [first = isMapping, ...others] = [type].flat().map((name) => TYPES[String(name)]);
  if (others.length === 0) return first;
  return (value) => first(value) || others.some((test) => test?.(value) === true);
}

/** What equal values share, whatever the order of their keys: a text says it of itself, as most items do. */
function identity(value: unknown): string {
  if (typeof value === 'string') return `"${value}`;
  const sorted = (_key: string, inner: unknown): unknown =>
    isMapping(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  return JSON.stringify(value, sorted);
}

/** Where the first item stands that stood in the list before; undefined: nowhere. */
function firstRepeat(items: readonly unknown[]): number | undefined {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) if (seen.size === seen.add(identity(item)).size) return index;
  return undefined;
}

function step(at: string, key: string): string {
  return `${at}/${/[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key}`;
}

/** A rule that a value keeps or breaks as a whole. */
function whole(
  schema: Subschema,
  keyword: string,
  holds: (value: unknown) => boolean,
  params: SchemaError['params'] = {},
): Rule {
  return (value, at, found) => {
    if (!holds(value)) found.push({ keyword, instancePath: at, params, parentSchema: schema });
  };
}

const size = (value: unknown): number => (isMapping(value) ? Object.keys(value).length : 0);
const length = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

function propertiesRule(schema: Subschema, prepare: Prepare): Rule {
  const known = new Map(Object.entries(schema.properties ?? {}).map(([key, its]) => [key, prepare(its)]));
  const { additionalProperties } = schema;
  const other = typeof additionalProperties === 'object' ? prepare(additionalProperties) : NOTHING;
  return (value, at, found) => {
    if (!isMapping(value)) return;
    for (const key of Object.keys(value)) {
      const rule = known.get(key);
      if (rule === undefined && additionalProperties === false) {
        const params = { additionalProperty: key };
        found.push({ keyword: 'additionalProperties', instancePath: at, params, parentSchema: schema });
      } else (rule ?? other)(value[key], step(at, key), found);
    }
  };
}

function requiredRule(schema: Subschema): Rule {
  return (value, at, found) => {
    if (!isMapping(value)) return;
    for (const key of schema.required ?? []) {
      if (Object.hasOwn(value, key)) continue;
      const params = { missingProperty: key };
      found.push({ keyword: 'required', instancePath: at, params, parentSchema: schema });
    }
  };
}

function namesRule(schema: Subschema, prepare: Prepare): Rule {
  const rule = prepare(schema.propertyNames ?? {});
  return (value, at, found) => {
    if (!isMapping(value)) return;
    for (const key of Object.keys(value)) {
      const wrong: SchemaError[] = [];
      rule(key, at, wrong);
      for (const error of wrong) found.push({ ...error, propertyName: key });
    }
  };
}

function itemsRule(schema: Subschema, prepare: Prepare): Rule {
  const rule = prepare(schema.items ?? {});
  return (value, at, found) => {
    if (!Array.isArray(value)) return;
    for (const [index, item] of value.entries()) rule(item, `${at}/${index}`, found);
  };
}

function uniqueRule(schema: Subschema): Rule {
  return (value, at, found) => {
    const i = Array.isArray(value) ? firstRepeat(value) : undefined;
    if (i !== undefined)
      found.push({ keyword: 'uniqueItems', instancePath: at, params: { i }, parentSchema: schema });
  };
}

function conditionRule(schema: Subschema, prepare: Prepare): Rule {
  const [condition, then, otherwise] = [schema.if, schema.then, schema.else].map((part) =>
    part === undefined ? NOTHING : prepare(part),
  );
  return (value, at, found) => {
    const against: SchemaError[] = [];
    condition?.(value, at, against);
    (against.length === 0 ? then : otherwise)?.(value, at, found);
  };
}

/** The one of `oneOf` whose constant is the value of the key that the discriminator names. */
function discriminatorRule(schema: Subschema, prepare: Prepare): Rule {
  const key = schema.discriminator?.propertyName ?? '';
  const variants = new Map<unknown, Rule>(
    (schema.oneOf ?? []).map((variant) => [variant.properties?.[key]?.const, prepare(variant)]),
  );
  return (value, at, found) => {
    if (!isMapping(value) || !Object.hasOwn(value, key)) return;
    const variant = variants.get(value[key]);
    if (variant !== undefined) variant(value, at, found);
    else found.push({ keyword: 'discriminator', instancePath: at, params: {}, parentSchema: schema });
  };
}

function patternRule(schema: Subschema): Rule {
  const pattern = new RegExp(schema.pattern ?? '', 'u');
  return whole(schema, 'pattern', (value) => typeof value !== 'string' || pattern.test(value));
}

function lengthRule(schema: Subschema, keyword: 'minLength' | 'maxLength'): Rule {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  const [least, most] = keyword === 'minLength' ? [minLength, Number.POSITIVE_INFINITY] : [0, maxLength];
  return whole(schema, keyword, (value) => {
    if (typeof value !== 'string') return true;
    const count = characters(value);
    return count >= least && count <= most;
  });
}

function limited(
  schema: Subschema,
  keyword: 'maxItems' | 'maxProperties',
  count: (value: unknown) => number,
): Rule {
  const limit = schema[keyword] ?? 0;
  return whole(schema, keyword, (value) => count(value) <= limit, { limit });
}

function durationRule(schema: Subschema): Rule {
  const limits = schema['x-duration'];
  return whole(
    schema,
    'x-duration',
    (value) => limits === undefined || typeof value !== 'string' || durationWithin(limits, value),
  );
}

function rangeRule(schema: Subschema, keyword: 'minimum' | 'maximum'): Rule {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  const holds = (value: number) => (keyword === 'minimum' ? value >= minimum : value <= maximum);
  return whole(schema, keyword, (value) => typeof value !== 'number' || holds(value));
}

type RuleMaker = (schema: Subschema, prepare: Prepare) => Rule;

const none: RuleMaker = () => NOTHING;

const MAKERS: ReadonlyMap<string, RuleMaker> = new Map<string, RuleMaker>([
  ['properties', propertiesRule],
  // Without `properties` beside it, by itself.
  [
    'additionalProperties',
    (schema, prepare) => (schema.properties ? NOTHING : propertiesRule(schema, prepare)),
  ],
  ['required', requiredRule],
  ['propertyNames', namesRule],
  ['maxProperties', (schema) => limited(schema, 'maxProperties', size)],
  ['items', itemsRule],
  ['minItems', (schema) => whole(schema, 'minItems', (value) => hasEnough(schema, value))],
  ['maxItems', (schema) => limited(schema, 'maxItems', length)],
  ['uniqueItems', (schema) => (schema.uniqueItems === true ? uniqueRule(schema) : NOTHING)],
  ['minLength', (schema) => lengthRule(schema, 'minLength')],
  ['maxLength', (schema) => lengthRule(schema, 'maxLength')],
  ['pattern', patternRule],
  ['x-duration', durationRule],
  ['minimum', (schema) => rangeRule(schema, 'minimum')],
  ['maximum', (schema) => rangeRule(schema, 'maximum')],
  ['const', (schema) => whole(schema, 'const', (value) => value === schema.const)],
  ['enum', (schema) => whole(schema, 'enum', (value) => isOneOf(schema, value))],
  ['if', conditionRule],
  ['discriminator', discriminatorRule],
  // Of others' doing.
  ...['type', 'then', 'else', 'oneOf', '$ref', 'definitions', 'x-expects', 'x-secret'].map(
    (keyword) => [keyword, none] as const,
  ),
]);

function hasEnough({ minItems = 0 }: Subschema, value: unknown): boolean {
  return !Array.isArray(value) || value.length >= minItems;
}

function isOneOf(schema: Subschema, value: unknown): boolean {
  return schema.enum?.some((each) => each === value) === true;
}

/** Its type first: what is of the wrong type is held against nothing else. */
function ruleOf(schema: Subschema, prepare: Prepare): Rule {
  const isType = typeTest(schema.type);
  const rules = Object.keys(schema).map((keyword) => {
    const make = MAKERS.get(keyword);
    assert(make !== undefined, `the schema's keyword ${keyword} is one that values are held against`);
    return make(schema, prepare);
  });
  const some = rules.filter((rule) => rule !== NOTHING);
  return (value, at, found) => {
    if (!isType(value)) found.push({ keyword: 'type', instancePath: at, params: {}, parentSchema: schema });
    else for (const rule of some) rule(value, at, found);
  };
}

/**
 * @param root a schema whose references are all `#/definitions/NAME`
 * @returns what tells all that is wrong with a value, in the order in which it stands; nothing for a valid one
 */
export function schemaValidator(root: Subschema): (value: unknown) => readonly SchemaError[] {
  const prepared = new Map<Subschema, Rule>();
  const ruleFor = (schema: Subschema): Rule => {
    const rule = prepared.get(schema) ?? ruleOf(schema, prepare);
    prepared.set(schema, rule);
    return rule;
  };
  const prepare: Prepare = (schema) => {
    const target = schema.$ref === undefined ? schema : root.definitions?.[schema.$ref.split('/')[2] ?? ''];
    assert(target !== undefined, `the schema has ${schema.$ref}`);
    let rule: Rule | undefined;
    return (value, at, found) => {
      rule ??= ruleFor(target);
      rule(value, at, found);
    };
  };
  const all = prepare(root);
  return (value) => {
    const found: SchemaError[] = [];
    all(value, '', found);
    return found;
  };
}
