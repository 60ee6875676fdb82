/** HTTP/2 (RFC 9113): error codes, and the frames of a client of ours, walked over as they leave. */

/** RFC 9113 7, in the order of the codes. */
const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

export function errorCode(name: (typeof ERRORS)[number]): number {
  return ERRORS.indexOf(name);
}

/** The name of an error code, or `code N`. */
export function errorCodeText(code: number): string {
  return ERRORS[code] ?? `code ${code}`;
}

/** RFC 9113 3.4: what a client says first. */
const PREFACE_LENGTH = 24;
const HEAD_LENGTH = 9;
const GOAWAY = 7;
/** Last stream, then the error code. */
const GOAWAY_LENGTH = 8;

/** Finds in the bytes of a client the error with which it gives a connection up. The bytes are well-formed: they are ours. */
export class GoawayFinder {
  /** The head of a frame and, of a GOAWAY, what it says. */
  readonly #kept = new Uint8Array(HEAD_LENGTH + GOAWAY_LENGTH);
  #keptLength = 0;
  #skip = PREFACE_LENGTH;

  /** The error code of a GOAWAY in these bytes, if there is one and its code is not NO_ERROR. */
  push(bytes: Uint8Array): number | undefined {
    let found: number | undefined;
    for (let at = 0; at < bytes.length; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      this.#kept[this.#keptLength] = bytes[at] ?? 0;
      this.#keptLength += 1;
      at += 1;
      found = this.#look() ?? found;
    }
    return found;
  }

  #look(): number | undefined {
    const isGoaway = this.#kept[3] === GOAWAY;
    const needed = HEAD_LENGTH + (isGoaway ? GOAWAY_LENGTH : 0);
    if (this.#keptLength < HEAD_LENGTH || this.#keptLength < needed) return undefined;
    this.#keptLength = 0;
    const length = number(this.#kept.subarray(0, 3));
    this.#skip = length - (isGoaway ? GOAWAY_LENGTH : 0);
    const code = number(this.#kept.subarray(HEAD_LENGTH + 4));
    return isGoaway && code !== 0 ? code : undefined;
  }
}

function number(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
