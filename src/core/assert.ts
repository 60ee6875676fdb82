import { LvsError } from './errors.js';

/** Stops the program where one of our own invariants is broken. Never for input from outside. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new LvsError('INTERNAL', invariant);
}

/** Closes a switch over a union: a new member that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new LvsError('INTERNAL', `unhandled case ${JSON.stringify(value)}`);
}
