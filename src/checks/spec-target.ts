import type { Ip } from '../core/ip.js';

/** Where a probe comes from; what is undefined is the kernel's choice. */
export interface Origin {
  /** An address of this machine, of the target's family. */
  readonly source: Ip | undefined;
  /** The interface that its packets leave and come by (SO_BINDTODEVICE). */
  readonly device: string | undefined;
  /** SO_MARK, 1 to 2^32 - 1. */
  readonly mark: number | undefined;
  /** A network namespace: its name among those of `ip netns`, or the path of its file. */
  readonly namespace: string | undefined;
  /** Why nothing can be sent from it: trouble of ours. */
  readonly blocked?: string;
}

/** Where a probe goes. */
export interface Target {
  readonly address: Ip;
  readonly port: number;
  /** Not there: the kernel's choice in everything. */
  readonly origin?: Origin;
}
