/**
 * A file of lines: a head that says what it is, and an end by which damage and a missing part are seen. A file is
 * used whole or not at all.
 */

/** Of the files themselves; what stands in their lines has its own rules. */
const DOCUMENT_FORMAT = 1;

export type DocumentKind = 'admin' | 'drains' | 'names' | 'table' | 'timeouts' | 'verdicts';

/** What the first line says beside kind and format. */
export type DocumentHead = Readonly<Record<string, string | number>>;

/** FNV-1a, 32 bits, over characters: it finds damage, not malice. @param before the sum of what stands in front */
function sum(text: string, before: number): number {
  let hash = before;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

const SUM_START = 0x811c9dc5;
/** Lines that are written at once. */
const BATCH = 500;

/** The parts of a file. The lines are asked for part by part, and hold no line break. */
export function* documentParts(
  kind: DocumentKind,
  head: DocumentHead,
  lines: Iterable<string>,
): Generator<string, void, undefined> {
  const first = `${JSON.stringify({ lvsentry: kind, format: DOCUMENT_FORMAT, ...head })}\n`;
  let total = sum(first, SUM_START);
  let count = 0;
  let part = first;
  for (const line of lines) {
    part += `${line}\n`;
    count += 1;
    if (count % BATCH !== 0) continue;
    total = count === BATCH ? sum(part.slice(first.length), total) : sum(part, total);
    yield part;
    part = '';
  }
  total = count < BATCH ? sum(part.slice(first.length), total) : sum(part, total);
  yield `${part}${JSON.stringify({ end: count, sum: total })}\n`;
}

export type ReadDocument =
  | { readonly ok: true; readonly head: Readonly<Record<string, unknown>>; readonly lines: readonly string[] }
  /** It completes "FILE ...". */
  | { readonly ok: false; readonly problem: string };

/** A line of JSON as a mapping; empty where it is none. */
export function mappingOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

const wrong = (problem: string): ReadDocument => ({ ok: false, problem });

/** Reads a file back. */
export function readDocument(kind: DocumentKind, text: string): ReadDocument {
  const lines = text.split('\n');
  const head = mappingOf(lines[0] ?? '');
  if (head.lvsentry !== kind) return wrong('is damaged: it does not begin as it should');
  if (typeof head.format !== 'number' || head.format > DOCUMENT_FORMAT)
    return wrong(`was written by a newer lvsentry (format ${String(head.format).slice(0, 20)})`);
  const last = lines.at(-2) ?? '';
  const { end, sum: expected } = mappingOf(last);
  if (lines.at(-1) !== '' || typeof end !== 'number') return wrong('is damaged: its end is missing');
  const body = text.slice(0, text.length - last.length - 1);
  if (end !== lines.length - 3 || sum(body, SUM_START) !== expected)
    return wrong('is damaged: it is not what was written');
  return { ok: true, head, lines: lines.slice(1, -2) };
}
