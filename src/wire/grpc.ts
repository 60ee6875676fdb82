/** gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md), as far as grpc.health.v1.Health/Check needs it. */

/** An answer of the health service has two bytes; one of this many is none. */
export const GRPC_MESSAGE_LIMIT = 4096;
const PREFIX_LENGTH = 5;

/** Wire types of Protocol Buffers (protobuf.dev/programming-guides/encoding). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** HealthCheckResponse.ServingStatus (grpc/health/v1/health.proto). */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** grpc/doc/statuscodes.md, in the order of the codes. */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** The name of a code in `grpc-status`; undefined where there is none. */
export function grpcStatusName(code: number): string | undefined {
  return STATUS_NAMES[code];
}

/** HealthCheckRequest as one message of a stream. @param service UTF-8, at most 16383 bytes; empty: the server as a whole */
export function encodeHealthRequest(service: Uint8Array): Uint8Array {
  const { length } = service;
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  const field = length === 0 ? [] : [(1 << 3) | BYTES, ...size];
  const total = field.length + length;
  // Not compressed, and the length in four bytes.
  const prefix = [0, 0, 0, total >> 8, total & 0xff];
  return Uint8Array.from([...prefix, ...field, ...service]);
}

/** What a stream with the answer of the health service comes to. */
export type HealthAnswer =
  | { readonly kind: 'status'; readonly status: string }
  | { readonly kind: 'malformed'; readonly detail: string };

const malformed = (detail: string): HealthAnswer => ({ kind: 'malformed', detail });

/** Reads the one message of a stream in whatever pieces it comes. Nothing is thrown. */
export class HealthReader {
  #bytes = new Uint8Array(0);

  /** Says whether the message may still become whole; what is longer than GRPC_MESSAGE_LIMIT may not. */
  push(bytes: Uint8Array): boolean {
    const length = this.#bytes.length + bytes.length;
    if (length > GRPC_MESSAGE_LIMIT) return false;
    const all = new Uint8Array(length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
    return true;
  }

  /** The stream has ended. */
  finish(): HealthAnswer {
    const bytes = this.#bytes;
    if (bytes.length === 0) return malformed('no message');
    if (bytes.length < PREFIX_LENGTH) return malformed('a message that is cut short');
    if (bytes[0] !== 0) return malformed('a compressed message, which was not asked for');
    const length = bytes.subarray(1, PREFIX_LENGTH).reduce((sum, byte) => sum * 256 + byte, 0);
    if (length > bytes.length - PREFIX_LENGTH) return malformed('a message that is cut short');
    if (length < bytes.length - PREFIX_LENGTH) return malformed('more than one message');
    const status = servingStatus(bytes.subarray(PREFIX_LENGTH));
    if (status === undefined) return malformed('no HealthCheckResponse');
    return { kind: 'status', status: SERVING_STATUS[status] ?? `status ${status}` };
  }
}

/** Field 1 of HealthCheckResponse, an enum: the last one counts, and 0 stands for none. Other fields are passed over. */
function servingStatus(message: Uint8Array): number | undefined {
  let status = 0;
  for (let at = 0; at < message.length; ) {
    const key = varint(message, at);
    if (key === undefined) return undefined;
    const type = key.value % 8;
    const value = type === VARINT || type === BYTES ? varint(message, key.next) : undefined;
    if (value === undefined && (type === VARINT || type === BYTES)) return undefined;
    const end = endOf(type, key.next, value);
    if (end === undefined || end > message.length) return undefined;
    if (Math.floor(key.value / 8) === 1) {
      if (type !== VARINT) return undefined;
      status = value?.value ?? 0;
    }
    at = end;
  }
  return status;
}

interface Varint {
  readonly value: number;
  readonly next: number;
}

/** Where a field ends whose value begins at `at`; undefined for types that are not used any more. */
function endOf(type: number, at: number, value: Varint | undefined): number | undefined {
  if (type === FIXED64) return at + 8;
  if (type === FIXED32) return at + 4;
  if (value === undefined) return undefined;
  return type === BYTES ? value.next + value.value : value.next;
}

/** At most ten bytes, seven bits each, the lowest first. Above 2^53 the value is only roughly right, and large. */
function varint(message: Uint8Array, at: number): Varint | undefined {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = message[at + index];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 128 ** index;
    if (byte < 128) return { value, next: at + index + 1 };
  }
  return undefined;
}
