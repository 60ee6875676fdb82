/** A binary heap of things that are due, the earliest on top, from which any member can be removed. */
import { assert } from './assert.js';
import type { Millis } from './units.js';

/** A member of at most one heap. Change `dueAt` only while it is in none. */
export interface DueItem {
  dueAt: Millis;
  /** Its place in the heap, kept by the heap; -1 while it is in none. */
  place: number;
}

export class DueHeap<Item extends DueItem> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item that is due first, or undefined. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    assert(item.place === -1, 'an item that is pushed is in no heap');
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Takes an item out, wherever it stands. */
  remove(item: Item): void {
    const at = item.place;
    assert(this.#items[at] === item, 'an item that is removed is in this heap');
    item.place = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#rise(last, at);
    this.#sink(last, last.place);
  }

  #rise(item: Item, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.#items[(at - 1) >> 1];
      if (parent === undefined || parent.dueAt <= item.dueAt) break;
      this.#put(parent, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #sink(item: Item, from: number): void {
    let at = from;
    for (;;) {
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const least = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
      if (least === undefined || least.dueAt >= item.dueAt) break;
      const next = least.place;
      this.#put(least, at);
      at = next;
    }
    this.#put(item, at);
  }

  #put(item: Item, at: number): void {
    this.#items[at] = item;
    item.place = at;
  }
}
