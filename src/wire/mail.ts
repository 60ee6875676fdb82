/** POP3, IMAP, NNTP and memcached as a probe speaks them: replies of one line, and quoting. */
import { type CodedReply, type LineSense, ReplyReader } from './replies.js';

export interface Pop3Reply {
  readonly isOk: boolean;
  readonly text: string;
}

/** RFC 1939 3: `+OK text` or `-ERR text`. */
export class Pop3ReplyReader extends ReplyReader<Pop3Reply> {
  constructor() {
    super('a POP3 reply');
  }

  protected onLine(line: string): LineSense<Pop3Reply> {
    const match = /^(\+OK|-ERR)(?: (.*))?$/s.exec(line);
    return match === null ? 'malformed' : { isOk: match[1] === '+OK', text: match[2] ?? '' };
  }
}

export interface ImapReply {
  /** Of the command that is answered; `*` where it answers none. */
  readonly tag: string;
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';
  readonly text: string;
}

/** RFC 9051 7.1: status responses. Data is passed over, but a literal, which no command of ours asks for, is refused. */
export class ImapReplyReader extends ReplyReader<ImapReply> {
  constructor() {
    super('an IMAP reply');
  }

  protected onLine(line: string): LineSense<ImapReply> {
    const status = /^(\*|[A-Za-z0-9.]{1,16}) (OK|NO|BAD|BYE|PREAUTH)(?: (.*))?$/is.exec(line);
    if (status !== null) {
      const [, tag = '', word = '', text = ''] = status;
      return { tag, status: word.toUpperCase() as ImapReply['status'], text };
    }
    return /^\* \S/.test(line) && !/\{\d+\}$/.test(line) ? undefined : 'malformed';
  }
}

/** RFC 9051 4.3: a quoted string; letters beyond ASCII go out as UTF-8. */
export function imapQuoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** RFC 3977 3.2: `200 text`, always one line. */
export class NntpReplyReader extends ReplyReader<CodedReply> {
  constructor() {
    super('an NNTP reply');
  }

  protected onLine(line: string): LineSense<CodedReply> {
    const match = /^([1-5]\d\d)(?: (.*))?$/s.exec(line);
    return match === null ? 'malformed' : { code: Number(match[1]), text: match[2] ?? '' };
  }
}

export interface MemcachedReply {
  readonly kind: 'version' | 'error';
  readonly text: string;
}

/** protocol.txt of memcached: `VERSION 1.6.18`, or one of three errors. */
export class MemcachedReplyReader extends ReplyReader<MemcachedReply> {
  constructor() {
    super('a memcached reply');
  }

  protected onLine(line: string): LineSense<MemcachedReply> {
    const match = /^(VERSION|ERROR|CLIENT_ERROR|SERVER_ERROR)(?: (.*))?$/s.exec(line);
    if (match === null) return 'malformed';
    return { kind: match[1] === 'VERSION' ? 'version' : 'error', text: match[2] ?? '' };
  }
}
