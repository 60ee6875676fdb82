/** Responses of HTTP/1.0 and HTTP/1.1 (RFC 9112), read incrementally and strictly. */

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;

/** Status line, header and trailer fields, interim responses and chunk extensions together: 16 KiB. */
export const HTTP_HEAD_LIMIT = 16 * 1024;
/** A chunk size without extensions, and its line end. */
const CHUNK_LINE_LENGTH = 16;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Why a response cannot be read on. */
export type HttpFault =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'too-long'; readonly limit: number }
  /** The connection ended inside the response. */
  | { readonly kind: 'truncated' };

/** What the next bytes are. The last two are final. */
type Expect =
  | 'status-line'
  | 'field'
  | 'counted-body'
  | 'endless-body'
  | 'chunk-size'
  | 'chunk-body'
  | 'chunk-end'
  | 'trailer'
  | 'done'
  | 'failed';

/** Of readers that keep no fields, which are most: it stays empty. */
const NO_FIELDS = new Map<string, string>();

/** Reads one response from bytes in whatever pieces they come. Faults are values; nothing is thrown. */
export class HttpResponseReader {
  readonly #bodiless: boolean;
  readonly #onBody: (bytes: Uint8Array) => void;
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #fields: Map<string, string>;
  #minor = 0;
  #expect: Expect = 'status-line';
  #status = 0;
  #headComplete = false;
  #fault: HttpFault | undefined;
  /** Bytes that the head may still have. */
  #headLeft = HTTP_HEAD_LIMIT;
  /** A line whose end has not come yet. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;
  #contentLength: number | undefined;
  #chunked = false;
  /** The body has no length: it ends with the connection. */
  #endless = false;
  /** Bytes came behind the response: the next one could not be told from them. */
  #exceeds = false;
  /** Bytes of the body or chunk that are still to come. */
  #bodyLeft = 0;

  /**
   * @param method of the request: a response to HEAD has no body.
   * @param onBody gets the body without its framing, as views that are valid during the call only.
   * @param wanted names of header fields, in lower case, whose values are kept.
   */
  constructor(method: string, onBody: (bytes: Uint8Array) => void, wanted?: ReadonlySet<string>) {
    this.#bodiless = method === 'HEAD';
    this.#onBody = onBody;
    this.#wanted = wanted;
    this.#fields = wanted === undefined ? NO_FIELDS : new Map();
  }

  /** The status of the final response once its head is complete; until then undefined. */
  get status(): number | undefined {
    return this.#headComplete ? this.#status : undefined;
  }

  /** The wanted fields of the head, as latin1; what stood there more than once is joined by commas (RFC 9110 5.3). */
  get fields(): ReadonlyMap<string, string> {
    return this.#fields;
  }

