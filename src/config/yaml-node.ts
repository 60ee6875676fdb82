/** Values of a YAML file that know their place. */
import { boolCoreTag, floatCoreTag, intCoreTag, NOT_RESOLVED, nullCoreTag } from 'js-yaml';

/** One value and its place. */
export interface YamlNode {
  /** Offset of the value; of its key where the value is empty. */
  readonly start: number;
  /** Plain data: mappings are objects without a prototype. */
  readonly value: unknown;
  readonly fields: ReadonlyMap<string, YamlField> | undefined;
  readonly items: readonly YamlNode[] | undefined;
  /** Values in it, itself and aliases included. */
  readonly size: number;
  /** Set where the schema already found a fault in this very value: the rules then leave it alone. */
  faulty: boolean;
}

export interface YamlField {
  readonly keyStart: number;
  readonly node: YamlNode;
}

/** A value that holds no others. */
export function scalarNode(start: number, value: unknown): YamlNode {
  return { start, value, fields: undefined, items: undefined, size: 1, faulty: false };
}

const CORE_TAGS = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];
/** Everything that YAML's core schema does not read as text, and little else: no number has two dots or a colon. */
const MAYBE_NOT_TEXT = /^(?:$|[nNtTfF~]|[-+0-9][^.:]*\.?[^.:]*$|\.)/;

/** What a scalar without quotes stands for in YAML's core schema. */
export function plainValue(text: string): unknown {
  if (!MAYBE_NOT_TEXT.test(text)) return text;
  for (const tag of CORE_TAGS) {
    const value: unknown = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}
