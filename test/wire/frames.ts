/** The captured VRRP, ARP and neighbour discovery frames of test/vectors/vectors.json, with what they mean. */
import { readFileSync } from 'node:fs';
import { ip } from '../../src/core/ip.js';
import { mac } from '../../src/core/mac.js';
import type { EthernetHeader } from '../../src/wire/ethernet.js';
import { fromHex } from './vectors.js';

export interface DecodedFrame {
  readonly eth: { dst: string; src: string; type: string };
  readonly ip4?: {
    tos: number;
    totLen: number;
    id: number;
    frag: number;
    ttl: number;
    proto: number;
    checksum: string;
    src: string;
    dst: string;
  };
  readonly ip6?: {
    tclass: number;
    flow: number;
    nextHeader: number;
    hopLimit: number;
    src: string;
    dst: string;
  };
  readonly ah?: { nextHeader: number; seq: number };
  readonly vrrp?: {
    version: 2 | 3;
    type: number;
    vrid: number;
    priority: number;
    authType?: number;
    advInt?: number;
    authData?: string;
    rsvd?: number;
    maxAdvInt?: number;
    checksum: string;
    checksumForm: string;
    addresses: string[];
  };
  readonly arp?: { op: number; sha: string; spa: string; tha: string; tpa: string };
  readonly na?: {
    R: number;
    S: number;
    O: number;
    target: string;
    options: { lladdr: string }[];
  };
}

export interface FrameVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decoded: DecodedFrame;
}

const FILE = new URL('../../../test/vectors/vectors.json', import.meta.url);

/** All frames of the kinds that begin with `prefix`. */
export function loadFrames(prefix: string): FrameVector[] {
  const raw = JSON.parse(readFileSync(FILE, 'utf8')) as {
    name: string;
    kind: string;
    hex: string;
    decoded: DecodedFrame;
  }[];
  return raw
    .filter(({ kind }) => kind.startsWith(prefix))
    .map(({ name, hex, decoded }) => ({ name, bytes: fromHex(hex), decoded }));
}

export function ethernetOf({ eth }: DecodedFrame): EthernetHeader {
  return { destination: mac(eth.dst), source: mac(eth.src), type: Number(eth.type) };
}

/** What a member of a decoded frame must be there for this test. */
export function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the vector has no ${what}`);
  return value;
}

export function addressesOf(texts: readonly string[]): ReturnType<typeof ip>[] {
  return texts.map((text) => ip(text));
}
