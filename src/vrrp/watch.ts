/** Keeps every instance's priority, source and faults as the network and the tracked objects are now. */
import { isDeepStrictEqual } from 'node:util';
import type { LinkSeen } from '../addresses/model.js';
import type { NetworkView } from '../addresses/view.js';
import { type Ip, ipFamily } from '../core/ip.js';
import type { Clock } from '../core/ports.js';
import type { Millis } from '../core/units.js';
import type { Instance } from './instance.js';
import { Links } from './links.js';
import type { Fault, InstanceConfig, Observation, VrrpEvent } from './model.js';
import type { Roster } from './roster.js';
import { linkFaults, sourceFaults, sourceOf } from './sight.js';
import type { VrrpSockets } from './sockets.js';
import type { RouterConfig } from './status.js';
import { OWNER } from './transitions.js';
import type { Place } from './transport.js';

export interface WatchOptions {
  readonly clock: Clock;
  readonly roster: Roster;
  readonly sockets: VrrpSockets;
  readonly view: NetworkView;
  readonly give: (instance: Instance, event: VrrpEvent) => void;
  /** Why the link of a virtual MAC cannot be used. */
  readonly linkTrouble: (name: string) => string | undefined;
  /** Called once for each interface that may get IPv4 addresses from us, before it does. */
  readonly prepareForVips: (device: string) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #links: Links;
  /** What main told last, for instances that come later. */
  readonly #observed = new Map<string, Observation>();
  #virtual: ReadonlySet<Ip> = new Set();
  readonly #sources = new Map<string, Ip | undefined>();
  /** Index of each interface that is prepared; another one has the settings of a new interface. */
  readonly #prepared = new Map<string, number>();

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#links = new Links(options.view);
  }

  /** When something changes that nobody tells of. */
  nextAt(): Millis | undefined {
    return this.#links.nextAt();
  }

  /** Links that have been as they are for long enough count as such. */
  settle(): void {
    for (const instance of this.#links.due(this.#options.clock.monotonic())) this.#refresh(instance);
  }

  /** Forgets an instance that leaves. */
  forget(instance: Instance): void {
    this.#links.forget(instance);
  }

  /** The virtual IPs of all instances: none of them is ever a source, but for their owner. */
  configure(routers: readonly RouterConfig[]): void {
    this.#sources.clear();
    this.#virtual = new Set(routers.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  }

  /** Tells a new instance what is known already. */
  introduce(instance: Instance): void {
    for (const [what, seen] of this.#observed) instance.observations.set(what, seen);
  }

  /** A tracked object that main watches, as `services web`. */
  observe(what: string, seen: Observation): void {
    this.#observed.set(what, seen);
    for (const instance of this.#options.roster.all()) {
      instance.observations.set(what, seen);
      if (instance.config.tracks.some(({ kind, name }) => `${kind} ${name}` === what))
        this.#refresh(instance);
    }
  }

  /** All its virtual IPs were refused. */
  refused(instance: Instance, why: string): void {
    instance.unable.begin(why, this.#options.clock.monotonic());
    this.#refresh(instance);
  }

  /** Lets those try again whose virtual IPs were refused and whom nobody stands in for. */
  retry(): void {
    const now = this.#options.clock.monotonic();
    for (const instance of this.#options.roster.all())
      if (instance.unable.retry(instance.config.instance.rule, instance.heard, now)) this.#refresh(instance);
  }

  /** Links or addresses changed: sockets first, then what it means for each instance. */
  look(): void {
    const { roster, sockets, view } = this.#options;
    this.#sources.clear();
    const places = new Map<string, Place>();
    for (const instance of roster.all()) {
      const { interface: device, family } = instance.config.instance;
      const key = `${family} ${device}`;
      const link = places.has(key) ? undefined : view.link(device);
      if (link !== undefined) places.set(key, { device, index: link.index, family });
      const above = this.#linkAbove(instance);
      instance.wire = above?.name ?? device;
      if (above !== undefined)
        places.set(`${family} ${above.name}`, {
          device: above.name,
          index: above.index,
          family,
          parent: device,
        });
    }
    sockets.set([...places.values()]);
    for (const instance of roster.all()) {
      this.#prepare(instance);
      this.#refresh(instance);
    }
  }

  /**
   * The link of the virtual MAC while it is up, which a master's is. It is private: what another router sends with the
   * same address is heard there alone, and while it is down on the interface. Packets for this director's own address
   * go through the interface always.
   */
  #linkAbove({ config }: Instance): LinkSeen | undefined {
    const { virtualLink, instance } = config;
    if (virtualLink === undefined || instance.cast.kind === 'unicast') return undefined;
    const link = this.#options.view.link(virtualLink.name);
    return link?.usable === true && link.mac === virtualLink.mac ? link : undefined;
  }

  #prepare(instance: Instance): void {
    const { view, prepareForVips } = this.#options;
    for (const object of instance.config.addresses) {
      if (object.kind !== 'address' || ipFamily(object.address) !== 'ipv4') continue;
      const { device } = object;
      const link = view.link(device);
      if (link === undefined || this.#prepared.get(device) === link.index) continue;
      this.#prepared.set(device, link.index);
      prepareForVips(device);
    }
  }

  #faults(instance: Instance, tracked: readonly Fault[]): readonly Fault[] {
    const { view, sockets, clock } = this.#options;
    const { instance: config } = instance.config;
    const { virtualLink } = instance.config;
    const trouble = sockets.trouble(instance.wire, config.family);
    const refused = virtualLink === undefined ? undefined : this.#options.linkTrouble(virtualLink.name);
    const above: readonly Fault[] =
      refused === undefined ? [] : [{ kind: 'addresses', name: `${virtualLink?.name}: ${refused}` }];
    const shut: readonly Fault[] = trouble === undefined ? [] : [{ kind: 'sockets', name: trouble.text }];
    const isUp = this.#links.isUp(instance, config.interface, clock.monotonic());
    const { why } = instance.unable;
    const without: readonly Fault[] = why === undefined ? [] : [{ kind: 'addresses', name: why }];
    return [...linkFaults(view, config, isUp), ...shut, ...without, ...above, ...tracked];
  }

  /** Instances of one interface have one source: it is looked for once in a look. */
  #sourceOf(config: InstanceConfig): Ip | undefined {
    const { cast, family, interface: device, priority } = config;
    const key = `${device} ${family} ${cast.source ?? ''} ${priority === OWNER}`;
    if (!this.#sources.has(key)) this.#sources.set(key, sourceOf(this.#options.view, config, this.#virtual));
    return this.#sources.get(key);
  }

  /** Gives the instance what is new about its priority, its source and its faults. */
  #refresh(instance: Instance): void {
    const { view, give, clock } = this.#options;
    const { instance: config, tracks } = instance.config;
    for (const track of tracks) {
      if (track.kind !== 'interface') continue;
      const up = this.#links.isUp(instance, track.name, clock.monotonic());
      instance.observations.set(`interface ${track.name}`, { kind: up ? 'up' : 'down' });
    }
    const { effective, faults: tracked } = instance.priority();
    const source = this.#sourceOf(config);
    const faults = [...this.#faults(instance, tracked), ...sourceFaults(view, config, source)];
    const { standing } = instance.state;
    const own = standing.faults.filter(({ kind }) => kind !== 'group');
    // A fault first, so that a resignation still goes out from the old source.
    if (!isDeepStrictEqual(own, faults)) give(instance, { kind: 'faults', faults });
    if (standing.source !== source) give(instance, { kind: 'source', source });
    if (standing.priority !== effective) give(instance, { kind: 'priority', priority: effective });
  }
}
