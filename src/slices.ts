/** Long work beside other work: some milliseconds of it, then others have their turn. */
import type { Clock, Turns } from './core/ports.js';
import type { Steps } from './core/steps.js';
import { millis } from './core/units.js';

/** How long it is worked on before others have their turn. */
const SLICE = millis(4);

/** What lets others have their turn, and knows when. */
export interface Slicing {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly turns: Turns;
}

/** @returns the end, where it is reached within this slice */
function slice<Result>(steps: Steps<Result>, { clock }: Slicing): IteratorReturnResult<Result> | undefined {
  const began = clock.monotonic();
  do {
    const step = steps.next();
    if (step.done === true) return step;
  } while (clock.monotonic() - began < SLICE);
  return undefined;
}

/** Does all of it, in slices of a few milliseconds; a step that is longer is a slice of its own. */
export async function inSlices<Result>(steps: Steps<Result>, slicing: Slicing): Promise<Result> {
  for (;;) {
    const end = slice(steps, slicing);
    if (end !== undefined) return end.value;
    await new Promise<void>((resolve) => slicing.turns.soon(resolve));
  }
}

/** The same, but what takes one slice is done when this returns. @returns the rest; undefined where there is none */
export function beginInSlices(steps: Steps<void>, slicing: Slicing): Promise<void> | undefined {
  if (slice(steps, slicing) !== undefined) return undefined;
  return new Promise<void>((resolve) => slicing.turns.soon(resolve)).then(() => inSlices(steps, slicing));
}
