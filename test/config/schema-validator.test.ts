/** The schema's keywords, each by itself; and beside Ajv on all that there is of configurations, whole and broken. */
import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import { SCHEMA, type Subschema } from '../../src/config/schema-facts.js';
import { durationWithin } from '../../src/config/schema-rules.js';
import { type SchemaError, schemaValidator } from '../../src/config/schema-validator.js';
import { readYaml } from '../../src/config/yaml.js';
import { filesBelow, read } from '../house/project.js';
import { source } from './given.js';

/** What is wrong, in one line. */
function told({ keyword, instancePath, params, propertyName }: SchemaError): string {
  const { additionalProperty, missingProperty, limit } = params;
  const most = ['maxItems', 'maxProperties'].includes(keyword) ? limit : undefined;
  const said = [additionalProperty, missingProperty, most, propertyName].filter((one) => one !== undefined);
  return [instancePath, keyword, ...said].join(' ').trim();
}

function wrong(schema: Subschema, value: unknown): readonly string[] {
  return schemaValidator(schema)(value).map(told);
}

const NAMED: Subschema = { type: 'object', propertyNames: { type: 'string', pattern: '^[a-z]+$' } };
const CLOSED: Subschema = {
  type: 'object',
  properties: { a: { type: 'string' }, 'x/y~z': { type: 'string' } },
  additionalProperties: false,
};
const OPEN: Subschema = { type: 'object', additionalProperties: { type: 'integer' } };
const EITHER: Subschema = {
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  then: { type: 'string', minLength: 2 },
  else: { type: 'array', maxItems: 1 },
};
const KINDS: Subschema = {
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    { type: 'object', properties: { type: { type: 'string', const: 'tcp' } }, additionalProperties: false },
    { type: 'object', properties: { type: { type: 'string', const: 'http' }, path: { type: 'string' } } },
  ],
};
const RECURSIVE: Subschema = {
  type: 'object',
  properties: { inner: { $ref: '#/definitions/node' } },
  definitions: { node: { type: 'object', properties: { inner: { $ref: '#/definitions/node' } } } },
};

/** Schema, value, what is wrong. */
const CASES: readonly (readonly [Subschema, unknown, readonly string[]])[] = [
  [{ type: 'string' }, 'a', []],
  [{ type: 'string', minLength: 3, pattern: 'x' }, 5, ['type']],
  [{ type: 'object' }, null, ['type']],
  [{ type: 'object' }, [], ['type']],
  [{ type: 'array' }, {}, ['type']],
  [{ type: 'null' }, null, []],
  [{ type: 'integer' }, 1.5, ['type']],
  [{ type: 'integer' }, Number.NaN, ['type']],
  [{ type: 'number' }, Number.POSITIVE_INFINITY, ['type']],
  [{ type: ['integer', 'string'] }, 'a', []],
  [{ type: ['integer', 'string'] }, true, ['type']],
  [{ minLength: 2, maxLength: 3 }, 'a', ['minLength']],
  [{ minLength: 2, maxLength: 3 }, 'abcd', ['maxLength']],
  [{ maxLength: 1 }, '\u{1f600}', []],
  [{ pattern: '^.$' }, '\u{1f600}', []],
  [{ pattern: '^a' }, 'b', ['pattern']],
  [{ minimum: 1, maximum: 3 }, 0, ['minimum']],
  [{ minimum: 1, maximum: 3 }, 4, ['maximum']],
  [{ minimum: 1, maximum: 3 }, 3, []],
  [{ enum: ['a', 1] }, '1', ['enum']],
  [{ enum: ['a', 1] }, 1, []],
  [{ const: 'a' }, 'b', ['const']],
  [{ 'x-duration': ['1s', '1m'] }, '2m', ['x-duration']],
  [{ 'x-duration': ['1s', '1m'] }, 'never', []],
  [{ required: ['a', 'toString'] }, {}, ['required a', 'required toString']],
  [CLOSED, { a: 1, 'x/y~z': 2, b: 3 }, ['/a type', '/x~1y~0z type', 'additionalProperties b']],
  [
    CLOSED,
    JSON.parse('{"__proto__":1,"constructor":2}'),
    ['additionalProperties __proto__', 'additionalProperties constructor'],
  ],
  [OPEN, { a: 1, b: 'x' }, ['/b type']],
  [NAMED, { a: 1, B: 2 }, ['pattern B']],
  [{ maxProperties: 1 }, { a: 1, b: 2 }, ['maxProperties 1']],
  [{ type: 'array', items: { type: 'string' }, minItems: 1 }, [], ['minItems']],
  [{ type: 'array', items: { type: 'string' } }, ['a', 1], ['/1 type']],
  [{ maxItems: 1 }, [1, 2], ['maxItems 1']],
  [{ uniqueItems: true }, [1, '1', true, 'true', null, 'null', [1], ['1']], []],
  [{ uniqueItems: true }, ['a', 'b', 'a'], ['uniqueItems']],
  [{ uniqueItems: false }, ['a', 'b', 'a'], []],
  [
    { uniqueItems: true },
    [
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 3, c: 2 }, a: 1 },
    ],
    ['uniqueItems'],
  ],
  [EITHER, 'a', ['minLength']],
  [EITHER, ['a', 'b'], ['maxItems 1']],
  [EITHER, 5, ['type']],
  [KINDS, { type: 'tcp' }, []],
  [KINDS, { type: 'tcp', path: 5 }, ['additionalProperties path']],
  [KINDS, { type: 'http', path: 5 }, ['/path type']],
  [KINDS, { type: 'gopher' }, ['discriminator']],
  [KINDS, { type: 7 }, ['discriminator']],
  [KINDS, {}, ['required type']],
  [RECURSIVE, { inner: { inner: { inner: 1 } } }, ['/inner/inner/inner type']],
];

