/** How HTTP/2 servers talk, byte by byte, well and badly. */
import type { Socket } from 'node:net';

export const FRAME = {
  data: 0,
  headers: 1,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** RFC 9113 4.1. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export const SETTINGS = frame(FRAME.settings, 0, 0);

/** RFC 7541: `:status` by its place in the static table, other fields as new names without an index. */
export function headers(
  stream: number,
  status: number,
  fields: Readonly<Record<string, string>> = {},
  flags = 0,
): Buffer {
  const known = { 200: 0x88, 204: 0x89, 404: 0x8d, 500: 0x8e }[status];
  const first = known === undefined ? [8, 3, ...Buffer.from(`${status}`)] : [known];
  return frame(
    FRAME.headers,
    END_HEADERS | flags,
    stream,
    Uint8Array.from([...first, ...fieldBytes(fields)]),
  );
}

/** The fields at the end of a stream. */
export function trailers(stream: number, fields: Readonly<Record<string, string>>): Buffer {
  return frame(FRAME.headers, END_HEADERS | END_STREAM, stream, Uint8Array.from(fieldBytes(fields)));
}

function fieldBytes(fields: Readonly<Record<string, string>>): number[] {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value, 'latin1')];
  return Object.entries(fields).flatMap(([name, value]) => [0, ...text(name), ...text(value)]);
}

export const data = (stream: number, payload: Uint8Array | string, flags = 0): Buffer =>
  frame(FRAME.data, flags, stream, payload);

export function goaway(code: number, last = 0): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(last, 0);
  payload.writeUInt32BE(code, 4);
  return frame(FRAME.goaway, 0, 0, payload);
}

export function rst(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(FRAME.rst, 0, stream, payload);
}

/** The first request is behind the preface, SETTINGS and what else a client says first: HEADERS on stream 1. */
function hasRequest(heard: Buffer): boolean {
  for (let at = 24; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3))
    if (heard[at + 3] === FRAME.headers) return true;
  return false;
}

/** Sends SETTINGS, hears the head of the first request, then does what the row says. */
export function serving(answer: (socket: Socket) => unknown): (socket: Socket) => void {
  return (socket) => {
    let heard = Buffer.alloc(0);
    let answered = false;
    socket.write(SETTINGS);
    socket.on('data', (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      if (answered || !hasRequest(heard)) return;
      answered = true;
      void answer(socket);
    });
  };
}
