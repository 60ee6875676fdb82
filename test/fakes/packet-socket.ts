/** A raw or packet socket whose kernel is a test. */
import type { OpenPacketSocket, PacketSocket } from '../../src/core/ports.js';

export interface Arrived {
  readonly bytes: Uint8Array;
  readonly from: Uint8Array;
  readonly control: Uint8Array;
}

const EAGAIN = 11;
const EMSGSIZE = 90;

export class FakePacketSocket implements PacketSocket {
  readonly options: string[] = [];
  readonly sent: {
    readonly bytes: Uint8Array;
    readonly to: Uint8Array;
    readonly control: Uint8Array | undefined;
  }[] = [];
  /** What `receive` gives next: a packet, or -errno. */
  readonly incoming: (Arrived | number)[] = [];
  /** What `send` answers, where it is not the length. */
  sendResult: number | undefined;
  listener: (() => void) | undefined;
  closed = false;

  /** @param refuse the option (`level name`) that this kernel refuses, with its -errno */
  constructor(readonly refuse?: readonly [string, number]) {}

  bind(address: Uint8Array): number {
    this.options.push(`bind ${Buffer.from(address).toString('hex')}`);
    return 0;
  }

  setOption(level: number, name: number, value: number | Uint8Array): number {
    const word = `${level} ${name}`;
    this.options.push(`${word} ${typeof value === 'number' ? value : Buffer.from(value).toString('hex')}`);
    return this.refuse?.[0] === word ? this.refuse[1] : 0;
  }

  filter(program: Uint8Array): number {
    this.options.push(`filter ${Buffer.from(program).toString('hex')}`);
    return 0;
  }

  send(bytes: Uint8Array, to: Uint8Array, control?: Uint8Array): number {
    this.sent.push({ bytes: bytes.slice(), to: to.slice(), control: control?.slice() });
    return this.sendResult ?? bytes.length;
  }

  receive(into: Uint8Array, from: Uint8Array, control: Uint8Array, facts: Int32Array): number {
    const next = this.incoming.shift();
    if (next === undefined) return -EAGAIN;
    if (typeof next === 'number') return next;
    if (next.bytes.length > into.length) return -EMSGSIZE;
    into.set(next.bytes);
    from.set(next.from);
    control.set(next.control);
    facts.set([next.from.length, next.control.length, 0]);
    return next.bytes.length;
  }

  onReadable(listener: (() => void) | undefined): void {
    this.listener = listener;
  }

  close(): void {
    this.closed = true;
  }
}

export function opening(socket: FakePacketSocket | number, asked: string[] = []): OpenPacketSocket {
  return (domain, type, protocol, namespace) => {
    asked.push([domain, type, protocol, namespace ?? ''].join(' ').trim());
    return socket;
  };
}
