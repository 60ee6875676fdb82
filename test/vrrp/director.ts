/** An engine on a virtual clock, sockets and a kernel of the test, and everything that it did, in order. */
import { createHmac } from 'node:crypto';
import { type Ip, ip } from '../../src/core/ip.js';
import type { OpenAlarm, OpenPacketSocket, Timer } from '../../src/core/ports.js';
import { millis } from '../../src/core/units.js';
import { advertOf } from '../../src/vrrp/advert.js';
import { VrrpEngine } from '../../src/vrrp/engine.js';
import type { InstanceConfig } from '../../src/vrrp/model.js';
import type { FromVrrp, VrrpNotice } from '../../src/vrrp/protocol.js';
import type { RouterConfig, RouterStatus, VrrpDigest } from '../../src/vrrp/status.js';
import { readArp } from '../../src/wire/arp.js';
import { readIpv4, writeIpv4 } from '../../src/wire/ipv4.js';
import { readVrrp, writeVrrp } from '../../src/wire/vrrp.js';
import { FakePacketSocket } from '../fakes/packet-socket.js';
import { FakeTime, turn } from '../fakes/time.js';
import { config, ms, rule } from './build.js';
import { Network } from './network.js';

const AF_INET = 2;
const AF_PACKET = 17;
const NOTHING = new Uint8Array(0);

/** A virtual router on eth0 with id 20 and the virtual IP 10.0.0.100. */
export function router(
  changes: Partial<InstanceConfig> = {},
  more: Partial<RouterConfig> = {},
): RouterConfig {
  const instance = config({ addresses: [ip('10.0.0.100')], ...changes });
  return {
    instance,
    addresses: instance.addresses.map((address) => ({
      kind: 'address',
      device: instance.interface,
      address,
      prefix: 24,
      broadcast: undefined,
      label: undefined,
      scope: 0,
      noDad: false,
      deprecated: false,
    })),
    routes: [],
    rules: [],
    virtualLink: undefined,
    keys: new Map(),
    group: undefined,
    tracks: [],
    debounce: { down: ms(0), up: ms(0) },
    ...more,
  };
}

/** An advert as it comes from the wire, of another director with the configuration of `of`. */
export function packetOf(of: InstanceConfig, priority: number, source: Ip = ip('10.0.0.3')): Uint8Array {
  const destination = ip('224.0.0.18');
  const payload = writeVrrp(advertOf(of, priority), { source, destination, hops: 255 }, 'pseudo-header');
  const header = { tos: 0xc0, id: 0, fragment: 0, ttl: 255, protocol: 112, source, destination };
  return writeIpv4(header, payload);
}

/** A socket that writes down what is sent, in the words of the log. */
export class LoggedSocket extends FakePacketSocket {
  constructor(readonly log: (bytes: Uint8Array) => void) {
    super();
  }

  override send(bytes: Uint8Array, to: Uint8Array, control?: Uint8Array): number {
    this.log(bytes);
    this.sent.length = 0;
    return super.send(bytes, to, control);
  }
}

function advertWord(bytes: Uint8Array): string {
  const { payload, ...envelope } = readIpv4(bytes);
  const read = readVrrp(payload, { ...envelope, hops: envelope.ttl });
  if (read.kind !== 'message') return read.kind;
  return `advert ${read.message.vrid} ${read.message.priority}`;
}

export class Director {
  readonly time = new FakeTime();
  readonly network: Network;
  readonly engine: VrrpEngine;
  /** `3610 advert 20 100`, `3610 add 10.0.0.100`, `3610 arp 10.0.0.100`, `3610 backup>master master-silent` ... */
  readonly log: string[] = [];
  readonly notices: VrrpNotice[] = [];
  readonly digests: VrrpDigest[] = [];
  /** Sockets of adverts, in the order in which they were opened. */
  readonly sockets: FakePacketSocket[] = [];
  /** Where announcements go out. */
  frames: FakePacketSocket | undefined;
  /** The socket that hears others' ARP. */
  arp: FakePacketSocket | undefined;
  /** What `socket` answers instead of that one. */
  arpRefusal: number | undefined;
  /** Whether the log has `probe 10.0.0.100`, the questions who else has a virtual IP. */
  showsProbes = false;
  /** What `socket` answers instead, for one family of sockets. */
  refusal: readonly [domain: number, result: number] | undefined;
  /** The next socket of adverts that is opened, where it is a special one. */
  next: ((log: LoggedSocket['log']) => LoggedSocket) | undefined;
  /** Milliseconds that every packet takes to send. */
  cost = 0;
  /** How often the alarm was set. */
  alarms = 0;

