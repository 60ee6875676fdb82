/** Servers by the name, address, or address and port that somebody asks for. */
import type { Config } from '../config/model.js';
import { suggestion } from '../config/suggest.js';
import { parseIp } from '../core/ip.js';
import { destText } from '../ipvs/keys.js';
import type { Place } from '../policy/news.js';

function places({ services }: Config): readonly Place[] {
  return services.flatMap((service) =>
    [...service.servers, ...service.fallback.flat()].map((server) => ({ service, server })),
  );
}

export type Found =
  | { readonly ok: true; readonly places: readonly Place[] }
  | { readonly ok: false; readonly problem: string };

/**
 * All servers that a text stands for: by name, address, or `address:port`, in one service or in all.
 * @param service only in this one
 */
export function findServers(config: Config, text: string, service: string | undefined): Found {
  const names = config.services.map(({ name }) => name);
  if (service !== undefined && !names.includes(service))
    return { ok: false, problem: `there is no service "${service}"${suggestion(service, names)}` };
  const asked = parseIp(text.replace(/^\[|\]$/g, '')) ?? text;
  const all = places(config).filter((place) => service === undefined || place.service.name === service);
  const found = all.filter(({ server }) => {
    const { key } = server.dest;
    return server.name === text || key.address === asked || destText(key) === text;
  });
  if (found.length > 0) return { ok: true, places: found };
  const known = all.flatMap(({ server }) => [server.name, server.dest.key.address]);
  const where = service === undefined ? '' : ` in ${service}`;
  return {
    ok: false,
    problem: `there is no server "${text}"${where}${suggestion(text, [...new Set(known)])}`,
  };
}
