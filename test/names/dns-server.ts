/** A DNS server of a test, on loopback over UDP and TCP: it answers as it is told, truthfully or not. */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { type Ip, ip, ipBytes } from '../../src/core/ip.js';
import type { Resolver } from '../../src/names/model.js';

const LOCALHOST = ip('127.0.0.1');
const TYPES: Readonly<Record<number, string>> = { 1: 'A', 5: 'CNAME', 28: 'AAAA' };

/** What is said of a name. */
export interface Zone {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly CNAME?: string;
  /** Seconds; 1 unless it says otherwise. */
  readonly ttl?: number;
}

export type Manner =
  | 'well'
  | 'silent'
  | 'servfail'
  | 'refused'
  | 'wrong-id'
  | 'wrong-question'
  | 'from-elsewhere'
  | 'garbage'
  | 'cut'
  | 'cut-and-deaf';

interface Asked {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** As it was asked, with type and class. */
  readonly question: Buffer;
}

function readQuestion(bytes: Buffer): Asked {
  const labels: string[] = [];
  let at = 12;
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = bytes.subarray(12, at + 5);
  return {
    id: bytes.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: bytes.readUInt16BE(at + 1),
    question,
  };
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function record(name: string, type: number, ttl: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), head, data]);
}

interface Reply {
  readonly id: number;
  readonly rcode: number;
  readonly question: Buffer;
  readonly answers: readonly Buffer[];
  readonly cut?: boolean;
}

function message({ id, rcode, question, answers, cut = false }: Reply): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(0x8180 | rcode | (cut ? 0x0200 : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(cut ? 0 : answers.length, 6);
  return Buffer.concat([head, question, ...(cut ? [] : answers)]);
}

export class DnsServer {
  readonly zones = new Map<string, Zone>();
  manner: Manner = 'well';
  /** How often it was asked. */
  asked = 0;
  askedByTcp = 0;
  readonly #address: Ip;
  #port = 0;

  private constructor(address: Ip) {
    this.#address = address;
  }

  /** Listens until the test ends. */
  static async open(t: Test, address: Ip = LOCALHOST): Promise<DnsServer> {
    const server = new DnsServer(address);
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const stranger = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    udp.on('message', (bytes, { port }) => {
      server.asked += 1;
      const reply = server.#reply(bytes, true);
      const from = server.manner === 'from-elsewhere' ? stranger : udp;
      if (reply !== undefined) from.send(reply, port, address);
    });
    await new Promise<void>((resolve) => udp.bind(0, address, resolve));
    server.#port = udp.address().port;
    const open = new Set<Socket>();
    const tcp = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        server.askedByTcp += 1;
        const reply = server.manner === 'cut-and-deaf' ? undefined : server.#reply(bytes.subarray(2), false);
        if (reply === undefined) return;
        socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
      });
    });
    await new Promise<void>((resolve) => tcp.listen(server.#port, address, resolve));
    t.teardown(() => {
      udp.close();
      stranger.close();
      for (const socket of open) socket.destroy();
      tcp.close();
    });
    return server;
  }

  get resolver(): Resolver {
    return { address: this.#address, port: this.#port };
  }

  set(name: string, zone: Zone): void {
    this.zones.set(name, zone);
  }

  #reply(bytes: Buffer, byUdp: boolean): Buffer | undefined {
    const { id, name, type, question } = readQuestion(bytes);
    const { manner } = this;
    if (manner === 'silent') return undefined;
    if (manner === 'garbage') return Buffer.from([id >> 8, id & 255, 0x81, 0x80, 1, 2, 3]);
    if (manner === 'servfail') return message({ id, rcode: 2, question, answers: [] });
    if (manner === 'refused') return message({ id, rcode: 5, question, answers: [] });
    const answers = this.#answers(name, type);
    if (answers === undefined) return message({ id, rcode: 3, question, answers: [] });
    if (manner === 'wrong-id') return message({ id: id ^ 1, rcode: 0, question, answers });
    const other = Buffer.concat([nameBytes('other.example'), question.subarray(-4)]);
    if (manner === 'wrong-question') return message({ id, rcode: 0, question: other, answers });
    return message({ id, rcode: 0, question, answers, cut: byUdp && manner.startsWith('cut') });
  }

  /** The chain of a name; undefined where there is no such name. */
  #answers(name: string, type: number): readonly Buffer[] | undefined {
    const zone = this.zones.get(name);
    if (zone === undefined) return undefined;
    const { ttl = 1, CNAME } = zone;
    if (CNAME !== undefined) {
      const rest = name === CNAME ? [] : (this.#answers(CNAME, type) ?? []);
      return [record(name, 5, ttl, nameBytes(CNAME)), ...rest];
    }
    const texts = TYPES[type] === 'A' ? zone.A : zone.AAAA;
    return (texts ?? []).map((text) => record(name, type, ttl, ipBytes(ip(text))));
  }
}
