import type { Family } from '../core/ip.js';
import type { Dest } from '../ipvs/model.js';

/** The one real server that packets of a probe to a virtual IP are forwarded to, and how. */
export interface Through {
  /** Of the virtual IP. */
  readonly family: Family;
  /** Weight 1, without thresholds; port 0: that of the packet. */
  readonly dest: Dest;
}
