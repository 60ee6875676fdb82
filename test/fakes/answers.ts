/** What a kernel says, as bytes: for doubles of a netlink socket and for the vectors' way back. */
import { ByteWriter } from '../../src/core/bytes.js';
import { putBytes, putText, putU32le } from '../../src/wire/attributes.js';
import {
  beginMessage,
  endMessage,
  type Message,
  type MessageHeader,
  NLM_F,
  NLMSG,
} from '../../src/wire/netlink.js';

export interface ErrorWords {
  readonly text?: string | undefined;
  readonly offset?: number | undefined;
  readonly cookie?: Uint8Array | undefined;
  readonly policy?: Uint8Array | undefined;
}

const NOTHING = new Uint8Array(0);

/** The bytes of messages packed one after the other, as in one datagram. */
export function datagram(...messages: readonly Message[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) {
    const start = beginMessage(writer, message);
    writer.raw(message.payload);
    endMessage(writer, start);
  }
  return writer.finish();
}

function writeWords(writer: ByteWriter, words: ErrorWords): void {
  if (words.text !== undefined) putText(writer, 1, words.text);
  if (words.offset !== undefined) putU32le(writer, 2, words.offset);
  if (words.cookie !== undefined) putBytes(writer, 3, words.cookie);
  if (words.policy !== undefined) putBytes(writer, 4, words.policy);
}

function wordsFlag(words: ErrorWords | undefined): number {
  return words !== undefined && Object.values(words).some((value) => value !== undefined)
    ? NLM_F.ACK_TLVS
    : 0;
}

/** NLMSG_ERROR as Linux lays it out: acknowledgements and CAP_ACK sockets get the header only. */
export function errorAnswer(
  request: MessageHeader & { readonly length: number },
  errno: number,
  more: { readonly echo?: Uint8Array | undefined; readonly words?: ErrorWords } = {},
): Message {
  const writer = new ByteWriter();
  writer.i32le(-errno);
  writer.u32le(request.length);
  writer.u16le(request.type);
  writer.u16le(request.flags);
  writer.u32le(request.sequence);
  writer.u32le(request.portId);
  const capped = errno === 0 || more.echo === undefined;
  writer.raw(capped ? NOTHING : (more.echo ?? NOTHING));
  writer.align(4);
  if (more.words !== undefined) writeWords(writer, more.words);
  const flags = (capped ? NLM_F.CAPPED : 0) | wordsFlag(more.words);
  const { sequence, portId } = request;
  return { type: NLMSG.ERROR, flags, sequence, portId, payload: writer.finish() };
}

/** NLMSG_DONE with its i32. */
export function doneAnswer(request: MessageHeader, errno = 0, words?: ErrorWords): Message {
  const writer = new ByteWriter();
  writer.i32le(-errno);
  if (words !== undefined) writeWords(writer, words);
  const { sequence, portId } = request;
  return {
    type: NLMSG.DONE,
    flags: NLM_F.MULTI | wordsFlag(words),
    sequence,
    portId,
    payload: writer.finish(),
  };
}
