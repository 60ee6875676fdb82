/** One file against the schema: what breaks it, each as a fault at its exact place. */
import type { CheckType } from '../checks/model.js';
import { assert } from '../core/assert.js';
import { hereText } from './elsewhere.js';
import { FAULTS_MAX, type RawFault, type Source } from './faults.js';
import { pathText } from './path.js';
import { CHECK_KEYS, SCHEMA, type Subschema, wrongTypeText } from './schema-facts.js';
import { type SchemaError, schemaValidator } from './schema-validator.js';
import { suggestion } from './suggest.js';
import type { YamlField, YamlNode } from './yaml-node.js';

const check = schemaValidator(SCHEMA);

/** Where a JSON pointer leads, and how it reads. */
interface Place {
  readonly node: YamlNode;
  readonly keyStart: number;
  readonly path: string;
}

function follow(root: YamlNode, pointer: string): Place {
  let place: Place = { node: root, keyStart: root.start, path: '' };
  for (const escaped of pointer.split('/').slice(1)) {
    const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    const item = place.node.items?.[Number(key)];
    const field: YamlField | undefined =
      item === undefined ? place.node.fields?.get(key) : { node: item, keyStart: item.start };
    assert(field !== undefined, `the schema's pointer ${pointer} leads to a value`);
    place = { ...field, path: pathText(place.path, item === undefined ? key : Number(key)) };
  }
  return place;
}

/** A value as a fault text shows it: short, on one line. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 56)}..."`;
}

function hint(schema: Subschema, value: unknown): string {
  if (typeof value === 'number' && schema['x-duration'] !== undefined) {
    return `; write the unit, such as ${value}s`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    return schema.type === 'string' && schema.enum === undefined ? '; put it in quotes' : '';
  }
  if (typeof value !== 'string') return '';
  if (schema.type === 'string' && schema.enum !== undefined)
    return suggestion(value, schema.enum.map(String));
  const unquoted = schema.type === 'integer' && /^\d+$/.test(value);
  const number = schema.type === 'number' && schema.enum?.includes(Number(value)) === true;
  return unquoted || number || (schema.type === 'boolean' && /^(true|false)$/.test(value))
    ? '; take the quotes away'
    : '';
}

function valueMessage(place: Place, schema: Subschema): string {
  const expects = schema['x-expects'] ?? 'what belongs here';
  const where = place.path === '' ? '' : `${place.path}: `;
  const { value } = place.node;
  if (value === null) return `${where}empty; it must be ${expects}`;
  const what = schema['x-secret'] === true ? 'the value' : shown(value);
  return `${where}${what} is not ${expects}${hint(schema, value)}`;
}

function unknownKeyMessage(place: Place, schema: Subschema, key: string): string {
  const path = pathText(place.path, key);
  const type = schema.properties?.type?.const as CheckType | undefined;
  const wrongType = type === undefined ? '' : wrongTypeText(key, type);
  if (wrongType !== '') return `${path}: ${wrongType}`;
  const said = hereText(key);
  return `${path}: unknown key${said === '' ? suggestion(key, Object.keys(schema.properties ?? {})) : said}`;
}

interface Found {
  readonly offset: number;
  readonly message: string;
}

function keyOffset(place: Place, key: string): number {
  return place.node.fields?.get(key)?.keyStart ?? place.node.start;
}

function discriminatorFault(place: Place): Found {
  const type = place.node.fields?.get('type');
  assert(type !== undefined, 'the discriminator was looked at because it is there');
  // Without its type nothing of a check was held against the schema: no rule may look at any of it.
  for (const { node } of place.node.fields?.values() ?? []) node.faulty = true;
  const words = [...CHECK_KEYS.keys()];
  const schema: Subschema = { type: 'string', enum: words, 'x-expects': `one of ${words.join(', ')}` };
  const at: Place = { ...type, path: pathText(place.path, 'type') };
  return { offset: type.node.start, message: valueMessage(at, schema) };
}

function repeatFault(place: Place, repeated: number): Found {
  const item = place.node.items?.[repeated] ?? place.node;
  item.faulty = true;
  const path = pathText(place.path, repeated);
  return { offset: item.start, message: `${path}: ${shown(item.value)} stands in the list twice` };
}

/** The fault of one error; undefined where it only repeats what another error says better. */
function translate(root: YamlNode, error: SchemaError): Found | undefined {
  const place = follow(root, error.instancePath);
  const schema = error.parentSchema;
  if (error.propertyName !== undefined) {
    const path = pathText(place.path, error.propertyName);
    const message = `${path}: the key is not ${schema['x-expects'] ?? 'a name'}`;
    return { offset: keyOffset(place, error.propertyName), message };
  }
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      return { offset: keyOffset(place, key), message: unknownKeyMessage(place, schema, key) };
    }
    case 'required': {
      const path = pathText(place.path, String(error.params.missingProperty));
      return { offset: place.node.start, message: `${path}: missing; it must be there` };
    }
    case 'discriminator':
      return discriminatorFault(place);
    case 'uniqueItems':
      return repeatFault(place, Number(error.params.i));
    case 'maxItems':
    case 'maxProperties': {
      place.node.faulty = true;
      const message = `${place.path}: more than the ${error.params.limit} entries that are allowed`;
      return { offset: place.node.start, message };
    }
    default:
      // One fault for one value: what else is wrong with it shows when this was put right.
      if (place.node.faulty) return undefined;
      place.node.faulty = true;
      return { offset: place.node.start, message: valueMessage(place, schema) };
  }
}

/** Holds a file against the schema, and marks every value that is wrong as faulty. */
export function validate(source: Source, root: YamlNode): readonly RawFault[] {
  const faults: RawFault[] = [];
  for (const error of check(root.value)) {
    if (faults.length > FAULTS_MAX) {
      // Not every wrong value is marked now, so no rule may look at this file.
      root.faulty = true;
      break;
    }
    const found = translate(root, error);
    if (found !== undefined) faults.push({ source, ...found });
  }
  return faults;
}
