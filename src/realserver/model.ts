/** What a real server needs for direct routing and tunnels, and what it has. Types only. */
import type { Ip } from '../core/ip.js';

/** A virtual IP on a real server: the device that has it, which never answers for it. */
export interface VipPlace {
  readonly address: Ip;
  readonly device: string;
  /** The device is the end of tunnels from the director; else packets come with the server's own MAC address. */
  readonly tunnel: boolean;
}

/** What is seen of this machine. Settings are those of `Sysctls`. */
export interface HostSeen {
  /** By name. */
  readonly links: ReadonlyMap<string, { readonly index: number; readonly up: boolean }>;
  readonly addresses: readonly HostAddress[];
  readonly setting: (path: string) => string | undefined;
}

export interface HostAddress {
  readonly device: string;
  readonly address: Ip;
  readonly prefix: number;
}

/** IFLA_INFO_KIND of the devices that take packets of any director out of tunnels: tunl0, ip6tnl0. */
export type TunnelKind = 'ipip' | 'ip6tnl';

/** One change of this machine. */
export type Step =
  | { readonly kind: 'setting'; readonly path: string; readonly value: string }
  /** Has the kernel make the device, for which it loads the module. */
  | { readonly kind: 'create'; readonly device: string; readonly tunnel: TunnelKind }
  | { readonly kind: 'link'; readonly device: string; readonly up: boolean; readonly isTunnel: boolean }
  | { readonly kind: 'add' | 'remove'; readonly vip: VipPlace };

/** One thing that a real server needs. */
export interface Point {
  /** What it is about: `arp-ignore all`, `address 192.0.2.1`. */
  readonly id: string;
  readonly ok: boolean;
  /** What is, and where it is wrong what it means. */
  readonly text: string;
  /** The shell line that puts it right; undefined where it is, or where no line can. */
  readonly fix: string | undefined;
  /** What `up` does about it; undefined where it is right, or not for us to change. */
  readonly step: Step | undefined;
}

/** A setting that was changed. */
export interface ChangedSetting {
  readonly path: string;
  readonly before: string;
  readonly set: string;
}

/** What `up` did, for `down`. */
export interface Remembered {
  readonly vips: readonly VipPlace[];
  readonly settings: readonly ChangedSetting[];
  /** Devices of tunnels that were down, or not there. */
  readonly raised: readonly string[];
}
