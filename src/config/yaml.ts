/**
 * YAML 1.2 text to values that know their place, in one pass over js-yaml's events.
 * Own construction instead of js-yaml's: all duplicate keys are told at once, with both places,
 * and aliases are bounded by what they expand to.
 */
import {
  type AliasEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
  YAMLException,
} from 'js-yaml';
import { assert } from '../core/assert.js';
import { errorText } from '../core/errors.js';
import { FAULTS_MAX, placeText, type RawFault, type Source, WHOLE_FILE } from './faults.js';
import { pathText } from './path.js';
import { readSimpleYaml } from './simple-yaml.js';
import { plainValue, scalarNode, type YamlField, type YamlNode } from './yaml-node.js';

/** Deeper nesting than this has no meaning in any of our files. */
export const DEPTH_MAX = 32;
/** Values of one file, each alias counted as all that it stands for. */
export const VALUES_MAX = 500_000;

/** The state of one pass. */
interface Pass {
  readonly source: Source;
  readonly events: readonly Event[];
  readonly anchors: Map<string, YamlNode>;
  readonly faults: RawFault[];
  at: number;
}

function fault(pass: Pass, offset: number, message: string): void {
  if (pass.faults.length > FAULTS_MAX) return;
  pass.faults.push({ source: pass.source, offset: Math.max(0, offset), message });
}

function scalarStart(event: ScalarEvent, fallback: number): number {
  if (event.valueStart < 0) return fallback;
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return quoted ? event.valueStart - 1 : event.valueStart;
}

function readScalar(pass: Pass, event: ScalarEvent, fallback: number): YamlNode {
  const text = getScalarValue(pass.source.text, event);
  const value = event.style === SCALAR_STYLE.PLAIN ? plainValue(text) : text;
  return scalarNode(scalarStart(event, fallback), value);
}

function readAlias(pass: Pass, event: AliasEvent): YamlNode {
  const name = pass.source.text.slice(event.anchorStart, event.anchorEnd);
  const target = pass.anchors.get(name);
  if (target !== undefined) return target;
  fault(
    pass,
    event.anchorStart - 1,
    `*${name} stands for nothing: no anchor &${name} ends before this place`,
  );
  return { ...scalarNode(event.anchorStart - 1, null), faulty: true };
}

/** How far an item without text is looked for: a scan to the end for each would be quadratic. */
const EMPTY_ITEM_WINDOW = 1000;

/** Where an item without any text stands: at the next dash that begins a line, after what was read last. */
function emptyItemStart(pass: Pass, after: number): number {
  const window = pass.source.text.slice(after, after + EMPTY_ITEM_WINDOW);
  const match = /^[ \t]*-(?=\s|$)/m.exec(window);
  return match === null ? after : after + match.index + match[0].length - 1;
}

function readItems(pass: Pass, event: SequenceEvent): YamlNode {
  const items: YamlNode[] = [];
  let size = 1;
  let last = event.start;
  while (pass.events[pass.at]?.type !== EVENT_ID.POP) {
    const next = pass.events[pass.at];
    const empty = next?.type === EVENT_ID.SCALAR && next.valueStart < 0;
    const item = readNode(pass, empty ? emptyItemStart(pass, last) : last);
    last = item.start + 1;
    size += item.size;
    items.push(item);
  }
  pass.at += 1;
  const value = items.map((item) => item.value);
  return { start: event.start, value, fields: undefined, items, size, faulty: false };
}

/** The key as text, or undefined (with a fault) where it is not plain text. */
function readKey(pass: Pass, parent: number): { readonly text: string | undefined; readonly start: number } {
  const event = pass.events[pass.at];
  if (event?.type === EVENT_ID.SCALAR && event.tagStart < 0 && event.anchorStart < 0) {
    pass.at += 1;
    return { text: getScalarValue(pass.source.text, event), start: scalarStart(event, parent) };
  }
  const { start } = readNode(pass, parent);
  fault(pass, start, 'a key must be plain text');
  return { text: undefined, start };
}

function keyIsSound(pass: Pass, key: string, start: number, fields: Map<string, YamlField>): boolean {
  const first = fields.get(key);
  if (first !== undefined) {
    const place = placeText(pass.source, pass.source, first.keyStart);
    fault(
      pass,
      start,
      `the key ${pathText('', key)} stands here a second time (first in ${place}); keep one`,
    );
    return false;
  }
  if (key === '<<') {
    fault(pass, start, 'merge keys (<<) are not part of YAML 1.2; write the keys out, or use `defaults`');
    return false;
  }
  return true;
}

function readFields(pass: Pass, event: MappingEvent): YamlNode {
  const fields = new Map<string, YamlField>();
  const value = Object.create(null) as Record<string, unknown>;
  let size = 1;
  while (pass.events[pass.at]?.type !== EVENT_ID.POP) {
    const key = readKey(pass, event.start);
    const child = readNode(pass, key.start);
    size += child.size;
    if (key.text === undefined || !keyIsSound(pass, key.text, key.start, fields)) continue;
    fields.set(key.text, { keyStart: key.start, node: child });
    value[key.text] = child.value;
  }
  pass.at += 1;
  return { start: event.start, value, fields, items: undefined, size, faulty: false };
}

