/** Long work that may be left alone between two of its steps. */
export type Steps<Result> = Generator<void, Result, undefined>;

/** Does all of it at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
