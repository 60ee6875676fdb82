/** How it stands with something that is kept right: told when it is otherwise than before, and each trouble once. */
import { isDeepStrictEqual } from 'node:util';

export interface LevelEvents<State> {
  /** Something of the state is different. Undefined: nothing is kept any more. */
  onState(state: State | undefined): void;
  /** It is not as it is wanted. Tried again by itself. */
  onFailure(message: string): void;
}

export class LevelState<State> {
  readonly #events: LevelEvents<State>;
  inSync = false;
  lastError: string | undefined;
  #told: State | undefined;

  constructor(events: LevelEvents<State>) {
    this.#events = events;
  }

  fail(error: string): false {
    const isNews = this.lastError !== error;
    this.lastError = error;
    this.inSync = false;
    if (isNews) this.#events.onFailure(error);
    return false;
  }

  tell(state: State | undefined): void {
    if (isDeepStrictEqual(state, this.#told)) return;
    this.#told = state;
    this.#events.onState(state);
  }
}
