/**
 * Cuts a file at its services, so that each can be read alone. The cut only proposes: whoever reads the pieces
 * sees whether each is whole, and each holds one service.
 */

/** A file in pieces. */
export interface Split {
  /** The file with `services: {}` in the place of its services. */
  readonly rest: string;
  /** One text for each service, from its key's line to the next one's. */
  readonly services: readonly string[];
}

/** What makes another line break, another indentation or another beginning than the cut reckons with. */
const UNUSUAL = /[\t\r\u0085\u2028\u2029\ufeff]/;
const SERVICES = /^services:(?=$| *$| +#)/m;
/** The blanks before whatever is no comment. */
const FIRST = /^ *(?=[^ #\n])/gm;
const INDENT_MAX = 16;

function matchFrom(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

interface Cuts {
  /** Where the line of each service begins. */
  readonly starts: readonly number[];
  readonly end: number;
}

/** The lines indented like the first one up to the next that is not indented; undefined where one stands between. */
function cutsFrom(text: string, first: number, indent: number): Cuts | undefined {
  const line = new RegExp(`^ {0,${indent}}(?=[^ #\\n])`, 'gm');
  const starts: number[] = [];
  for (let found = matchFrom(line, text, first); found !== null; found = line.exec(text)) {
    const length = found[0].length;
    if (length === 0) return { starts, end: found.index };
    if (length !== indent) return undefined;
    starts.push(found.index);
  }
  return { starts, end: text.length };
}

/**
 * The pieces of a file whose services stand as block YAML at one indentation below the line `services:`.
 * @returns undefined for every other text.
 */
export function splitServices(text: string): Split | undefined {
  const key = UNUSUAL.test(text) ? null : SERVICES.exec(text);
  if (key === null) return undefined;
  const afterKey = key.index + key[0].length;
  const lineEnd = text.indexOf('\n', afterKey);
  const first = lineEnd < 0 ? null : matchFrom(FIRST, text, lineEnd + 1);
  const indent = first?.[0].length ?? 0;
  if (first === null || indent === 0 || indent > INDENT_MAX) return undefined;
  const cuts = cutsFrom(text, first.index, indent);
  if (cuts === undefined) return undefined;
  const { starts, end } = cuts;
  const rest = `${text.slice(0, afterKey)} {}${text.slice(afterKey, first.index)}${text.slice(end)}`;
  const services = starts.map((start, index) => text.slice(start, starts[index + 1] ?? end));
  return { rest, services };
}