t.test('each keyword tells what breaks it, and where', async (t) => {
  for (const [schema, value, expected] of CASES)
    t.same(wrong(schema, value), expected, `${JSON.stringify(value)} in ${JSON.stringify(schema)}`);
});

t.test('of what stands in a list twice the first repeat is told', async (t) => {
  const [error] = schemaValidator({ uniqueItems: true })(['a', 'b', 'b', 'a']);
  t.same(error?.params, { i: 2 });
});

t.test('an error names the part of the schema that it breaks', async (t) => {
  const [error] = schemaValidator(CLOSED)({ a: 1 });
  t.equal(error?.parentSchema, CLOSED.properties?.a);
});

/** Every part of a schema. */
function parts(schema: Subschema): readonly Subschema[] {
  const { if: condition, then, else: otherwise, items, propertyNames, additionalProperties } = schema;
  const named = [schema.properties, schema.definitions].flatMap((each) => Object.values(each ?? {}));
  const single = [condition, then, otherwise, items, propertyNames, additionalProperties];
  const all = [...named, ...(schema.oneOf ?? []), ...single];
  return [schema, ...all.flatMap((one) => (typeof one === 'object' ? parts(one) : []))];
}

t.test('every keyword of the configuration schema is one that values are held against', async (t) => {
  t.ok(parts(SCHEMA).length > 500, 'the walk sees the parts');
  for (const { type, ...part } of parts(SCHEMA))
    t.doesNotThrow(() => schemaValidator({ ...part, definitions: SCHEMA.definitions ?? {} })(null));
  t.throws(() => schemaValidator({ minProperties: 1 } as Subschema)({}), /minProperties/);
});

function ajvValidator(): (value: unknown) => readonly ErrorObject[] {
  const ajv = new Ajv({ allErrors: true, discriminator: true, strict: false });
  ajv.addKeyword({ keyword: 'x-duration', type: 'string', validate: durationWithin, errors: false });
  const validate = ajv.compile(SCHEMA);
  return (value) => (validate(value) ? [] : (validate.errors ?? []));
}

/**
 * Ajv goes on where a type is wrong, says of conditions that they failed beside what failed in them, of a check without
 * a type that it is of none, and not of items of a wrong type that they stand in their list twice.
 */
function comparable(errors: readonly SchemaError[]): readonly string[] {
  const place = ({ instancePath, propertyName }: SchemaError) => `${instancePath} ${propertyName ?? ''}`;
  const mistyped = new Set(errors.filter(({ keyword }) => keyword === 'type').map(place));
  const isRepeated = (error: SchemaError): boolean => {
    const { keyword, instancePath } = error;
    if (keyword === 'type') return false;
    if (mistyped.has(place(error))) return true;
    if (keyword === 'uniqueItems') return [...mistyped].some((one) => one.startsWith(`${instancePath}/`));
    if (keyword !== 'discriminator') return false;
    return errors.some((one) => one.instancePath === instancePath && one.params.missingProperty === 'type');
  };
  const kept = errors.filter((one) => !['if', 'propertyNames'].includes(one.keyword) && !isRepeated(one));
  return [...new Set(kept.map(told))].sort();
}

const ours = schemaValidator(SCHEMA);
const theirs = ajvValidator();

function same(value: unknown): boolean {
  const [our, their] = [ours(value), theirs(value) as readonly SchemaError[]].map(comparable);
  if (JSON.stringify(our) === JSON.stringify(their)) return true;
  throw new Error(`${JSON.stringify(value)}: ${JSON.stringify(our)} and not ${JSON.stringify(their)}`);
}

function valuesBelow(folder: string): readonly unknown[] {
  return filesBelow(folder, /\.ya?ml$/).map((path) => readYaml(source(read(path))).root?.value);
}

t.test('Ajv finds the same wrong with every file that is here', async (t) => {
  const values = [...valuesBelow('config'), ...valuesBelow('test/config/invalid')];
  t.ok(values.length > 200, 'there are many');
  for (const value of values) t.doesNotThrow(() => same(value));
});

type Place = readonly (string | number)[];

/** Every place in a value. */
function placesIn(value: unknown, at: Place = []): readonly Place[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [at, ...inner.flatMap(([key, its]) => placesIn(its, [...at, key]))];
}

/** The value with another one at a place; undefined takes it out. */
function wounded(value: unknown, [key, ...rest]: Place, put: unknown): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? wounded(item, rest, put) : item));
  const entries = Object.entries(value as object).map(([name, its]) => [
    name,
    name === key ? wounded(its, rest, put) : its,
  ]);
  return Object.fromEntries(entries.filter(([, its]) => its !== undefined));
}

const ANYTHING = fc.oneof(
  ...[fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
  fc.constantFrom('2s', '5', 'tcp', 'http', '192.0.2.1:80', '9999h', '', '1%', undefined),
  fc.constantFrom({}, [], { type: 'tcp' }, { type: 'nonsense' }, { type: 5 }, ['a', 'a'], [{}, {}]),
  fc.dictionary(fc.constantFrom('type', 'check', 'address', 'path', 'weight', '~/'), fc.string()),
);

t.test('Ajv finds the same wrong with the example, whatever is put into it anywhere', async (t) => {
  const example = readYaml(source(read('config/lvsentry.example.yaml'))).root?.value;
  const places = placesIn(example).filter((place) => place.length > 0);
  t.ok(places.length > 300, 'the example has many values');
  fc.assert(
    fc.property(fc.constantFrom(...places), ANYTHING, (place, put) => same(wounded(example, place, put))),
    { numRuns: 1000 },
  );
});
