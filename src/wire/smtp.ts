/** SMTP as a probe speaks it (RFC 5321). */
import { type CodedReply, type LineSense, ReplyReader } from './replies.js';

/** Reads replies of one or more lines, each with the code. */
export class SmtpReplyReader extends ReplyReader<CodedReply> {
  /** Code of the reply of several lines that is being read. */
  #open: string | undefined;

  constructor() {
    super('an SMTP reply');
  }

  /** RFC 5321 4.2: every line but the last is `250-text`, the last `250 text` or `250`; all codes are the same. */
  protected onLine(line: string): LineSense<CodedReply> {
    const match = /^([2-5][0-5]\d)(?:([ -])(.*))?$/s.exec(line);
    if (match === null || (this.#open ?? match[1]) !== match[1]) return 'malformed';
    this.#open = match[2] === '-' ? match[1] : undefined;
    return this.#open === undefined ? { code: Number(match[1]), text: match[3] ?? '' } : undefined;
  }
}
