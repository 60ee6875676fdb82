/** What a tracked file may hold. */

/** More than a number and blanks needs; longer files are not read. */
export const CONTENT_MAX = 64;

const NUMBER_PATTERN = /^\s*([+-]?\d{1,10})\s*$/;

/** The whole number that a text is; undefined for any other text. */
export function numberIn(text: string): number | undefined {
  const digits = NUMBER_PATTERN.exec(text)?.[1];
  // Adding 0 makes -0 a plain 0.
  return digits === undefined ? undefined : Number(digits) + 0;
}
