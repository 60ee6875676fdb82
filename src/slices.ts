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

/** Does all of it, in slices of a few milliseconds; a step that is longer is a slice of its own. */
export async function inSlices<Result>(steps: Steps<Result>, { clock, turns }: Slicing): Promise<Result> {
  for (let began = clock.monotonic(); ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() - began < SLICE) continue;
    await new Promise<void>((resolve) => turns.soon(resolve));
    began = clock.monotonic();
  }
}
