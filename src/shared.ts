/** Something slow that many may ask for: done once at a time, and once for all that ask while it is being done. */
export class Shared<Value> {
  readonly #make: () => Promise<Value>;
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<Value> | undefined;

  /** @param make may reject: then all that wait for it hear it */
  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** As it is made after this call: not by the one under way, which may be over what is asked for. */
  take(): Promise<Value> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      const made = this.#make();
      this.#current = made.catch(() => undefined);
      return made;
    });
    return this.#next;
  }
}
