/** The nearest known word to one that is not known. */

/** Longer words are never compared: no key or value of ours is that long. */
const WORD_LENGTH_MAX = 40;

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The known word that was probably meant: at most a third of its letters differ (at most two in all),
 * or it is the word's beginning or end. Case and the difference between `_` and `-` do not count.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const plain = word.toLowerCase().replaceAll('_', '-');
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(plain, candidate.toLowerCase());
    if (distance <= Math.min(2, Math.ceil(candidate.length / 3)) && distance < (best?.distance ?? 3)) {
      best = { word: candidate, distance };
    }
  }
  if (best !== undefined || plain.length < 4) return best?.word;
  return known.find((candidate) => candidate.startsWith(plain) || candidate.endsWith(plain));
}

/** `; did you mean "wlc"?`, or nothing where no known word is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}
