/**
 * The bricks of the configuration's schema. Every brick carries what the editor, the fault texts and the
 * reference in `docs/configuration.md` say about it, so that the three cannot differ.
 * TypeBox is needed at build time only: `npm run generate` writes the schema out as data.
 */
import { type Static, type TOptional, type TProperties, type TSchema, Type } from 'typebox';

/** What the reference says of one option. */
export interface Doc {
  readonly says: string;
  /** What holds where the option is left out. */
  readonly default?: string;
  /** A YAML value. */
  readonly example: string;
  /** How it depends on other options. */
  readonly relation?: string;
  readonly unit?: string;
  /** The value never stands in a fault. */
  readonly secret?: boolean;
  /** Completes the sentence "... is not", where the kind's own words are too general. */
  readonly expects?: string;
}

/** Annotations beside JSON Schema's own. `x-expects` completes the sentence "... is not". */
type Notes = {
  readonly description: string;
  readonly 'x-expects': string;
  readonly 'x-type': string;
  readonly 'x-example': string;
  readonly 'x-default'?: string;
  readonly 'x-relation'?: string;
  readonly 'x-range'?: string;
  readonly 'x-unit'?: string;
  readonly 'x-secret'?: boolean;
};

interface Kind {
  readonly type: string;
  readonly expects: string;
  readonly range?: string;
  readonly unit?: string;
}

function notes(doc: Doc, kind: Kind): Notes {
  const unit = doc.unit ?? kind.unit;
  return {
    description: doc.relation === undefined ? doc.says : `${doc.says} ${doc.relation}`,
    'x-expects': kind.expects,
    'x-type': kind.type,
    'x-example': doc.example,
    ...(doc.default === undefined ? {} : { 'x-default': doc.default }),
    ...(doc.relation === undefined ? {} : { 'x-relation': doc.relation }),
    ...(kind.range === undefined ? {} : { 'x-range': kind.range }),
    ...(unit === undefined ? {} : { 'x-unit': unit }),
    ...(doc.secret === true ? { 'x-secret': true } : {}),
  };
}

/** A duration with its unit, as text. `least` and `most` are durations themselves. */
export function duration(least: string, most: string, doc: Doc) {
  return Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
    'x-duration': [least, most],
    ...notes(doc, {
      type: 'duration',
      expects: `a duration from ${least} to ${most}, such as ${doc.example}`,
      range: `${least} to ${most}`,
      unit: 'ms, s, m, h, d',
    }),
  });
}

/** A whole number. */
export function integer(least: number, most: number, doc: Doc) {
  return Type.Integer({
    minimum: least,
    maximum: most,
    ...notes(doc, {
      type: 'whole number',
      expects: doc.expects ?? `a whole number from ${least} to ${most}`,
      range: `${least} to ${most}`,
    }),
  });
}

/** A TCP or UDP port number. */
export function port(least: 0 | 1, doc: Doc) {
  return Type.Integer({
    minimum: least,
    maximum: 65_535,
    ...notes(doc, {
      type: 'port',
      expects: `a port (${least} to 65535)`,
      range: `${least} to 65535`,
    }),
  });
}

export function yesNo(doc: Doc) {
  return Type.Boolean(notes(doc, { type: 'true or false', expects: 'true or false' }));
}

/** One word of a closed list. */
export function choice<const Words extends readonly string[]>(words: Words, doc: Doc) {
  const list = words.join(', ');
  return Type.Unsafe<Words[number]>({
    type: 'string',
    enum: words,
    ...notes(doc, { type: 'word', expects: doc.expects ?? `one of ${list}`, range: list }),
  });
}

export interface TextShape {
  /** Completes "is not ..." */
  readonly expects: string;
  readonly type?: string;
  readonly pattern?: string;
  readonly longest: number;
}

/** Text of at least one character; `longest` counts characters. */
export function text(shape: TextShape, doc: Doc) {
  return Type.String({
    minLength: 1,
    maxLength: shape.longest,
    ...(shape.pattern === undefined ? {} : { pattern: shape.pattern }),
    ...notes(doc, {
      type: shape.type ?? 'text',
      expects: shape.expects,
      range: `up to ${shape.longest} characters`,
    }),
  });
}

/** Letters, digits, dots, underscores and hyphens: safe in paths, logs and check ids. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
export const NAME_EXPECTS = 'a name (letters, digits, ".", "_" and "-", at most 63)';

export function name(doc: Doc) {
  return text({ expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 }, doc);
}

/** A list. `unique` is for short lists of words: repeats of longer things are found by the rules. */
export function listOf<Item extends TSchema>(item: Item, most: number, doc: Doc, unique = true) {
  const of = (item as { 'x-expects'?: string })['x-expects'] ?? 'values';
  const kind = (item as { 'x-type'?: string })['x-type'] ?? 'value';
  const range = (item as { 'x-range'?: string })['x-range'];
  return Type.Array(item, {
    maxItems: most,
    uniqueItems: unique,
    ...notes(doc, {
      type: `list of ${kind}s`,
      expects: `a list of at most ${most}, each ${of}`,
      ...(range === undefined ? {} : { range: `each: ${range}` }),
    }),
  });
}

/** A mapping with known keys; any other key is refused. */
export function section<Properties extends TProperties>(properties: Properties, doc: Doc) {
  const [first, second, third, ...rest] = Object.keys(properties);
  const keys = [first, second, third].filter((key) => key !== undefined).join(', ');
  return Type.Object(properties, {
    additionalProperties: false,
    ...notes(doc, { type: 'mapping', expects: `a mapping (${keys}${rest.length > 0 ? ' ...' : ''})` }),
  });
}

/** A mapping whose keys are names of the operator's choice. */
export function named<Value extends TSchema>(value: Value, most: number, doc: Doc) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    maxProperties: most,
    propertyNames: { type: 'string', pattern: NAME_PATTERN, 'x-expects': NAME_EXPECTS },
    additionalProperties: value,
    ...notes(doc, {
      type: 'mapping',
      expects: `a mapping of at most ${most}, each with a name`,
      range: `up to ${most}`,
    }),
  });
}

/** Makes every key optional. */
export function optional<Properties extends TProperties>(
  properties: Properties,
): { [Key in keyof Properties]: TOptional<Properties[Key]> } {
  const entries = Object.entries(properties).map(([key, schema]) => [key, Type.Optional(schema)]);
  return Object.fromEntries(entries) as { [Key in keyof Properties]: TOptional<Properties[Key]> };
}
