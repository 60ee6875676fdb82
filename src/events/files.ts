/**
 * The journal on disk: two files of bounded size, one line an event. Lines are handed to the disk one batch after the
 * other; nobody waits for it. A disk that does not take them is tried again, and what waits meanwhile is bounded.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timer, Timers, Turns } from '../core/ports.js';
import { seconds } from '../core/units.js';
import { diskProblem, FILE_MODE, prepareFolder, readOwnFile, setAside } from '../files/disk.js';
import {
  CLOSED_LINE,
  headLine,
  isClosedLine,
  JOURNAL_FORMAT,
  type JournalHead,
  readEvent,
  readHead,
} from './line.js';
import type { RecordedEvent } from './model.js';

/** Of one file; there are two. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** A file may be larger than that by one batch. */
const READ_BYTES_MAX = 4 * FILE_BYTES_MAX;
const RETRY_AFTER = seconds(10);
/** Lines that wait for a disk that takes none; the oldest is dropped for a new one. */
const WAITING_MAX = 2000;
/** Lines that are read before other work gets a turn. */
const LINES_A_TURN = 200;

export interface JournalFilesOptions {
  readonly directory: string;
  /** The name of a new journal: letters and digits. */
  readonly journal: string;
  readonly timers: Timers;
  readonly turns: Turns;
  /** The disk takes nothing; told once, until it does again. */
  readonly onTrouble: (message: string) => void;
  readonly onWell: (message: string) => void;
  readonly fileBytesMax?: number;
}

/** What the files hold when they are opened. */
export interface JournalFound {
  readonly journal: string;
  /** The last events, at most as many as were asked for. */
  readonly events: readonly RecordedEvent[];
  /** No event has a number up to this one. */
  readonly last: number;
  /** What was wrong with the files; sentences. */
  readonly problems: readonly string[];
}

/** After an end that was not clean, numbers may have been given that the disk does not know. */
const UNCLEAN_GAP = 1000;

interface Content {
  readonly head: JournalHead;
  readonly lines: readonly string[];
  /** The last line came to its end. */
  readonly whole: boolean;
}

export class JournalFiles {
  readonly #options: JournalFilesOptions;
  readonly #current: string;
  readonly #previous: string;
  readonly #bytesMax: number;
  #journal: string;
  #handle: FileHandle | undefined;
  #size = 0;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  /** What stands at the end of the file may be half a line. */
  #torn = false;
  #troubled = false;
  #dropped = 0;
  #closed = false;

  constructor(options: JournalFilesOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#bytesMax = options.fileBytesMax ?? FILE_BYTES_MAX;
    this.#current = join(options.directory, 'events.jsonl');
    this.#previous = join(options.directory, 'events.1.jsonl');
  }

