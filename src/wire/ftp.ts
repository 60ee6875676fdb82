/** FTP as a probe speaks it (RFC 959, RFC 2428): replies read incrementally, and the ports that they name. */
import { type CodedReply, type LineSense, ReplyReader } from './replies.js';

/** Reads replies of one or more lines. */
export class FtpReplyReader extends ReplyReader<CodedReply> {
  /** Code of the reply of several lines that is being read. */
  #open: string | undefined;

  constructor() {
    super('an FTP reply');
  }

  /** RFC 959 4.2: `220 text`, or `220-text` and any lines up to one that begins with `220 `. */
  protected onLine(line: string): LineSense<CodedReply> {
    const match = /^([1-5][0-5]\d)(?:([ -])(.*))?$/s.exec(line);
    const [code, mark] = [match?.[1], match?.[2]];
    if (this.#open === undefined && code === undefined) return 'malformed';
    if (this.#open === undefined && mark === '-') this.#open = code;
    if (code === undefined || mark === '-' || (this.#open ?? code) !== code) return undefined;
    this.#open = undefined;
    return { code: Number(code), text: match?.[3] ?? '' };
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