function readContent(
  pass: Pass,
  event: ScalarEvent | MappingEvent | SequenceEvent,
  fallback: number,
): YamlNode {
  if (event.type === EVENT_ID.SCALAR) return readScalar(pass, event, fallback);
  return event.type === EVENT_ID.MAPPING ? readFields(pass, event) : readItems(pass, event);
}

/** Recursion is bounded by DEPTH_MAX, which the parser has held already. */
function readNode(pass: Pass, fallback: number): YamlNode {
  const event = pass.events[pass.at];
  pass.at += 1;
  assert(
    event !== undefined && event.type !== EVENT_ID.POP && event.type !== EVENT_ID.DOCUMENT,
    'a YAML event stream has a value here',
  );
  if (event.type === EVENT_ID.ALIAS) return readAlias(pass, event);
  const read = readContent(pass, event, fallback);
  if (event.tagStart >= 0) {
    const tag = pass.source.text.slice(event.tagStart, event.tagEnd);
    fault(pass, event.tagStart, `tags (${tag}) are not used here; leave it out`);
  }
  if (event.anchorStart >= 0) {
    pass.anchors.set(pass.source.text.slice(event.anchorStart, event.anchorEnd), read);
  }
  return read;
}

/** What js-yaml says where a flow collection does not end. */
const UNCLOSED: ReadonlySet<string> = new Set([
  'deficient indentation',
  'unexpected end of the stream within a flow collection',
]);

/** A hint for the syntax errors that operators of IPVS will make first. */
function syntaxHint(text: string, position: number, reason: string): string {
  if (UNCLOSED.has(reason)) return '; a bracket or brace before this place is probably not closed';
  const start = text.lastIndexOf('\n', position - 1) + 1;
  const end = text.indexOf('\n', position);
  const line = text.slice(start, end < 0 ? start + 200 : Math.min(end, start + 200));
  if (/:\s+\[[0-9a-fA-F:.]+\]:\d/.test(line)) return '; an address in brackets must stand in quotes';
  if (/^\s*\t/.test(line)) return '; indent with blanks, not tabs';
  return '';
}

function syntaxFault(source: Source, thrown: unknown): RawFault {
  if (!(thrown instanceof YAMLException)) {
    return { source, offset: WHOLE_FILE, message: `not YAML: ${errorText(thrown)}` };
  }
  const offset = Math.min(thrown.mark?.position ?? 0, source.text.length);
  if (thrown.reason.startsWith('nesting exceeded')) {
    return { source, offset, message: `nested more than ${DEPTH_MAX} levels deep` };
  }
  const message = `not YAML: ${thrown.reason}${syntaxHint(source.text, offset, thrown.reason)}`;
  return { source, offset, message };
}

export interface YamlResult {
  /** Undefined where the file has no value that could be looked at. */
  readonly root: YamlNode | undefined;
  readonly faults: readonly RawFault[];
  /** Whether a value has an anchor: other parts of the text may then stand for it. */
  readonly anchored: boolean;
}

const EMPTY = 'the file is empty; the least it can hold is `services: {}`';

function onlyDocument(pass: Pass): YamlNode | undefined {
  if (pass.events.length === 0) {
    pass.faults.push({ source: pass.source, offset: WHOLE_FILE, message: EMPTY });
    return undefined;
  }
  pass.at = 1;
  const root = readNode(pass, 0);
  if (root.value === null) pass.faults.push({ source: pass.source, offset: WHOLE_FILE, message: EMPTY });
  const next = pass.events[pass.at + 1];
  if (next !== undefined) {
    pass.at += 2;
    fault(
      pass,
      readNode(pass, pass.source.text.length).start,
      'a second document; one file holds one document',
    );
  }
  return root.value === null ? undefined : root;
}

/** Reads a text of any kind through js-yaml's events. */
export function readEvents(source: Source): YamlResult {
  let events: readonly Event[];
  try {
    events = parseEvents(source.text, { maxDepth: DEPTH_MAX });
  } catch (thrown) {
    return { root: undefined, faults: [syntaxFault(source, thrown)], anchored: false };
  }
  const pass: Pass = { source, events, anchors: new Map(), faults: [], at: 0 };
  const root = onlyDocument(pass);
  const anchored = pass.anchors.size > 0;
  if (root !== undefined && root.size > VALUES_MAX) {
    const message = `more than ${VALUES_MAX} values, aliases counted as what they stand for`;
    return { root: undefined, faults: [...pass.faults, { source, offset: root.start, message }], anchored };
  }
  return { root, faults: pass.faults, anchored };
}

/** Reads one file. Never throws for what is in the text; a syntax error ends the file with one fault. */
export function readYaml(source: Source): YamlResult {
  const root = readSimpleYaml(source.text);
  if (root === undefined || root.size > VALUES_MAX) return readEvents(source);
  return { root, faults: [], anchored: false };
}