  constructor(network = new Network()) {
    this.network = network;
    network.onApply = (change) => this.#write(change);
    this.engine = new VrrpEngine({
      clock: this.time,
      timers: this.time,
      client: network.client(this.time),
      openSocket: this.#openSocket,
      openAlarm: this.#openAlarm,
      hmacOf: (keys) => (id, data) => {
        const key = keys.get(id);
        return key === undefined ? undefined : createHmac('sha256', key).update(data).digest();
      },
      forwards: () => false,
      prepareForVips: () => [],
      sysctls: network.fake.sysctls,
      tell: (message) => this.#onMessage(message),
    });
  }

  #onFrame(bytes: Uint8Array): void {
    const { senderIp, targetIp } = readArp(bytes);
    const isProbe = senderIp === '0.0.0.0';
    if (!isProbe || this.showsProbes) this.#send(`${isProbe ? 'probe' : 'arp'} ${targetIp}`);
  }

  /** Writes down what is sent, and lets the time go by that this takes. */
  #send(what: string): void {
    this.#write(what);
    this.time.stall(this.cost);
  }

  #write(what: string): void {
    this.log.push(`${Math.round(this.time.monotonic())} ${what}`);
  }

  readonly #openSocket: OpenPacketSocket = (domain, _type, protocol) => {
    if (protocol !== 0 && domain === AF_PACKET) {
      this.arp = new FakePacketSocket();
      return this.arpRefusal ?? this.arp;
    }
    if (this.refusal?.[0] === domain) return this.refusal[1];
    if (domain === AF_PACKET) {
      this.frames = new LoggedSocket((bytes) => this.#onFrame(bytes));
      return this.frames;
    }
    const make = this.next ?? ((log) => new LoggedSocket(log));
    this.next = undefined;
    const socket = make((bytes) => this.#send(advertWord(bytes)));
    if (domain === AF_INET) this.sockets.push(socket);
    return socket;
  };

  readonly #openAlarm: OpenAlarm = (ring) => {
    let timer: Timer | undefined;
    return {
      set: (deadline) => {
        this.alarms += 1;
        timer?.cancel();
        if (deadline === undefined) return;
        timer = this.time.after(millis(Math.max(0, deadline - this.time.monotonic())), ring);
      },
      close: () => timer?.cancel(),
    };
  };

  #onMessage(message: FromVrrp): void {
    if (message.kind === 'digest') this.digests.push(message.digest);
    else if (message.kind === 'notice') this.notices.push(message.notice);
    else {
      const { instance, from, to, cause } = message.change;
      this.#write(`${instance} ${from}>${to} ${cause}`);
    }
  }

  async start(...routers: readonly RouterConfig[]): Promise<void> {
    await this.engine.configure(routers);
    await this.settle();
  }

  /** Time goes by; afterwards the log holds what was done meanwhile and nothing else. */
  async pass(by: number): Promise<readonly string[]> {
    this.log.length = 0;
    await this.time.advance(by);
    return this.settle();
  }

  /** Lets everything settle, without time. */
  async settle(): Promise<readonly string[]> {
    for (let turns = 0; turns < 8; turns += 1) await turn();
    return [...this.log];
  }

  /** A packet comes on the socket that was opened as number `at`. */
  async hear(packet: Uint8Array, at = 0): Promise<readonly string[]> {
    this.log.length = 0;
    this.lay(packet, at);
    this.sockets[at]?.listener?.();
    return this.settle();
  }

  /** A packet comes while nobody listens. */
  lay(packet: Uint8Array, at = 0): void {
    this.sockets[at]?.incoming.push({ bytes: packet, from: NOTHING, control: NOTHING });
  }

  get digest(): VrrpDigest | undefined {
    return this.digests.at(-1);
  }

  /** What the engine says of an instance, at most a second old. */
  status(name = 'outside'): RouterStatus | undefined {
    return this.digest?.routers.find((each) => each.name === name);
  }

  /** The words of the notices, and none of them any more. */
  said(): readonly string[] {
    return this.notices.splice(0).map(({ what, message }) => `${what}: ${message}`);
  }
}

/** A director that is master of `router(...)`, at second 4 or so. */
export async function master(of: RouterConfig = router(), network = new Network()): Promise<Director> {
  const director = new Director(network);
  await director.start(of);
  await director.pass(4000);
  return director;
}

/** A rule that differs from the plain one. */
export function ruled(changes: Parameters<typeof rule>[0]): Partial<InstanceConfig> {
  return { rule: rule(changes) };
}
