/** What the lower bound is given is what the kernel would be sent: the fake kernel takes it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { writeMessages } from '../../bench/messages.js';
import { NLMSG, splitDatagram } from '../../src/wire/netlink.js';

t.test(
  'every batch holds at most 64 changes and ends with the only message that is acknowledged',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-messages-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    writeMessages(join(folder, 'messages'), { services: 30, servers: 4 });
    const bytes = readFileSync(join(folder, 'messages'));
    const batches: number[] = [];
    const sequences: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      const messages = [...splitDatagram(bytes.subarray(at + 4, at + 4 + length))];
      batches.push(messages.length - 1);
      sequences.push(...messages.map(({ sequence }) => sequence));
      const asking = messages.map(({ type, flags }) => `${type === NLMSG.NOOP} ${(flags & 4) !== 0}`);
      t.equal(asking.at(-1), 'true true');
      t.ok(asking.slice(0, -1).every((one) => one === 'false false'));
      at += 4 + length;
    }
    t.strictSame(batches, [64, 64, 22], '30 services and their 120 servers');
    t.strictSame(
      sequences,
      sequences.map((_, index) => index + 2),
    );
  },
);
