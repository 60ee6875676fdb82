/** The places at which a check can be described, one over the other. */
import { type Checked, type Cursor, FAULTY, member } from './cursor.js';
import type { RawCheck } from './schema-checks.js';

/** A check as it stands at one place of the file. */
export type Layer = Cursor<RawCheck>;
/** Innermost first. */
export type Layers = readonly Layer[];

/** The innermost layer that has the key. */
export function pick<K extends keyof RawCheck & string>(layers: Layers, key: K) {
  for (const layer of layers) {
    const found = member(layer, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value of the innermost layer that has the key, or what stands for it where none has. */
export function pickValue<K extends keyof RawCheck & string>(
  layers: Layers,
  key: K,
  otherwise: NonNullable<RawCheck[K]>,
): Checked<NonNullable<RawCheck[K]>> {
  const found = pick(layers, key);
  if (found === undefined) return otherwise;
  return found === FAULTY ? FAULTY : found.value;
}
