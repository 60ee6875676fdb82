/** Watches one tracked file: by the folder's changes, and by looking now and then where those do not come. */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Timer } from '../core/ports.js';
import { millis, seconds } from '../core/units.js';
import { type FoundNumber, readNumber } from '../files/number.js';
import type { WatchedFile } from './model.js';
import type { Watch, WatchEvents, WatchPorts } from './watch.js';

/** Between looks: links and network file systems change without a word. */
const POLL = seconds(2);
/** From a change until the look: who truncates and writes has written by then. */
const SETTLE = millis(20);

/** Tells a folder from one of the same name; a new one often has the inode of the old one. */
async function identity(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev} ${ino} ${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

export class FileWatch implements Watch {
  readonly #path: string;
  readonly #ports: WatchPorts;
  readonly #events: WatchEvents;
  #value: number | undefined;
  #problem: string | undefined;
  #folder: { readonly id: string; readonly watcher: FSWatcher } | undefined;
  #poll: Timer | undefined;
  #settle: Timer | undefined;
  #isLooking = false;
  #isDue = false;
  #isStopped = false;

  constructor(file: WatchedFile, ports: WatchPorts, events: WatchEvents) {
    this.#path = file.path;
    this.#ports = ports;
    this.#events = events;
  }

  start(): void {
    // #turn settles whatever the file is.
    void this.#turn();
  }

  stop(): void {
    this.#isStopped = true;
    this.#poll?.cancel();
    this.#settle?.cancel();
    this.#folder?.watcher.close();
  }

  /** The folder's watch first, so that nothing is missed between it and the look. */
  async #turn(): Promise<void> {
    await this.#follow();
    await this.#look();
    if (this.#isStopped) return;
    this.#poll = this.#ports.timers.after(POLL, () => this.start());
  }

  async #follow(): Promise<void> {
    const folder = dirname(this.#path);
    const id = await identity(folder);
    if (this.#isStopped || id === this.#folder?.id) return;
    this.#folder?.watcher.close();
    this.#folder = undefined;
    if (id === undefined) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null || name === basename(this.#path)) this.#onChange();
      });
      watcher.on('error', () => {
        watcher.close();
        if (this.#folder?.watcher === watcher) this.#folder = undefined;
      });
      this.#folder = { id, watcher };
    } catch {
      // Without inotify, or out of watches: the looks go on.
    }
  }

  #onChange(): void {
    this.#settle ??= this.#ports.timers.after(SETTLE, () => {
      this.#settle = undefined;
      void this.#look();
    });
  }

  /** One look at a time; what is asked for meanwhile is one more after it. */
  async #look(): Promise<void> {
    this.#isDue = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#isDue && !this.#isStopped) {
      this.#isDue = false;
      const found = await readNumber(this.#path);
      if (!this.#isStopped) this.#onFound(found);
    }
    this.#isLooking = false;
  }

  #onFound(found: FoundNumber): void {
    if (found.kind === 'problem') {
      if (this.#problem !== found.text) this.#events.onBlind(found.text);
      this.#problem = found.text;
      return;
    }
    this.#problem = undefined;
    if (found.value === this.#value) return;
    this.#value = found.value;
    this.#events.onSeen({ kind: 'number', value: found.value }, found.why);
  }
}
