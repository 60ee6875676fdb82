/**
 * The large answers as JSON. A service whose standing, verdicts and table entries are the same objects as before is not
 * written again: with ten thousand servers, writing them all would hold up the main thread for tens of milliseconds.
 */
import type { ServiceConfig } from '../config/model.js';
import { serviceText } from '../ipvs/keys.js';
import type { ObservedService } from '../ipvs/model.js';
import { serverId } from '../policy/judge.js';
import type { ServerAdmin, ServiceStanding } from '../policy/model.js';
import type { ServerHealth, World } from '../world.js';
import { serviceStatus, worldStatus } from './status.js';

interface Written {
  /** In the order of the entries. */
  readonly seen: readonly (ObservedService | undefined)[];
  readonly standing: ServiceStanding | undefined;
  /** In the order of the servers; one without a check has none. */
  readonly health: readonly (ServerHealth | undefined)[];
  /** The same. */
  readonly admin: readonly (ServerAdmin | undefined)[];
  readonly text: string;
}

export class StatusTexts {
  readonly #written = new WeakMap<ServiceConfig, Written>();

  /** A list of ServiceStatus. */
  #services(world: World): string {
    return `[${world.config.services.map((service) => this.#service(service, world)).join(',')}]`;
  }

  #service(service: ServiceConfig, world: World): string {
    const seen = service.entries.map(({ key }) => world.observed?.get(serviceText(key)));
    const known = this.#written.get(service);
    const standing = world.standings.get(service.name);
    const ids = [...service.servers, ...service.fallback.flat()].map((server) => serverId(service, server));
    const health = ids.map((id) => world.health.get(id));
    const admin = ids.map((id) => world.admin.get(id));
    const isSame =
      known !== undefined &&
      seen.every((entry, index) => entry === known.seen[index]) &&
      known.standing === standing &&
      health.every((one, index) => one === known.health[index]) &&
      admin.every((one, index) => one === known.admin[index]);
    if (isSame) return known.text;
    const text = JSON.stringify(serviceStatus(service, world));
    this.#written.set(service, { seen, standing, health, admin, text });
    return text;
  }

  /** A Services. */
  services(world: World): string {
    return `{"services":${this.#services(world)}}`;
  }

  /** A Status. */
  status(world: World, version: string): string {
    const { workers, ...head } = worldStatus(world, version);
    return `${JSON.stringify(head).slice(0, -1)},"services":${this.#services(world)},"workers":${JSON.stringify(workers)}}`;
  }
}
