/** What `lvsentry doctor` looks at, and what it finds. Types only. */
import type { Ip } from '../core/ip.js';
import type { DestSettings } from '../ipvs/model.js';

/** `error`: it does not work. `warning`: it will hurt some day. `note`: worth knowing. */
export type Severity = 'ok' | 'note' | 'warning' | 'error';

export interface Finding {
  /** Of the rule. */
  readonly id: string;
  readonly severity: Severity;
  readonly seen: string;
  /** What it means for who runs a director; undefined where all is well. */
  readonly why: string | undefined;
  /** The line that puts it right; undefined where all is well, or where no line can. */
  readonly fix: string | undefined;
}

/** What the configuration, and without one the table, asks of this machine. */
export interface Wanted {
  /** From a configuration; else from the table as it stands. */
  readonly configured: boolean;
  readonly services: readonly WantedService[];
  readonly servers: readonly WantedServer[];
  readonly schedulers: readonly string[];
  readonly persistenceEngines: readonly string[];
  readonly routers: readonly WantedRouter[];
  /** Connections are synchronised with other directors. */
  readonly synchronised: boolean;
  readonly checks: number;
  /** Of them those by ping. */
  readonly pings: number;
  /** The target that is probed most, and how often a second; undefined without checks. */
  readonly busiest: { readonly target: string; readonly perSecond: number } | undefined;
}

export interface WantedService {
  readonly name: string;
  /** Undefined for firewall marks. */
  readonly address: Ip | undefined;
  readonly port: number | undefined;
  readonly persistent: boolean;
}

export interface WantedServer {
  readonly service: string;
  readonly address: Ip;
  readonly method: DestSettings['forward']['method'];
}

export interface WantedRouter {
  readonly name: string;
  readonly interface: string;
  readonly addresses: readonly Ip[];
}

export type ModuleState = 'loaded' | 'available' | 'absent';

export interface AddressFact {
  readonly address: Ip;
  readonly prefix: number;
  /** IPv6: without a preferred lifetime, so that it is no source where there is another one. */
  readonly deprecated: boolean;
}

export interface LinkFact {
  readonly name: string;
  readonly up: boolean;
  readonly addresses: readonly AddressFact[];
}

/** The IPVS of this kernel, or why it cannot be asked. */
export type TableFact =
  /** The configuration wants none of the kernel. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'unreadable'; readonly isAbsent: boolean; readonly problem: string }
  | {
      readonly kind: 'read';
      readonly version: string;
      readonly connectionTableSize: number;
      /** Active and inactive ones of all servers. */
      readonly connections: number;
      /** Services that the configuration does not name, in words. */
      readonly foreign: readonly string[];
    };

/** This machine, as far as the rules ask. */
export interface Facts {
  /** As `uname -r`. */
  readonly release: string;
  readonly wanted: Wanted;
  readonly table: TableFact;
  readonly modules: ReadonlyMap<string, ModuleState>;
  /** As `Sysctls.read`. */
  readonly setting: (path: string) => string | undefined;
  readonly links: readonly LinkFact[];
  /** Names of the programs that run in this network namespace, at most 15 characters each (/proc/PID/comm). */
  readonly programs: ReadonlySet<string>;
  /** Effective capabilities of this process, a bit each (linux/capability.h). */
  readonly capabilities: bigint;
  /** Files that a process started from here may have open. */
  readonly filesMax: number;
}
