/** Replies of line protocols (FTP, SMTP, NNTP, POP3, IMAP, memcached): read from bytes in whatever pieces they come. */
import { LvsError } from '../core/errors.js';

/** One reply, all its lines and their ends, may have this many bytes. */
export const REPLY_LIMIT = 16 * 1024;

/** Why no more replies can be read. */
export type ReplyFault =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'too-long'; readonly limit: number };

/** What a line comes to: a reply, a part of one (undefined), or no such thing. */
export type LineSense<Reply> = Reply | 'malformed' | undefined;

/** Cuts bytes into lines and lets the protocol make replies of them. Faults are values; nothing is thrown. */
export abstract class ReplyReader<Reply extends object> {
  readonly #what: string;
  /** What came and is not read yet. */
  #text = '';
  /** Bytes of the reply that is being read, so far. */
  #length = 0;
  #fault: ReplyFault | undefined;

  /** @param what completes "not ...": `an FTP reply`. */
  constructor(what: string) {
    this.#what = what;
  }

  get fault(): ReplyFault | undefined {
    return this.#fault;
  }

  /** Whether there are bytes of which no reply was made yet. */
  get hasUnread(): boolean {
    return this.#text !== '' || this.#length > 0;
  }

  push(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return;
    for (let at = 0; at < bytes.length; at += 4096)
      this.#text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }

  /** The next complete reply; undefined: more has to come, or there is a fault. */
  next(): Reply | undefined {
    while (this.#fault === undefined) {
      const line = this.#nextLine();
      if (line === undefined) return undefined;
      const sense = line.includes('\0') ? 'malformed' : this.onLine(line);
      if (sense === 'malformed') this.#fail({ kind: 'malformed', detail: `not ${this.#what}` });
      else if (sense !== undefined) {
        this.#length = 0;
        return sense;
      }
    }
    return undefined;
  }

  /** @param line as latin1, without its end. */
  protected abstract onLine(line: string): LineSense<Reply>;

  /** A lone LF ends a line too. */
  #nextLine(): string | undefined {
    const newline = this.#text.indexOf('\n');
    const length = newline < 0 ? this.#text.length : newline + 1;
    if (this.#length + length > REPLY_LIMIT) {
      this.#fail({ kind: 'too-long', limit: REPLY_LIMIT });
      return undefined;
    }
    if (newline < 0) return undefined;
    const line = this.#text.slice(0, newline).replace(/\r$/, '');
    this.#text = this.#text.slice(newline + 1);
    this.#length += length;
    return line;
  }

  #fail(fault: ReplyFault): void {
    this.#fault = fault;
    this.#text = '';
  }
}

/**
 * One command line, to be sent as UTF-8.
 * @throws MALFORMED for an argument that would end the line or a string: CR, LF, NUL.
 */
export function encodeCommand(verb: string, argument?: string): string {
  if (argument === undefined) return `${verb}\r\n`;
  // The argument may be a password: the error does not show it.
  if (/[\r\n\0]/.test(argument))
    throw new LvsError('MALFORMED', `the argument of ${verb} holds a line end or NUL`);
  return `${verb} ${argument}\r\n`;
}

/** A reply that begins with a code of three digits. */
export interface CodedReply {
  readonly code: number;
  /** Of the last line, as latin1. */
  readonly text: string;
}
