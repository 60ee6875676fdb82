/** Raw and packet sockets, and alarms, over the native part. */
import { errnoName } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { OpenAlarm, OpenPacketSocket, PacketSocket } from '../core/ports.js';
import { leaveIfLost, loadNative, type NativeDescriptor, POLL_READABLE } from './native.js';

class KernelPacketSocket implements PacketSocket {
  constructor(readonly descriptor: NativeDescriptor) {}

  bind(address: Uint8Array): number {
    return this.descriptor.bind(address);
  }

  setOption(level: number, name: number, value: number | Uint8Array): number {
    return this.descriptor.setsockopt(level, name, value);
  }

  filter(program: Uint8Array): number {
    return this.descriptor.attachFilter(program);
  }

  send(bytes: Uint8Array, to: Uint8Array, control?: Uint8Array): number {
    return this.descriptor.send(bytes, to, control);
  }

  receive(into: Uint8Array, from: Uint8Array, control: Uint8Array, facts: Int32Array): number {
    return this.descriptor.receive(into, from, control, facts);
  }

  onReadable(listener: (() => void) | undefined): void {
    if (listener === undefined) this.descriptor.poll(0);
    else this.descriptor.poll(POLL_READABLE, () => listener());
  }

  close(): void {
    this.descriptor.close();
  }
}

/** Opens a raw or packet socket. @throws NATIVE where the native part is missing */
export const openPacketSocket: OpenPacketSocket = (domain, type, protocol, namespace) => {
  const descriptor = loadNative().openSocket(domain, type, protocol, namespace);
  leaveIfLost(descriptor);
  return typeof descriptor === 'number' ? descriptor : new KernelPacketSocket(descriptor);
};

/** An alarm on a timerfd with absolute deadlines of CLOCK_MONOTONIC. @throws NATIVE */
export const openAlarm: OpenAlarm = (ring) => {
  const timer = loadNative().openTimer();
  if (typeof timer === 'number') throw new LvsError('NATIVE', `cannot open a timer: ${errnoName(-timer)}`);
  timer.poll(POLL_READABLE, () => {
    timer.readTimer();
    ring();
  });
  return {
    // 0 disarms; an instant that has passed rings at once.
    set: (deadline) => void timer.setTimer(deadline === undefined ? 0 : Math.max(deadline, Number.MIN_VALUE)),
    close: () => void timer.close(),
  };
};
