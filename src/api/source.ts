/** What the API knows of the daemon: it reads snapshots, and never reaches past the controller. */
import type { Clock, Logger } from '../core/ports.js';
import type { World } from '../world.js';

export interface ApiSource {
  world(): World;
  readonly clock: Clock;
  /** Where given, defects of the API are logged. */
  readonly log?: Logger;
}
