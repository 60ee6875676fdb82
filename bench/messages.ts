/** The changes that fill a table, as `guest/lower-bound.c` sends them. */
import { writeFileSync } from 'node:fs';
import { ByteWriter } from '../src/core/bytes.js';
import { ip } from '../src/core/ip.js';
import { writeOperation } from '../src/ipvs/codec.js';
import type { Operation, ServiceKey } from '../src/ipvs/model.js';
import { BATCH_MESSAGES_MAX } from '../src/netlink/exchange.js';
import { beginMessage, endMessage, NLM_F, NLMSG } from '../src/wire/netlink.js';
import { entries, type Size } from './workload.js';

/** Filled in with the number that the kernel gave the family. */
const FAMILY = 0xffff;

/** All changes that fill an empty table. */
export function operations(size: Size): readonly Operation[] {
  return entries(size).flatMap(({ vip, servers }): readonly Operation[] => {
    const key: ServiceKey = { kind: 'address', protocol: 'tcp', address: ip(vip), port: 80 };
    const settings = {
      scheduler: 'wlc',
      schedulerFlags: { flag1: false, flag2: false, flag3: false },
      onePacket: false,
      persistence: undefined,
      persistenceEngine: undefined,
    };
    const dest = { forward: { method: 'direct' }, weight: 1, upperThreshold: 0, lowerThreshold: 0 } as const;
    return [
      { kind: 'add-service', service: { key, settings } },
      ...servers.map(
        (server): Operation => ({
          kind: 'add-dest',
          service: key,
          dest: { key: { address: ip(server), port: 80 }, settings: dest },
        }),
      ),
    ];
  });
}

/** Writes the file that lower-bound reads. */
export function writeMessages(path: string, size: Size): void {
  const all = operations(size);
  const file = new ByteWriter(1024 * 1024);
  let sequence = 2;
  for (let from = 0; from < all.length; from += BATCH_MESSAGES_MAX) {
    const batch = new ByteWriter(64 * 1024);
    const rest = { flags: NLM_F.REQUEST, portId: 0 };
    for (const operation of all.slice(from, from + BATCH_MESSAGES_MAX)) {
      const start = beginMessage(batch, { ...rest, type: FAMILY, sequence });
      writeOperation(batch, operation);
      endMessage(batch, start);
      sequence += 1;
    }
    const barrier = { ...rest, flags: NLM_F.REQUEST | NLM_F.ACK, type: NLMSG.NOOP, sequence };
    endMessage(batch, beginMessage(batch, barrier));
    sequence += 1;
    const bytes = batch.finish();
    file.raw(new Uint8Array(Uint32Array.of(bytes.length).buffer));
    file.raw(bytes);
  }
  writeFileSync(path, file.finish());
}
