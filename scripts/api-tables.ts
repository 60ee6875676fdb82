/** The tables of documents that people write around: members of the API's answers, and the events. */
import { EVENT_KINDS } from '../src/alerts/model.js';
import * as general from '../src/api/schemas.js';
import * as mass from '../src/api/schemas-mass.js';
import * as names from '../src/api/schemas-names.js';
import * as routers from '../src/api/schemas-vrrp.js';
import * as why from '../src/api/schemas-why.js';
import { markdownTable } from './markdown.js';

const schemas = { ...general, ...mass, ...names, ...routers, ...why };

interface Property {
  readonly type: string | readonly string[];
  readonly description: string;
  readonly enum?: readonly (string | null)[];
  readonly items?: Property;
  readonly properties?: object;
}

/** `Service` for SERVICE_SCHEMA. */
function titleOf(name: string): string {
  return `${name.charAt(0)}${name.slice(1).replace('_SCHEMA', '').toLowerCase()}`;
}

/** The heading of an answer's part that has one of its own. */
function linkOf(property: Property): string | undefined {
  const found = Object.entries(schemas).find(
    ([, schema]) => property.properties !== undefined && schema.properties === property.properties,
  );
  return found && `[${titleOf(found[0])}](#${titleOf(found[0]).toLowerCase()})`;
}

function wordOf(property: Property, type: string): string {
  if (type === 'array')
    return `array of ${property.items === undefined ? 'values' : typeText(property.items)}`;
  if (type === 'object') return linkOf(property) ?? 'object';
  return type;
}

function typeText(property: Property): string {
  const types = [property.type].flat();
  const named = property.enum?.filter((value) => value !== null).map((value) => `\`"${value}"\``);
  const words = named ?? types.filter((type) => type !== 'null').map((type) => wordOf(property, type));
  if (types.includes('null')) words.push('null');
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Puts a table in place of the one below a heading. @throws Error where there is no such heading with a table */
function withTable(document: string, heading: string, rows: readonly (readonly string[])[]): string {
  const start = document.indexOf(`\n${heading}\n`);
  const table = /(?:^\|.*\n)+/m.exec(document.slice(start));
  if (start < 0 || table === null) throw new Error(`the document has no table below ${heading}`);
  const at = start + table.index;
  return `${document.slice(0, at)}${markdownTable(rows)}\n${document.slice(at + table[0].length)}`;
}

/** docs/api.md with the members of every answer. */
export function withMembers(document: string): string {
  let text = document;
  for (const [name, schema] of Object.entries(schemas)) {
    if (name === 'ERROR_SCHEMA') continue;
    const members = Object.entries(schema.properties as Readonly<Record<string, Property>>);
    const rows = members.map(([member, property]) => [
      `\`${member}\``,
      typeText(property),
      property.description,
    ]);
    text = withTable(text, `### ${titleOf(name)}`, [['member', 'type', 'meaning'], ...rows]);
  }
  return text;
}

/** docs/alerts.md with every event. */
export function withEvents(document: string): string {
  const rows = Object.entries(EVENT_KINDS).map(([kind, meaning]) => [`\`${kind}\``, meaning]);
  return withTable(document, '## Events', [['event', 'meaning'], ...rows]);
}
