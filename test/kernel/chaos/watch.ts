/** The director's table as /proc shows it: cheap enough to be looked at every few milliseconds. */
import { readFileSync } from 'node:fs';
import type { GuestProcess } from '../process.js';
import { startOn } from '../topology.js';

/** Lines of services and of destinations, without counters; a destination carries its service's address. */
function entriesOf(text: string): Set<string> {
  const entries = new Set<string>();
  let service = '';
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const [first = '', address = '', third = '', weight = ''] = words;
    if (first === 'TCP') {
      service = address;
      entries.add(words.join(' '));
    } else if (first === '->' && address.includes(':') && service !== '') {
      entries.add(`${service} -> ${address} ${third} ${weight}`);
    }
  }
  return entries;
}

export class TableWatch {
  readonly #process: GuestProcess;
  readonly #missed = new Set<string>();
  #look: (entries: ReadonlySet<string>) => readonly string[] = () => [];
  #timer: NodeJS.Timeout | undefined;
  /** How often it has looked. */
  looks = 0;

  private constructor(process: GuestProcess) {
    this.#process = process;
  }

  static start(): TableWatch {
    return new TableWatch(startOn('director', 'sleep', 'infinity'));
  }

  /** All entries there are now. */
  now(): Set<string> {
    return entriesOf(readFileSync(`/proc/${this.#process.pid}/net/ip_vs`, 'utf8'));
  }

  /** From now on each of these has to be there whenever somebody looks. */
  guard(entries: Iterable<string>): void {
    const guarded = [...entries];
    this.expect((now) => guarded.filter((entry) => !now.has(entry)));
  }

  /** From now on `look` is asked whenever somebody looks. @param look says what is wrong in a table */
  expect(look: (entries: ReadonlySet<string>) => readonly string[]): void {
    this.#look = look;
    this.#missed.clear();
    this.looks = 0;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#lookOnce(), 10);
  }

  #lookOnce(): void {
    this.looks += 1;
    for (const entry of this.#look(this.now())) this.#missed.add(entry);
  }

  /** Looks once more and ends the guard. @returns what was missing, or wrong, once, sorted */
  missed(): string[] {
    this.#lookOnce();
    clearInterval(this.#timer);
    return [...this.#missed].sort();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#process.stop();
  }
}