  /**
   * Whether the server lets another request follow, once the response is complete: RFC 9112 9.3. The `connection`
   * field must be among the wanted ones.
   */
  get persists(): boolean {
    const closes = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(this.#fields.get('connection') ?? '');
    const isFramed = !this.#endless && !this.#exceeds && this.#status !== 101;
    return this.#headComplete && this.#minor > 0 && !closes && isFramed;
  }

  get fault(): HttpFault | undefined {
    return this.#fault;
  }

  /** The response is complete. Bytes after it are not looked at. */
  get done(): boolean {
    return this.#expect === 'done';
  }

  /** Reads on; does nothing after the end or a fault. Says how many of the bytes belong to the response. */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#expect !== 'done' && this.#expect !== 'failed') {
      at = this.#readsBody() ? this.#takeBody(bytes, at) : this.#takeLine(bytes, at);
    }
    if (at < bytes.length) this.#exceeds = true;
    return at;
  }

  /** The peer has closed. That ends a body without a length; anywhere else something is missing. */
  finish(): void {
    if (this.#expect === 'endless-body') this.#expect = 'done';
    else if (this.#expect !== 'done' && this.#expect !== 'failed')
      this.#expect = this.#fail({ kind: 'truncated' });
  }

  #readsBody(): boolean {
    return (
      this.#expect === 'counted-body' || this.#expect === 'chunk-body' || this.#expect === 'endless-body'
    );
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    if (this.#expect === 'endless-body') {
      this.#onBody(bytes.subarray(at));
      return bytes.length;
    }
    const end = Math.min(bytes.length, at + this.#bodyLeft);
    this.#onBody(bytes.subarray(at, end));
    this.#bodyLeft -= end - at;
    if (this.#bodyLeft === 0) this.#expect = this.#expect === 'chunk-body' ? 'chunk-end' : 'done';
    return end;
  }

  /** RFC 9112 2.2: a lone LF ends a line too. */
  #takeLine(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    // A chunk's size is part of no head: a body of many small chunks is no long head.
    const isHead = this.#expect !== 'chunk-size' && this.#expect !== 'chunk-end';
    if (this.#partialLength + end - at > this.#headLeft + (isHead ? 0 : CHUNK_LINE_LENGTH)) {
      this.#expect = this.#fail({ kind: 'too-long', limit: HTTP_HEAD_LIMIT });
    } else if (newline < 0) {
      this.#keep(bytes.subarray(at));
    } else {
      const line = this.#completeLine(bytes.subarray(at, end));
      if (isHead) this.#headLeft -= line.length;
      this.#expect = this.#onLine(line.subarray(0, line.length - (line[line.length - 2] === CR ? 2 : 1)));
    }
    return end;
  }

  #keep(bytes: Uint8Array): void {
    this.#partial ??= new Uint8Array(HTTP_HEAD_LIMIT + CHUNK_LINE_LENGTH);
    this.#partial.set(bytes, this.#partialLength);
    this.#partialLength += bytes.length;
  }

  #completeLine(tail: Uint8Array): Uint8Array {
    if (this.#partial === undefined || this.#partialLength === 0) return tail;
    this.#keep(tail);
    const line = this.#partial.subarray(0, this.#partialLength);
    this.#partialLength = 0;
    return line;
  }

  /** Takes a whole line without its end; says what comes next. */
  #onLine(line: Uint8Array): Expect {
    switch (this.#expect) {
      case 'status-line':
        return this.#onStatusLine(line);
      case 'field':
        return line.length === 0 ? this.#onHeadEnd() : this.#onField(line);
      case 'chunk-size':
        return this.#onChunkSize(line);
      case 'chunk-end':
        return line.length === 0 ? 'chunk-size' : this.#malformed('more bytes than the chunk size says');
      default:
        if (line.length === 0) return 'done';
        return fieldNameLength(line) < 0 ? this.#malformed('bad trailer field') : 'trailer';
    }
  }

  /** RFC 9112 4: `HTTP/1.1 200 OK`; servers leave out the reason and the space before it. */
  #onStatusLine(line: Uint8Array): Expect {
    const status = statusOf(line);
    if (status === undefined) return this.#malformed('bad status line');
    this.#status = status;
    this.#minor = line[7] === 0x31 ? 1 : 0;
    this.#fields.clear();
    this.#contentLength = undefined;
    this.#chunked = false;
    return 'field';
  }

  /** Where no others are wanted, the two fields that frame the body are told apart by the length of their name. */
  #onField(line: Uint8Array): Expect {
    const length = fieldNameLength(line);
    if (length < 0) return this.#malformed('bad header field');
    if (this.#wanted !== undefined) this.#collect(line, length, this.#wanted);
    const name = length === 14 || length === 17 ? latin1(line, 0, length).toLowerCase() : '';
    if (name === 'content-length') return this.#onContentLength(line);
    if (name === 'transfer-encoding') return this.#onTransferEncoding(line);
    return 'field';
  }

  #collect(line: Uint8Array, length: number, wanted: ReadonlySet<string>): void {
    const name = latin1(line, 0, length).toLowerCase();
    if (!wanted.has(name)) return;
    let [from, to] = [length + 1, line.length];
    while (from < to && isBlank(line[from])) from += 1;
    while (to > from && isBlank(line[to - 1])) to -= 1;
    const value = latin1(line, from, to);
    const before = this.#fields.get(name);
    this.#fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  /** RFC 9110 8.6: digits; repeated only with the same value. */
  #onContentLength(line: Uint8Array): Expect {
    for (const part of latin1(line, 15, line.length).split(',')) {
      const value = /^[ \t]*\d{1,15}[ \t]*$/.test(part) ? Number(part) : undefined;
      const known = this.#contentLength ?? value;
      if (value === undefined || known !== value) return this.#malformed('bad content-length');
      this.#contentLength = value;
    }
    return 'field';
  }

  /** We send no TE field, so `chunked`, once, is all that a server may use. */
  #onTransferEncoding(line: Uint8Array): Expect {
    const isChunked = /^[ \t]*chunked[ \t]*$/i.test(latin1(line, 18, line.length));
    if (this.#chunked || !isChunked) return this.#malformed('unknown transfer-encoding');
    this.#chunked = true;
    return 'field';
  }

  /** RFC 9112 6.3: the length of the body. */
  #onHeadEnd(): Expect {
    // RFC 9110 15.2: 1xx are interim, but 101 ends the HTTP of the connection and is final.
    if (this.#status < 200 && this.#status !== 101) return 'status-line';
    if (this.#chunked && this.#contentLength !== undefined)
      return this.#malformed('both content-length and transfer-encoding');
    this.#headComplete = true;
    if (this.#bodiless || this.#status === 101 || this.#status === 204 || this.#status === 304) return 'done';
    if (this.#chunked) return 'chunk-size';
    if (this.#contentLength === undefined) {
      this.#endless = true;
      return 'endless-body';
    }
    this.#bodyLeft = this.#contentLength;
    return this.#bodyLeft === 0 ? 'done' : 'counted-body';
  }

  /** RFC 9112 7.1: hexadecimal digits, then extensions, which are paid from what the head may have. */
  #onChunkSize(line: Uint8Array): Expect {
    const digits = /^[0-9a-f]{1,12}(?=[ \t]*(?:;|$))/i.exec(latin1(line, 0, line.length))?.[0];
    if (digits === undefined || !isFieldText(line, 0)) return this.#malformed('bad chunk size');
    this.#headLeft -= line.length - digits.length;
    this.#bodyLeft = Number.parseInt(digits, 16);
    return this.#bodyLeft === 0 ? 'trailer' : 'chunk-body';
  }

  #malformed(detail: string): Expect {
    return this.#fail({ kind: 'malformed', detail });
  }

  #fail(fault: HttpFault): Expect {
    this.#fault = fault;
    return 'failed';
  }
}

function statusOf(line: Uint8Array): number | undefined {
  if (line.length > 12 && line[12] !== 0x20) return undefined;
  const match = /^HTTP\/1\.[01] ([1-9]\d\d)$/.exec(latin1(line, 0, 12));
  return match === null || !isFieldText(line, 12) ? undefined : Number(match[1]);
}

/** RFC 9110 5.5: no control characters but the tab. A lone CR is one. */
function isFieldText(line: Uint8Array, from: number): boolean {
  for (let index = from; index < line.length; index += 1) {
    const byte = line[index] ?? 0;
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return false;
  }
  return true;
}

const TOKEN_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  TOKEN.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** The length of the name of a well-formed field line, or -1. Folded lines (obs-fold) are refused. */
function fieldNameLength(line: Uint8Array): number {
  const colon = line.indexOf(COLON);
  for (let index = 0; index < colon; index += 1) if (TOKEN_BYTES[line[index] ?? 0] === 0) return -1;
  return colon > 0 && isFieldText(line, colon) ? colon : -1;
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;

function latin1(line: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...line.subarray(from, to));
}
