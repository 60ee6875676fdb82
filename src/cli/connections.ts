/** `lvsentry table --connections`: what the kernel has under way. Tables of millions are printed as they are read. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { LvsError } from '../core/errors.js';
import { readConnection } from '../ipvs/connections.js';
import type { CliContext } from './context.js';

/** Of the longest IPv6 address and port. */
const WIDEST = '[2001:db8:1111:2222:3333:4444:5555:6666]:65535'.length;
const IPV4_WIDEST = '255.255.255.255:65535'.length;

type Row = readonly [
  protocol: string,
  state: string,
  expires: string,
  client: string,
  virtual: string,
  server: string,
];

const HEADINGS: Row = ['PROTOCOL', 'STATE', 'EXPIRES', 'CLIENT', 'SERVICE', 'SERVER'];

/** Columns are as wide as the addresses of most: the widths of all are known at the end only. */
function rowText([protocol, state, expires, ...endpoints]: Row, engine: string | undefined): string {
  const width = endpoints.some((endpoint) => endpoint.startsWith('[')) ? WIDEST : IPV4_WIDEST;
  const cells = [protocol.padEnd(8), state.padEnd(11), expires.padStart(7)];
  cells.push(...endpoints.map((endpoint) => endpoint.padEnd(width)), engine ?? '');
  return cells.join('  ').trimEnd();
}

/** `15:00`, as ipvsadm prints it. */
function clockText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function unreadable(path: string, thrown: unknown): LvsError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new LvsError('IPVS_ABSENT', `${path} cannot be read, is ip_vs loaded? ${why}`);
}

/** Prints every connection, a line or a JSON object each. @throws IPVS_ABSENT (rejects) */
export async function printConnections(context: CliContext, isJson: boolean): Promise<void> {
  const path = context.connectionsFile;
  const lines = createInterface({ input: createReadStream(path, 'latin1') });
  try {
    let isFirst = true;
    for await (const line of lines) {
      // The first line is the kernel's heading.
      if (isFirst) {
        if (!isJson) context.out(rowText(HEADINGS, undefined));
        isFirst = false;
        continue;
      }
      const found = readConnection(line);
      if (found === undefined) {
        context.err(`lvsentry: not understood, and left out: ${line.trim().slice(0, 200)}`);
        continue;
      }
      const { protocol, state, expiresSeconds, client, virtual, server, engine } = found;
      context.out(
        isJson
          ? JSON.stringify({ ...found, engine: engine ?? null })
          : rowText([protocol, state, clockText(expiresSeconds), client, virtual, server], engine),
      );
    }
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}
