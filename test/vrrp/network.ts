/** The kernel's network for one engine: the fake of test/fakes, with the words that stories about directors need. */
import { AddressClient } from '../../src/addresses/client.js';
import type { NetlinkSocket, OpenNetlink, Timers } from '../../src/core/ports.js';
import { systemTurns } from '../../src/sys/clock.js';
import { splitDatagram } from '../../src/wire/netlink.js';
import { RTM } from '../../src/wire/rtnetlink.js';
import { readAddress } from '../../src/wire/rtnl-address.js';
import { FakeNetwork } from '../fakes/rtnl-kernel.js';

const WORDS: ReadonlyMap<number, string> = new Map([
  [RTM.NEWADDR, 'add'],
  [RTM.DELADDR, 'remove'],
]);

export class Network {
  readonly fake = new FakeNetwork();
  /** Called with `add 10.0.0.100` for every change that the kernel is asked for. */
  onApply: (change: string) => void = () => undefined;
  /** Whole reads of the addresses. */
  reads = 0;
  /** Sockets that are open. */
  open = 0;
  readonly #listeners: NetlinkSocket[] = [];

  /** Every device is up and has an address, 10.0.0.2/24, 10.0.1.2/24 ... */
  constructor(readonly devices: readonly string[] = ['eth0']) {
    for (const [at, device] of devices.entries()) {
      this.fake.somebody.addLink(device);
      this.add(device, `10.0.${at}.2/24`);
    }
  }

  client(timers: Timers): AddressClient {
    return new AddressClient({ openNetlink: this.#opener, timers, turns: systemTurns });
  }

  readonly #opener: OpenNetlink = (protocol, groups) => {
    const socket = this.fake.opener()(protocol, groups);
    if (groups !== undefined) this.#listeners.push(socket);
    const { send, close } = socket;
    this.open += 1;
    socket.send = (bytes) => {
      for (const { type, payload } of splitDatagram(bytes)) {
        if (type === RTM.GETADDR) this.reads += 1;
        const word = WORDS.get(type);
        if (word !== undefined) this.onApply(`${word} ${readAddress(payload).local}`);
      }
      return send.call(socket, bytes);
    };
    socket.close = () => {
      this.open -= 1;
      close.call(socket);
    };
    return socket;
  };

  /** Takes the carrier of a link away, or gives it back. */
  link(device: string, up: boolean): void {
    this.fake.somebody.changeLink(`${device}-far`, { up });
  }

  /** The link goes, with all its addresses. */
  unplug(device: string): void {
    this.fake.somebody.deleteLink(device);
  }

  /** A link of this name comes, without addresses. */
  plug(device: string): void {
    this.fake.somebody.addLink(device);
  }

  /** An address of the machine itself, with its prefix length. */
  add(device: string, address: string): void {
    this.fake.somebody.add(device, address);
  }

  /** Somebody else takes an address away. */
  steal(device: string, address: string): void {
    this.fake.somebody.remove(device, address);
  }

  /** While `silent` runs nothing is told; then that something was lost. */
  lose(silent: () => void): void {
    this.fake.isMute = true;
    silent();
    this.fake.isMute = false;
    for (const socket of this.#listeners)
      (socket as NetlinkSocket & { deliver(result: number): void }).deliver(-105);
  }

  has(address: string): boolean {
    return this.devices.some((device) =>
      this.fake.shown(device).some((shown) => shown.startsWith(`${address}/`)),
    );
  }
}
