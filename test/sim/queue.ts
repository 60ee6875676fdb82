/** What happens next: a binary heap by time, and by order of arrival among equals. */

interface Entry<Event> {
  readonly at: number;
  readonly order: number;
  readonly event: Event;
}

export class EventQueue<Event> {
  readonly #heap: Entry<Event>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(at: number, event: Event): void {
    this.#order += 1;
    this.#heap.push({ at, order: this.#order, event });
    this.#up(this.#heap.length - 1);
  }

  /** The next event; undefined where there is none. */
  pop(): Entry<Event> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first !== undefined && last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#down();
    }
    return first;
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined) return false;
    if (right === undefined) return true;
    return left.at < right.at || (left.at === right.at && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }

  #up(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
