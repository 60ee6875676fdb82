import type { Ip } from '../core/ip.js';

/** Where a probe goes. */
export interface Target {
  readonly address: Ip;
  readonly port: number;
}
