/** Frames of WebSocket (RFC 6455 5): masked by us, read from a server in whatever pieces they come. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** All frames of a server together, with their heads. */
export const WEBSOCKET_LIMIT = 64 * 1024;
/** RFC 6455 5.5: of a control frame. */
const CONTROL_LENGTH_MAX = 125;
const HEAD_LENGTH_MAX = 10;

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;

export interface ControlFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** A control frame as a client sends it. @param mask four bytes of chance (RFC 6455 5.3) */
export function encodeControl({ opcode, payload }: ControlFrame, mask: Uint8Array): Uint8Array {
  const frame = new Uint8Array(6 + payload.length);
  frame[0] = FIN | opcode;
  frame[1] = MASKED | payload.length;
  frame.set(mask, 2);
  for (const [index, byte] of payload.entries()) frame[6 + index] = byte ^ (mask[index % 4] ?? 0);
  return frame;
}

/** The status code that a close frame gives; undefined where it gives none. */
export function closeCode(payload: Uint8Array): number | undefined {
  const [high, low] = payload;
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

export type FrameFault =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'too-long'; readonly limit: number };

/** Hands over the control frames of a server; messages are passed over. Faults are values; nothing is thrown. */
export class FrameReader {
  readonly #onControl: (frame: ControlFrame) => void;
  /** The head that is being read, then the payload of a control frame. */
  readonly #kept = new Uint8Array(HEAD_LENGTH_MAX + CONTROL_LENGTH_MAX);
  #keptLength = 0;
  /** Bytes of a message that are still to come. */
  #skip = 0;
  #read = 0;
  /** A message has begun whose last frame has not come. */
  #inMessage = false;
  #fault: FrameFault | undefined;

  constructor(onControl: (frame: ControlFrame) => void) {
    this.#onControl = onControl;
  }

  get fault(): FrameFault | undefined {
    return this.#fault;
  }

  push(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return;
    this.#read += bytes.length;
    for (let at = 0; at < bytes.length && this.#fault === undefined; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
      } else {
        this.#kept[this.#keptLength] = bytes[at] ?? 0;
        this.#keptLength += 1;
        at += 1;
        this.#fault = this.#look();
      }
    }
    if (this.#read > WEBSOCKET_LIMIT) this.#fault ??= { kind: 'too-long', limit: WEBSOCKET_LIMIT };
  }

  /** Looks at what is kept of a frame, as soon as each part of it is whole. */
  #look(): FrameFault | undefined {
    const [first = 0, second = 0] = this.#kept;
    const opcode = first & 0x0f;
    if (this.#keptLength === 1) return this.#firstFault(first, opcode);
    if (second >= MASKED) return malformed('a masked frame');
    if (opcode >= OPCODE.close) return this.#control(opcode, second);
    const head = second < 126 ? 2 : second === 126 ? 4 : HEAD_LENGTH_MAX;
    if (this.#keptLength < head) return undefined;
    this.#keptLength = 0;
    this.#inMessage = (first & FIN) === 0;
    this.#skip =
      head === 2 ? second : this.#kept.subarray(2, head).reduce((sum, byte) => sum * 256 + byte, 0);
    return undefined;
  }

  #firstFault(first: number, opcode: number): FrameFault | undefined {
    if ((first & RESERVED) !== 0) return malformed('reserved bits, for no extension was agreed on');
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close))
      return malformed(`opcode ${opcode}`);
    if (opcode >= OPCODE.close)
      return (first & FIN) === 0 ? malformed('a control frame in pieces') : undefined;
    const goesOn = opcode === OPCODE.continuation;
    if (goesOn === this.#inMessage) return undefined;
    return malformed(goesOn ? 'a message that goes on before it began' : 'a message within another');
  }

  #control(opcode: number, length: number): FrameFault | undefined {
    if (length > CONTROL_LENGTH_MAX) return malformed('a long control frame');
    if (opcode === OPCODE.close && length === 1) return malformed('half a close code');
    if (this.#keptLength < 2 + length) return undefined;
    this.#keptLength = 0;
    this.#onControl({ opcode, payload: this.#kept.slice(2, 2 + length) });
    return undefined;
  }
}

function malformed(detail: string): FrameFault {
  return { kind: 'malformed', detail };
}
