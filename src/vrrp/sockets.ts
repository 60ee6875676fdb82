/** The raw sockets of all interfaces that have instances: opened when the interface is there, anew when it is another. */
import { LvsError } from '../core/errors.js';
import type { Family } from '../core/ip.js';
import type { OpenPacketSocket } from '../core/ports.js';
import { type Place, VrrpSocket } from './transport.js';

export interface SocketTrouble {
  readonly device: string;
  readonly family: Family;
  readonly text: string;
}

function keyOf(device: string, family: Family): string {
  return `${family} ${device}`;
}

export class VrrpSockets {
  readonly #openSocket: OpenPacketSocket;
  readonly #onReadable: (socket: VrrpSocket) => void;
  readonly #open = new Map<string, VrrpSocket>();
  readonly #troubles = new Map<string, SocketTrouble>();
  #unreadable = 0;

  constructor(openSocket: OpenPacketSocket, onReadable: (socket: VrrpSocket) => void) {
    this.#openSocket = openSocket;
    this.#onReadable = onReadable;
  }

  /** Opens and closes until exactly `places` are open; what cannot be opened is in `trouble`. */
  set(places: readonly Place[]): void {
    const wanted = new Map(places.map((place) => [keyOf(place.device, place.family), place]));
    for (const [key, socket] of this.#open) {
      if (wanted.get(key)?.index === socket.place.index) continue;
      this.#unreadable += socket.unreadable;
      this.#open.delete(key);
      socket.close();
    }
    this.#troubles.clear();
    for (const [key, place] of wanted) if (!this.#open.has(key)) this.#add(key, place);
  }

  #add(key: string, place: Place): void {
    try {
      const socket = VrrpSocket.open(this.#openSocket, place);
      socket.onReadable(() => this.#onReadable(socket));
      this.#open.set(key, socket);
    } catch (thrown) {
      if (!(thrown instanceof LvsError)) throw thrown;
      const { device, family } = place;
      this.#troubles.set(key, { device, family, text: thrown.message });
    }
  }

  get(device: string, family: Family): VrrpSocket | undefined {
    return this.#open.get(keyOf(device, family));
  }

  /** Why the socket of an interface could not be opened. */
  trouble(device: string, family: Family): SocketTrouble | undefined {
    return this.#troubles.get(keyOf(device, family));
  }

  get hasTrouble(): boolean {
    return this.#troubles.size > 0;
  }

  /** Packets that nothing could be made of. */
  get unreadable(): number {
    let sum = this.#unreadable;
    for (const socket of this.#open.values()) sum += socket.unreadable;
    return sum;
  }

  close(): void {
    this.set([]);
  }
}
