/** Generic netlink (linux/genetlink.h): the header of its messages and the look-up of a family by name. */
import { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { AttributeReader, putText } from './attributes.js';

/** The one family whose number is fixed: it knows the numbers of all others. */
export const GENL_ID_CTRL = 16;

/** enum CTRL_CMD_* */
const CTRL_CMD = { NEWFAMILY: 1, GETFAMILY: 3 } as const;

/** enum CTRL_ATTR_* */
const CTRL_ATTR = { FAMILY_ID: 1, FAMILY_NAME: 2, VERSION: 3, HDRSIZE: 4, MAXATTR: 5 } as const;

/** sizeof(struct genlmsghdr), already aligned. */
export const GENL_HDRLEN = 4;

/** GENL_NAMSIZ, less the NUL. */
const FAMILY_NAME_LENGTH_MAX = 15;

export interface GenlHeader {
  readonly command: number;
  readonly version: number;
}

/** struct genlmsghdr: u8 cmd, u8 version, u16 reserved. */
export function writeGenlHeader(writer: ByteWriter, header: GenlHeader): void {
  writer.u8(header.command);
  writer.u8(header.version);
  writer.zeros(2);
}

/** Attributes begin GENL_HDRLEN bytes into the payload. @throws TRUNCATED */
export function readGenlHeader(payload: Uint8Array): GenlHeader {
  const [command, version] = payload;
  if (command === undefined || version === undefined || payload.length < GENL_HDRLEN) {
    const facts = { need: GENL_HDRLEN, have: payload.length, offset: 0 };
    throw new LvsError('TRUNCATED', `a generic netlink header in ${payload.length} bytes`, facts);
  }
  return { command, version };
}

/** What CTRL_CMD_NEWFAMILY says of a family. */
export interface GenlFamily {
  readonly name: string;
  /** The message type of this family until its module is unloaded. */
  readonly id: number;
  readonly version: number;
  /** Bytes of the family's own header after genlmsghdr. */
  readonly headerSize: number;
  readonly attributeMax: number;
}

/** Payload of the request for a family; goes to type GENL_ID_CTRL. @throws MALFORMED for an impossible name. */
export function writeFamilyRequest(name: string): Uint8Array {
  if (name === '' || name.length > FAMILY_NAME_LENGTH_MAX) {
    throw new LvsError('MALFORMED', `a family name has 1 to ${FAMILY_NAME_LENGTH_MAX} characters: ${name}`);
  }
  const writer = new ByteWriter(32);
  writeGenlHeader(writer, { command: CTRL_CMD.GETFAMILY, version: 1 });
  putText(writer, CTRL_ATTR.FAMILY_NAME, name);
  return writer.finish();
}

/** Reads the payload of the answer. @throws TRUNCATED, MALFORMED where id or name is missing. */
export function readFamily(payload: Uint8Array): GenlFamily {
  const { command } = readGenlHeader(payload);
  if (command !== CTRL_CMD.NEWFAMILY) {
    throw new LvsError('MALFORMED', `the family controller answered with command ${command}, not NEWFAMILY`);
  }
  let name: string | undefined;
  let id: number | undefined;
  let [version, headerSize, attributeMax] = [0, 0, 0];
  const reader = AttributeReader.over(payload, GENL_HDRLEN);
  while (reader.next()) {
    if (reader.type === CTRL_ATTR.FAMILY_NAME) name = reader.text();
    else if (reader.type === CTRL_ATTR.FAMILY_ID) id = reader.u16le();
    else if (reader.type === CTRL_ATTR.VERSION) version = reader.u32le();
    else if (reader.type === CTRL_ATTR.HDRSIZE) headerSize = reader.u32le();
    else if (reader.type === CTRL_ATTR.MAXATTR) attributeMax = reader.u32le();
  }
  if (name === undefined || id === undefined) {
    throw new LvsError('MALFORMED', 'the family controller answered without id or name');
  }
  return { name, id, version, headerSize, attributeMax };
}
