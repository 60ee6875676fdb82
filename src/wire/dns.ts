/** DNS messages as a probe needs them (RFC 1035): a question, and the answers to it as text. */
import { ByteReader } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { ipFromBytes } from '../core/ip.js';

/** Bit of the header's flags: this is a response; it was cut; recursion is wanted. */
const [RESPONSE, TRUNCATED, RECURSE] = [0x8000, 0x0200, 0x0100];
const HEADER_LENGTH = 12;
/** A name has at most 255 octets, so at most 127 labels. */
const LABELS_MAX = 127;
/** More answers than this are not read. */
const ANSWERS_MAX = 512;
const CLASS_IN = 1;

export interface DnsQuestion {
  readonly id: number;
  readonly name: string;
  readonly record: number;
}

/**
 * A question in class IN that wants recursion.
 * @throws MALFORMED for a name with an empty or long label, or one beyond ASCII.
 */
export function encodeDnsQuestion({ id, name, record }: DnsQuestion): Uint8Array {
  const labels = name === '.' ? [] : name.replace(/\.$/, '').split('.');
  const bytes = [id >> 8, id & 255, RECURSE >> 8, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of labels) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) throw new LvsError('MALFORMED', `"${name}" is no DNS name`);
    bytes.push(label.length, ...[...label].map((letter) => letter.charCodeAt(0)));
  }
  bytes.push(0, record >> 8, record & 255, 0, CLASS_IN);
  if (bytes.length - HEADER_LENGTH - 4 > 255) throw new LvsError('MALFORMED', `"${name}" is too long`);
  return Uint8Array.from(bytes);
}

export interface DnsAnswer {
  readonly record: number;
  /** The data as in a zone file; of types that are not known here in hex. */
  readonly text: string;
}

export interface DnsResponse {
  readonly id: number;
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** What was asked, the name in lower case; undefined where the server does not repeat it. */
  readonly question: { readonly name: string; readonly record: number } | undefined;
  readonly answers: readonly DnsAnswer[];
}

/** Reads a response; undefined where the bytes are none. Nothing is thrown. */
export function decodeDnsResponse(bytes: Uint8Array): DnsResponse | undefined {
  try {
    return decode(new ByteReader(bytes));
  } catch (thrown) {
    if (thrown instanceof LvsError) return undefined;
    throw thrown;
  }
}

function decode(reader: ByteReader): DnsResponse | undefined {
  const id = reader.u16be();
  const flags = reader.u16be();
  const [questions, count] = [reader.u16be(), reader.u16be()];
  reader.skip(4);
  if ((flags & RESPONSE) === 0 || questions > 1) return undefined;
  const question =
    questions === 0 ? undefined : { name: readName(reader).toLowerCase(), record: reader.u16be() };
  if (question !== undefined) reader.skip(2);
  const isTruncated = (flags & TRUNCATED) !== 0;
  const answers: DnsAnswer[] = [];
  try {
    for (let index = 0; index < Math.min(count, ANSWERS_MAX); index += 1) answers.push(readAnswer(reader));
  } catch (thrown) {
    // What was cut may end within an answer.
    if (!isTruncated || !(thrown instanceof LvsError)) throw thrown;
  }
  return { id, rcode: flags & 15, isTruncated, question, answers };
}

function readAnswer(reader: ByteReader): DnsAnswer {
  readName(reader);
  const record = reader.u16be();
  reader.skip(6);
  const length = reader.u16be();
  const end = reader.offset + length;
  const data = new ByteReader(reader.bytes.subarray(0, end));
  data.skip(reader.offset);
  reader.skip(length);
  return { record, text: (TEXTS[record] ?? hexText)(data) };
}

/** RFC 1035 4.1.4: labels, and pointers that must lead backwards, so that they lead nowhere for ever. */
function readName(reader: ByteReader): string {
  const labels: string[] = [];
  let from = reader;
  let lowest = reader.offset;
  for (let count = 0; count <= LABELS_MAX; count += 1) {
    const length = from.u8();
    if (length === 0) return `${labels.join('.')}.`;
    if (length < 0x40) {
      labels.push(labelText(from.take(length)));
      continue;
    }
    const to = ((length & 0x3f) << 8) | from.u8();
    if (length < 0xc0 || to >= lowest) break;
    lowest = to;
    from = new ByteReader(reader.bytes);
    from.skip(to);
  }
  throw new LvsError('MALFORMED', 'a DNS name is too long or leads nowhere');
}

/** RFC 1035 5.1: what a zone file would not take as it stands is `\DDD`. */
function labelText(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\${String(byte).padStart(3, '0')}`,
    )
    .join('');
}

type DataText = (data: ByteReader) => string;

function hexText(data: ByteReader): string {
  return [...data.take(data.left)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const addressText: DataText = (data) => ipFromBytes(data.take(4));

const address6Text: DataText = (data) => ipFromBytes(data.take(16));

const mxText: DataText = (data) => `${data.u16be()} ${readName(data)}`;

const srvText: DataText = (data) => `${data.u16be()} ${data.u16be()} ${data.u16be()} ${readName(data)}`;

const soaText: DataText = (data) => {
  const names = [readName(data), readName(data)];
  return [...names, ...Array.from({ length: 5 }, () => data.u32be())].join(' ');
};

/** The strings of a TXT record, one after the other. */
const txtText: DataText = (data) => {
  let text = '';
  while (data.left > 0) text += String.fromCharCode(...data.take(data.u8()));
  return text;
};

/** RFC 1035 3.2.2, RFC 3596, RFC 2782. */
const TEXTS: Readonly<Record<number, DataText>> = {
  1: addressText,
  2: readName,
  5: readName,
  6: soaText,
  12: readName,
  15: mxText,
  16: txtText,
  28: address6Text,
  33: srvText,
};
