/** A kernel with one generic netlink family that can be absent, unloaded, and loaded again under another number. */

import { ByteWriter } from '../../src/core/bytes.js';
import { errnoValue } from '../../src/core/errno.js';
import { AttributeReader, putText, putU16le } from '../../src/wire/attributes.js';
import { GENL_HDRLEN, GENL_ID_CTRL, writeGenlHeader } from '../../src/wire/genetlink.js';
import type { Message } from '../../src/wire/netlink.js';
import { datagram } from './answers.js';
import { type Arrival, answer, type Kernel, refused } from './netlink-socket.js';

export class GenlKernel {
  /** Undefined where the module is not loaded. */
  id: number | undefined = 28;
  lookUps = 0;

  constructor(
    readonly name: string,
    public family: Kernel,
  ) {}

  readonly handle = (request: Message): readonly Arrival[] => {
    if (request.type === GENL_ID_CTRL) return this.#lookUp(request);
    if (request.type === this.id) return this.family(request);
    return refused(request, errnoValue('ENOENT'));
  };

  #lookUp(request: Message): Arrival[] {
    this.lookUps += 1;
    const reader = AttributeReader.over(request.payload, GENL_HDRLEN);
    const asked = reader.next() ? reader.text() : '';
    if (asked !== this.name || this.id === undefined) return refused(request, errnoValue('ENOENT'));
    const writer = new ByteWriter();
    writeGenlHeader(writer, { command: 1, version: 2 });
    putText(writer, 2, this.name);
    putU16le(writer, 1, this.id);
    return [datagram(answer(request, writer.finish()))];
  }
}
