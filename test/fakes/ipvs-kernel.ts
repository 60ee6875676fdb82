/**
 * A small IPVS behind netlink: it keeps the bytes of what it is given and answers with them. It knows who is there and
 * who is not; the kernel's finer rules are the contract suite's.
 */
import { ByteWriter } from '../../src/core/bytes.js';
import { type Errno, errnoValue } from '../../src/core/errno.js';
import { AttributeReader, putBytes } from '../../src/wire/attributes.js';
import { GENL_HDRLEN, readGenlHeader, writeGenlHeader } from '../../src/wire/genetlink.js';
import { type Message, NLM_F } from '../../src/wire/netlink.js';
import { datagram } from './answers.js';
import { GenlKernel } from './genl-kernel.js';
import { type Arrival, acknowledged, answer, dumped, refused } from './netlink-socket.js';

const CMD = { NEW_SERVICE: 1, GET_SERVICE: 4, NEW_DEST: 5, GET_DEST: 8, FLUSH: 17 } as const;
const SERVICE = 1;
const DEST = 2;

interface Entry {
  nest: Uint8Array;
  readonly dests: Map<string, Uint8Array>;
}

function nestOf(payload: Uint8Array, type: number): Uint8Array | undefined {
  const reader = AttributeReader.over(payload, GENL_HDRLEN);
  while (reader.next()) if (reader.type === type) return reader.bytes().slice();
  return undefined;
}

/** The attributes below this type identify, in services (AF to FWMARK) and in destinations (ADDR, PORT). */
function identity(nest: Uint8Array | undefined, below: number): string {
  const reader = AttributeReader.over(nest ?? new Uint8Array(0));
  const parts: string[] = [];
  while (reader.next()) if (reader.type < below) parts.push(`${reader.type}=${reader.bytes().join('.')}`);
  return parts.join(' ');
}

function payloadOf(command: number, type: number, nest: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writeGenlHeader(writer, { command, version: 1 });
  putBytes(writer, type, nest);
  return writer.finish();
}

export class IpvsKernel extends GenlKernel {
  readonly services = new Map<string, Entry>();
  /** The commands that were carried out or refused, in their order. */
  readonly commands: number[] = [];
  /** Asked first: what it gives is what arrives, and nothing is done. */
  script: (command: number, request: Message) => readonly Arrival[] | undefined = () => undefined;

  constructor() {
    super('IPVS', (request) => this.#obey(request));
  }

  /** Unloads the module and loads it again, empty, under another number. */
  reload(id: number): void {
    this.services.clear();
    this.id = id;
  }

  #obey(request: Message): readonly Arrival[] {
    const { command } = readGenlHeader(request.payload);
    this.commands.push(command);
    const scripted = this.script(command, request);
    if (scripted !== undefined) return scripted;
    const service = nestOf(request.payload, SERVICE);
    if (command === CMD.GET_SERVICE) return this.#getService(request, service);
    if (command === CMD.GET_DEST) return this.#getDests(request, service);
    const errno = this.#change(command, service, nestOf(request.payload, DEST));
    return errno === undefined ? acknowledged(request) : refused(request, errnoValue(errno));
  }

  #getService(request: Message, service: Uint8Array | undefined): readonly Arrival[] {
    const all = [...this.services.values()].map(({ nest }) => payloadOf(CMD.NEW_SERVICE, SERVICE, nest));
    if ((request.flags & NLM_F.DUMP) === NLM_F.DUMP) return dumped(request, all, 2);
    const entry = this.services.get(identity(service, 6));
    if (entry === undefined) return refused(request, errnoValue('ESRCH'));
    return [datagram(answer(request, payloadOf(CMD.NEW_SERVICE, SERVICE, entry.nest)))];
  }

  #getDests(request: Message, service: Uint8Array | undefined): readonly Arrival[] {
    const dests = this.services.get(identity(service, 6))?.dests ?? new Map<string, Uint8Array>();
    return dumped(
      request,
      [...dests.values()].map((nest) => payloadOf(CMD.NEW_DEST, DEST, nest)),
      3,
    );
  }

  #change(command: number, service: Uint8Array | undefined, dest: Uint8Array | undefined): Errno | undefined {
    if (command > CMD.GET_DEST) {
      if (command === CMD.FLUSH) this.services.clear();
      return undefined;
    }
    const key = identity(service, 6);
    const entry = this.services.get(key);
    if (command === CMD.NEW_SERVICE && entry !== undefined) return 'EEXIST';
    if (command !== CMD.NEW_SERVICE && entry === undefined) return 'ESRCH';
    if (dest !== undefined) return this.#changeDest(command, entry, dest);
    if (command === 3) this.services.delete(key);
    else if (service !== undefined) this.services.set(key, { dests: new Map(), ...entry, nest: service });
    return undefined;
  }

  #changeDest(command: number, entry: Entry | undefined, dest: Uint8Array): Errno | undefined {
    const key = identity(dest, 3);
    const isThere = entry?.dests.has(key) === true;
    if (command === CMD.NEW_DEST && isThere) return 'EEXIST';
    if (command !== CMD.NEW_DEST && !isThere) return 'ENOENT';
    if (command === 7) entry?.dests.delete(key);
    else entry?.dests.set(key, dest);
    return undefined;
  }
}
