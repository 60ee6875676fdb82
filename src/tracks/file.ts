/** Watches one tracked file: by the folder's changes, and by looking now and then where those do not come. */
import { constants, type FSWatcher, watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText } from '../core/errors.js';
import type { Timer } from '../core/ports.js';
import { millis, seconds } from '../core/units.js';
import { CONTENT_MAX, numberIn } from './content.js';
import type { WatchedFile } from './model.js';
import type { Watch, WatchEvents, WatchPorts } from './watch.js';

/** Between looks: links and network file systems change without a word. */
const POLL = seconds(2);
/** From a change until the look: who truncates and writes has written by then. */
const SETTLE = millis(20);

/** What was found: a number, or why there is none. */
type Found =
  | { readonly kind: 'number'; readonly value: number; readonly why: string }
  | { readonly kind: 'problem'; readonly text: string };

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** Not opened for writing, never waiting for a writer; at most one byte more than allowed is read. */
async function readStart(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('is not a regular file');
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CONTENT_MAX + 1), 0, CONTENT_MAX + 1, 0);
    if (bytesRead > CONTENT_MAX) throw new Error(`has more than ${CONTENT_MAX} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function look(path: string): Promise<Found> {
  try {
    const text = await readStart(path);
    const value = numberIn(text);
    if (value !== undefined) return { kind: 'number', value, why: `${path} holds ${value}` };
    return { kind: 'problem', text: `${path} holds no whole number` };
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return { kind: 'number', value: 0, why: `${path} is not there` };
    return { kind: 'problem', text: `${path}: ${errorText(thrown)}` };
  }
}

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
      const found = await look(this.#path);
      if (!this.#isStopped) this.#onFound(found);
    }
    this.#isLooking = false;
  }

  #onFound(found: Found): void {
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
