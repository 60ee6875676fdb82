/** What an assertion says, if it says anything. */
export type Name = [] | [string];

/** What a suite that runs in more than one place may ask of its test framework: tap's `t` has all of it. */
export interface Assertions {
  ok(value: unknown, ...name: Name): unknown;
  /** Identity, as `Object.is`. */
  equal(actual: unknown, expected: unknown, ...name: Name): unknown;
  /** Deep and strict. */
  strictSame(actual: unknown, expected: unknown, ...name: Name): unknown;
  /** A subtest: fails where one of its assertions fails, or `body` rejects. */
  test(name: string, body: (t: Assertions) => Promise<void>): Promise<unknown>;
  /** A line for people. */
  comment(text: string): unknown;
}
