/**
 * Reads the YAML that configurations are mostly made of, several times faster than the full parser: block mappings
 * and lists, flow collections on one line, plain words and quoted text without escapes, comments. Of everything
 * else it knows only that it does not know it: then the full parser reads the text, and tells what is wrong in it.
 */
import { plainValue, scalarNode, type YamlField, type YamlNode } from './yaml-node.js';

/** Deeper nesting is for the full parser to judge. */
const DEPTH_MAX = 10;

const KNOWN_TEXT = /^[\n\x20-\x7e\u00a1-\u1fff]*$/;
/** Lines that say nothing. */
const SILENT_LINES = /(?: *(?:#.*)?\n)*(?: *(?:#.*)?$)?/y;
/** What may stand between a value and the end of its line. */
const LINE_END = /(?: +#.*| *)(?:\n|$)/y;
const KEY = /(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|"[^"\\\n]+"|'[^'\n]+'):(?=[ \n]|$)/y;
const WORD = /[A-Za-z0-9/._+](?:[A-Za-z0-9/._+=@-]|:(?=[A-Za-z0-9/._+=@-]))*/y;
const QUOTED = /"[^"\\\n]*"|'[^'\n]*'/y;
const BLANKS = / */y;

const [DOUBLE, SINGLE, COMMA, DASH, BLANK] = [0x22, 0x27, 0x2c, 0x2d, 0x20];
const [LIST, LIST_END, MAPPING, MAPPING_END] = [0x5b, 0x5d, 0x7b, 0x7d];

interface Scan {
  readonly text: string;
  at: number;
  depth: number;
}

type Maybe = YamlNode | undefined;

/** Goes past what matches here. */
function pass(scan: Scan, pattern: RegExp): boolean {
  pattern.lastIndex = scan.at;
  if (!pattern.test(scan.text)) return false;
  scan.at = pattern.lastIndex;
  return true;
}

/** Goes to the next line that says something, and past its indentation. @returns the indentation; -1 at the end. */
function nextLine(scan: Scan): number {
  pass(scan, SILENT_LINES);
  if (scan.at >= scan.text.length) return -1;
  const start = scan.at;
  pass(scan, BLANKS);
  return scan.at - start;
}

/** Goes back to the beginning of a line that another level reads. */
function backTo(scan: Scan, indent: number): void {
  scan.at -= Math.max(0, indent);
}

interface Key {
  readonly text: string;
  readonly start: number;
}

function readKey(scan: Scan): Key | undefined {
  const start = scan.at;
  if (!pass(scan, KEY)) return undefined;
  const first = scan.text.charCodeAt(start);
  const quoted = first === DOUBLE || first === SINGLE;
  return {
    text: quoted ? scan.text.slice(start + 1, scan.at - 2) : scan.text.slice(start, scan.at - 1),
    start,
  };
}

function readScalar(scan: Scan): Maybe {
  const start = scan.at;
  if (pass(scan, WORD)) return scalarNode(start, plainValue(scan.text.slice(start, scan.at)));
  return pass(scan, QUOTED) ? scalarNode(start, scan.text.slice(start + 1, scan.at - 1)) : undefined;
}

/** A mapping or list while it is read. */
interface Open {
  readonly start: number;
  size: number;
}

interface OpenMapping extends Open {
  readonly fields: Map<string, YamlField>;
  readonly value: Record<string, unknown>;
}

interface OpenList extends Open {
  readonly items: YamlNode[];
  readonly value: unknown[];
}

function openMapping(start: number): OpenMapping {
  return { start, size: 1, fields: new Map(), value: Object.create(null) as Record<string, unknown> };
}

/** False for a key that the full parser refuses. */
function addField(to: OpenMapping, { text, start }: Key, node: YamlNode): boolean {
  if (text === '<<' || to.fields.has(text)) return false;
  to.fields.set(text, { keyStart: start, node });
  to.value[text] = node.value;
  to.size += node.size;
  return true;
}

function closeMapping({ start, value, fields, size }: OpenMapping): YamlNode {
  return { start, value, fields, items: undefined, size, faulty: false };
}

function addItem(to: OpenList, node: YamlNode): void {
  to.items.push(node);
  to.value.push(node.value);
  to.size += node.size;
}

function closeList({ start, value, items, size }: OpenList): YamlNode {
  return { start, value, fields: undefined, items, size, faulty: false };
}

/** Past a comma; 'end' past the collection's end, 'unknown' at anything else. */
function flowNext(scan: Scan, end: number): 'comma' | 'end' | 'unknown' {
  pass(scan, BLANKS);
  const code = scan.text.charCodeAt(scan.at);
  if (code !== COMMA && code !== end) return 'unknown';
  scan.at += 1;
  pass(scan, BLANKS);
  return code === end ? 'end' : 'comma';
}

function readFlowMapping(scan: Scan): Maybe {
  const mapping = openMapping(scan.at);
  scan.at += 1;
  pass(scan, BLANKS);
  if (scan.text.charCodeAt(scan.at) === MAPPING_END) {
    scan.at += 1;
    return closeMapping(mapping);
  }
  for (;;) {
    const key = readKey(scan);
    pass(scan, BLANKS);
    const node = key && readInline(scan);
    if (key === undefined || node === undefined || !addField(mapping, key, node)) return undefined;
    const next = flowNext(scan, MAPPING_END);
    if (next !== 'comma') return next === 'end' ? closeMapping(mapping) : undefined;
  }
}

function readFlowList(scan: Scan): Maybe {
  const list: OpenList = { start: scan.at, size: 1, items: [], value: [] };
  scan.at += 1;
  pass(scan, BLANKS);
  if (scan.text.charCodeAt(scan.at) === LIST_END) {
    scan.at += 1;
    return closeList(list);
  }
  for (;;) {
    const node = readInline(scan);
    if (node === undefined) return undefined;
    addItem(list, node);
    const next = flowNext(scan, LIST_END);
    if (next !== 'comma') return next === 'end' ? closeList(list) : undefined;
  }
}

/** Reads a collection inside another one. */
function deeper(scan: Scan, indent: number, read: (scan: Scan, indent: number) => Maybe): Maybe {
  scan.depth += 1;
  const node = scan.depth > DEPTH_MAX ? undefined : read(scan, indent);
  scan.depth -= 1;
  return node;
}

/** A value on one line. */
function readInline(scan: Scan): Maybe {
  const code = scan.text.charCodeAt(scan.at);
  if (code === LIST) return deeper(scan, 0, readFlowList);
  return code === MAPPING ? deeper(scan, 0, readFlowMapping) : readScalar(scan);
}

/** What stands on the rest of a line, and nothing more of it: the caller sees that the next line is not its. */
function readRest(scan: Scan): Maybe {
  const node = readInline(scan);
  return node !== undefined && pass(scan, LINE_END) ? node : undefined;
}

function atDash(scan: Scan): boolean {
  return scan.text.charCodeAt(scan.at) === DASH && scan.text.charCodeAt(scan.at + 1) === BLANK;
}

/** What stands on the lines below the key of a mapping with this indentation. */
function readBelow(scan: Scan, parent: number): Maybe {
  const indent = nextLine(scan);
  const dash = atDash(scan);
  if (indent < parent || (indent === parent && !dash)) return undefined;
  return deeper(scan, indent, dash ? readList : readMapping);
}

/** A block mapping from its first key on, which stands here. */
function readMapping(scan: Scan, indent: number): Maybe {
  const mapping = openMapping(scan.at);
  for (;;) {
    const key = readKey(scan);
    if (key === undefined) return undefined;
    const below = pass(scan, LINE_END);
    if (!below) pass(scan, BLANKS);
    const node = below ? readBelow(scan, indent) : readRest(scan);
    if (node === undefined || !addField(mapping, key, node)) return undefined;
    const next = nextLine(scan);
    if (next > indent) return undefined;
    if (next < indent) {
      backTo(scan, next);
      return closeMapping(mapping);
    }
  }
}

/** An item: a value on its line, or a mapping whose first key stands behind the dash. */
function readItem(scan: Scan, indent: number): Maybe {
  const start = scan.at;
  scan.at += 1;
  pass(scan, BLANKS);
  const first = scan.at;
  if (readKey(scan) === undefined) return readRest(scan);
  scan.at = first;
  return deeper(scan, indent + first - start, readMapping);
}

/** A block list from its first dash on, which stands here. */
function readList(scan: Scan, indent: number): Maybe {
  const list: OpenList = { start: scan.at, size: 1, items: [], value: [] };
  for (;;) {
    const node = readItem(scan, indent);
    if (node === undefined) return undefined;
    addItem(list, node);
    const next = nextLine(scan);
    if (next > indent) return undefined;
    if (next === indent && atDash(scan)) continue;
    backTo(scan, next);
    return closeList(list);
  }
}

/** The root of a text whose root is a block mapping; undefined where the full parser has to read it. */
export function readSimpleYaml(text: string): YamlNode | undefined {
  if (!KNOWN_TEXT.test(text)) return undefined;
  const scan: Scan = { text, at: 0, depth: 0 };
  if (nextLine(scan) !== 0) return undefined;
  const root = readMapping(scan, 0);
  return scan.at === text.length ? root : undefined;
}
