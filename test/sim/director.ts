/** One director of the simulation: its instances, its clock, its kernel's addresses, its sockets. */
import { type Ip, ip } from '../../src/core/ip.js';
import { epochMillis, type Millis, millis } from '../../src/core/units.js';
import { judgeAdvert } from '../../src/vrrp/accept.js';
import { advertOf } from '../../src/vrrp/advert.js';
import { nextDeadline } from '../../src/vrrp/fsm.js';
import type { GroupMember } from '../../src/vrrp/group.js';
import type { InstanceConfig, InstanceRule, VrrpEvent, VrrpState } from '../../src/vrrp/model.js';
import type { Envelope, Received } from '../../src/vrrp/packet.js';
import { initialVrrp } from '../../src/vrrp/transitions.js';
import { passwordData, readVrrp, VRRP_GROUP, writeVrrp } from '../../src/wire/vrrp.js';
import { config } from '../vrrp/build.js';
import type { DirectorSpec, Scenario } from './scenario.js';

/** One advert on one link. */
export interface Packet {
  readonly link: number;
  readonly envelope: Envelope;
  readonly received: Received;
}

export interface Instance {
  readonly link: number;
  readonly config: InstanceConfig;
  state: VrrpState;
  /** Whether this director's kernel has the virtual IPs of the link. */
  addresses: boolean;
  /** The last advert of each priority. */
  readonly sent: Map<number, Packet>;
}

const PASSWORD = passwordData('s3cr3t');
const SOCKET_PACKETS = 256;

function ruleOf(spec: DirectorSpec, { version, links }: Scenario): InstanceRule {
  const { interval, preempt, preemptDelay, startupDelay, failbackDelay, waitReady } = spec;
  const rest = { preempt, preemptDelay, startupDelay, failbackDelay, waitReady };
  return { version, interval, downAdverts: 3, accept: true, grouped: links === 2, ...rest };
}

function configOf(spec: DirectorSpec, scenario: Scenario, link: number): InstanceConfig {
  return config({
    name: `link${link}`,
    vrid: 51 + link,
    priority: spec.priority,
    rule: ruleOf(spec, scenario),
    auth: scenario.version === 2 ? { kind: 'password', data: PASSWORD } : { kind: 'none' },
    addresses: [ip(`10.0.${link}.100`), ip(`10.0.${link}.101`)],
  });
}

export class Director {
  readonly instances: readonly Instance[];
  /** Off: killed or stopped. Its kernel lives on. */
  power: 'off' | 'on' | 'paused' = 'off';
  /** Awake, with this priority, since. */
  steadySince = 0;
  /** Counts starts, so that what was meant for an earlier life is not taken for a later one. */
  life = 0;
  priority: number;
  /** When the timer event that is under way will come. */
  wakeAt = Number.POSITIVE_INFINITY;
  /** What comes while it is paused. */
  readonly socket: Packet[] = [];
  readonly messages: VrrpEvent[] = [];
  readonly #rate: number;

  constructor(
    readonly index: number,
    readonly spec: DirectorSpec,
    scenario: Scenario,
  ) {
    this.priority = spec.priority;
    this.#rate = 1 + spec.drift / 1e6;
    this.instances = Array.from({ length: scenario.links }, (_, link) => {
      const standing = { priority: spec.priority, source: undefined, faults: [], ready: false };
      return {
        link,
        config: configOf(spec, scenario, link),
        state: initialVrrp(standing),
        addresses: false,
        sent: new Map(),
      };
    });
  }

  /** The address of this director on a link. */
  source(link: number): Ip {
    return ip(`10.0.${link}.${this.index + 1}`);
  }

  /** This director's own monotonic clock. */
  local(now: number): Millis {
    return millis(1e6 * (this.index + 1) + now * this.#rate);
  }

  /** When its clock will show `deadline`, seen from now. */
  until(deadline: Millis, now: number): number {
    return (deadline - this.local(now)) / this.#rate;
  }

  /** The earliest deadline of all instances; undefined: none waits. */
  deadline(): Millis | undefined {
    let least: Millis | undefined;
    for (const { state } of this.instances) {
      const deadline = nextDeadline(state);
      if (deadline !== undefined && (least === undefined || deadline < least)) least = deadline;
    }
    return least;
  }

  /** A new process on the same kernel. */
  reset(): void {
    this.life += 1;
    this.socket.length = 0;
    this.messages.length = 0;
    for (const instance of this.instances) {
      const source = this.source(instance.link);
      instance.state = initialVrrp({ priority: this.priority, source, faults: [], ready: false });
    }
  }

  members(): GroupMember[] {
    return this.instances.map(({ config: { name, rule }, state }) => ({ name, rule, state }));
  }

  /** The advert that an instance sends, through the codec and back. Equal adverts are equal bytes: made once. */
  advert(instance: Instance, priority: number): Packet {
    const source = instance.state.standing.source ?? this.source(instance.link);
    const known = instance.sent.get(priority);
    if (known?.envelope.source === source) return known;
    const message = advertOf(instance.config, priority);
    const envelope = { source, destination: VRRP_GROUP.ipv4, hops: 255 };
    const received = readVrrp(writeVrrp(message, envelope, 'pseudo-header'), envelope);
    const packet = { link: instance.link, envelope, received };
    instance.sent.set(priority, packet);
    return packet;
  }

  /** What a packet means to this director; undefined where it is discarded. */
  judge(packet: Packet): { instance: Instance; event: Extract<VrrpEvent, { kind: 'advert' }> } | undefined {
    const instance = this.instances[packet.link];
    if (instance === undefined) return undefined;
    const receiver = { config: instance.config, source: instance.state.standing.source, marks: [] };
    const judgement = judgeAdvert(receiver, packet, epochMillis(0), () => 'wrong');
    return judgement.kind === 'accepted' ? { instance, event: judgement.advert } : undefined;
  }

  /** While it is paused packets wait in the socket, as many as fit. */
  keep(packet: Packet): void {
    if (this.socket.length < SOCKET_PACKETS) this.socket.push(packet);
  }
}