  /** Reads what there is. What cannot be used is set aside. Never rejects. @param count how many of the last events */
  async open(count: number): Promise<JournalFound> {
    const problems: string[] = [];
    const folder = await prepareFolder(this.#options.directory);
    if (folder !== undefined) problems.push(`${this.#options.directory} ${folder}`);
    const previous = await this.#read(this.#previous, problems);
    const current = await this.#read(this.#current, problems);
    this.#journal = current?.head.journal ?? previous?.head.journal ?? this.#journal;
    this.#torn = current?.whole === false;
    const events: RecordedEvent[] = [];
    for (const content of [previous, current])
      if (content?.head.journal === this.#journal) await this.#collect(content, events, problems);
    const ended = (current ?? previous)?.lines.at(-1);
    const gap = ended === undefined || isClosedLine(ended) ? 0 : UNCLEAN_GAP;
    const last = (events.at(-1)?.sequence ?? 0) + gap;
    return { journal: this.#journal, events: events.slice(-count), last, problems };
  }

  /** Hands a line, with its end, to the disk. */
  append(line: string): void {
    if (this.#closed) return;
    this.#waiting.push(line);
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    if (this.#retry === undefined) this.#write();
  }

  /** The events on disk, oldest first. What cannot be read is left out. */
  async *read(): AsyncGenerator<RecordedEvent, void, undefined> {
    for (const path of [this.#previous, this.#current]) {
      const file = await readOwnFile(path, READ_BYTES_MAX);
      const content = file.kind === 'text' ? contentOf(file.text) : undefined;
      if (typeof content !== 'object' || content.head.journal !== this.#journal) continue;
      for (const [index, line] of content.lines.entries()) {
        if (index % LINES_A_TURN === LINES_A_TURN - 1) await this.#turn();
        const event = readEvent(line);
        if (event !== undefined) yield event;
      }
    }
  }

  /** Writes what waits, as far as the disk takes it, and marks the end as a clean one. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopRetrying();
    this.#waiting.push(CLOSED_LINE);
    this.#write();
    while (this.#writing !== undefined) await this.#writing;
    this.#stopRetrying();
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #stopRetrying(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.turns.soon(resolve));
  }

  async #read(path: string, problems: string[]): Promise<Content | undefined> {
    const file = await readOwnFile(path, READ_BYTES_MAX);
    if (file.kind === 'absent') return undefined;
    const content = file.kind === 'text' ? contentOf(file.text) : file.problem;
    if (typeof content === 'object') return content;
    problems.push(`${path} ${content}; ${await setAside(path)}`);
    return undefined;
  }

  async #collect({ lines }: Content, events: RecordedEvent[], problems: string[]): Promise<void> {
    let unreadable = 0;
    for (const [index, line] of lines.entries()) {
      if (index % LINES_A_TURN === LINES_A_TURN - 1) await this.#turn();
      const event = readEvent(line);
      // Numbers that do not count up are somebody's editing.
      if (event !== undefined && event.sequence > (events.at(-1)?.sequence ?? 0)) events.push(event);
      else if (line !== '' && !isClosedLine(line)) unreadable += 1;
    }
    if (unreadable > 0)
      problems.push(`the journal holds ${unreadable} lines that are no events; they are passed over`);
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeBatch(lines.join(''));
      } catch (thrown) {
        this.#waiting = [...lines, ...this.#waiting].slice(-WAITING_MAX);
        await this.#fail(diskProblem(thrown));
        return;
      }
      if (this.#troubled) this.#recover();
    }
  }

  async #writeBatch(text: string): Promise<void> {
    if (this.#handle !== undefined && this.#size >= this.#bytesMax) await this.#rotate();
    this.#handle ??= await this.#open();
    const whole = this.#torn ? `\n${text}` : text;
    this.#torn = true;
    await this.#handle.appendFile(whole);
    this.#torn = false;
    this.#size += Buffer.byteLength(whole);
  }

  async #open(): Promise<FileHandle> {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const handle = await open(this.#current, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, FILE_MODE);
    try {
      this.#size = (await handle.stat()).size;
      if (this.#size === 0)
        await handle.appendFile(headLine({ format: JOURNAL_FORMAT, journal: this.#journal }));
      return handle;
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    await rename(this.#current, this.#previous);
  }

  async #fail(problem: string): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
    this.#retry = this.#options.timers.after(RETRY_AFTER, () => {
      this.#retry = undefined;
      this.#write();
    });
    if (this.#troubled) return;
    this.#troubled = true;
    this.#options.onTrouble(`the journal ${this.#current} ${problem}; events are kept in memory meanwhile`);
  }

  #recover(): void {
    this.#troubled = false;
    const lost = this.#dropped === 0 ? '' : `, ${this.#dropped} events are missing from it`;
    this.#dropped = 0;
    this.#options.onWell(`the journal ${this.#current} is written again${lost}`);
  }
}

/** A file's lines, or what is wrong with it; the problem completes "FILE ...". */
function contentOf(text: string): Content | string {
  const [first = '', ...lines] = text.split('\n');
  const head = readHead(first);
  if (head === undefined) return 'is damaged: it does not begin as a journal';
  if (head.format > JOURNAL_FORMAT) return `was written by a newer lvsentry (format ${head.format})`;
  const whole = lines.at(-1) === '';
  // What a kill left of the last line is no damage.
  return { head, lines: lines.slice(0, -1), whole };
}
