/** FTP as a probe speaks it (RFC 959, RFC 2428): commands as text, replies read incrementally. */
import { LvsError } from '../core/errors.js';

/** One reply, all its lines and their ends, may have this many bytes. */
export const FTP_REPLY_LIMIT = 16 * 1024;

/**
 * One command line, to be sent as UTF-8 (RFC 2640).
 * @throws MALFORMED for an argument that would end the line or a string: CR, LF, NUL.
 */
export function encodeFtpCommand(verb: string, argument?: string): string {
  if (argument === undefined) return `${verb}\r\n`;
  // The argument may be a password: the error does not show it.
  if (/[\r\n\0]/.test(argument))
    throw new LvsError('MALFORMED', `the argument of ${verb} holds a line end or NUL`);
  return `${verb} ${argument}\r\n`;
}

export interface FtpReply {
  readonly code: number;
  /** Of the last line, as latin1. */
  readonly text: string;
}

/** Why no more replies can be read. */
export type FtpFault =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'too-long'; readonly limit: number };

/** Reads replies from bytes in whatever pieces they come. Faults are values; nothing is thrown. */
export class FtpReplyReader {
  /** What came and is not read yet. */
  #text = '';
  /** Code of the reply of several lines that is being read. */
  #open: string | undefined;
  /** Bytes of that reply so far. */
  #length = 0;
  #fault: FtpFault | undefined;

  get fault(): FtpFault | undefined {
    return this.#fault;
  }

  push(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return;
    for (let at = 0; at < bytes.length; at += 4096)
      this.#text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }

  /** The next complete reply; undefined: more has to come, or there is a fault. */
  next(): FtpReply | undefined {
    while (this.#fault === undefined) {
      const line = this.#nextLine();
      if (line === undefined) return undefined;
      const reply = this.#onLine(line);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  /** A line without its end; a lone LF ends a line too. */
  #nextLine(): string | undefined {
    const newline = this.#text.indexOf('\n');
    const length = newline < 0 ? this.#text.length : newline + 1;
    if (this.#length + length > FTP_REPLY_LIMIT) {
      this.#fail({ kind: 'too-long', limit: FTP_REPLY_LIMIT });
      return undefined;
    }
    if (newline < 0) return undefined;
    const line = this.#text.slice(0, newline).replace(/\r$/, '');
    this.#text = this.#text.slice(newline + 1);
    this.#length += length;
    return line;
  }

  /** RFC 959 4.2: `220 text`, or `220-text` and any lines up to one that begins with `220 `. */
  #onLine(line: string): FtpReply | undefined {
    const match = /^([1-5][0-5]\d)(?:([ -])(.*))?$/s.exec(line);
    const [code, mark] = [match?.[1], match?.[2]];
    if (line.includes('\0') || (this.#open === undefined && code === undefined)) {
      this.#fail({ kind: 'malformed', detail: 'not an FTP reply' });
      return undefined;
    }
    if (this.#open === undefined && mark === '-') this.#open = code;
    if (code === undefined || mark === '-' || (this.#open ?? code) !== code) return undefined;
    this.#open = undefined;
    this.#length = 0;
    return { code: Number(code), text: match?.[3] ?? '' };
  }

  #fail(fault: FtpFault): void {
    this.#fault = fault;
    this.#text = '';
  }
}

/**
 * The port of a 227 reply; RFC 1123 4.1.2.6: the six numbers may stand anywhere in the text.
 * The address in it is not given out: a data connection goes to the server that is being probed, or nowhere.
 */
export function parsePassivePort(text: string): number | undefined {
  const match = /(?<!\d)(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?!\d)/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  const [high, low] = [numbers[4] ?? 0, numbers[5] ?? 0];
  const port = high * 256 + low;
  return numbers.every((number) => number <= 255) && port > 0 ? port : undefined;
}

/** The port of a 229 reply, RFC 2428 3: `(|||6446|)` with any printable delimiter. */
export function parseExtendedPassivePort(text: string): number | undefined {
  const match = /\(([!-~])\1\1(\d{1,5})\1\)/.exec(text);
  const port = Number(match?.[2] ?? 0);
  return port > 0 && port <= 65535 ? port : undefined;
}
