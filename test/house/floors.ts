/** The floors of docs/architecture.md as one table. A file imports only from lower floors, or its own folder. */

/** First match wins; named files stand before their folder. */
const FLOORS: readonly (readonly [RegExp, number])[] = [
  [/^src\/core\//, 0],
  [/^src\/checks\/spec-[a-z]+\.ts$/, 1],
  [/^src\/([a-z]+\/model|world)\.ts$/, 1],
  [/^src\/(ipvs\/(keys|names|ownership|plan)|addresses\/names)\.ts$/, 1],
  [/^src\/vrrp\/(packet|status)\.ts$/, 1],
  [/^src\/wire\//, 2],
  [/^src\/checks\/(budget|checker|latency|pacer|reason|remark)\.ts$/, 3],
  [/^src\/ipvs\/(client|memory)\.ts$/, 5],
  [/^src\/ipvs\/(level-loop|level-state|reader|reconciler|path-table|sync-keeper|timeout-keeper)\.ts$/, 6],
  [/^src\/ipvs\//, 3],
  [/^src\/(vrrp\/(neighbours|transport)|addresses\/(client|links|ways|reconciler|virtual-links))\.ts$/, 5],
  [
    /^src\/vrrp\/(announcing|conflicts|effects|engine|hearing|instance|links|machines|roster|sight|sockets|thread|watch|worker)\.ts$/,
    6,
  ],
  [/^src\/(vrrp|addresses)\//, 3],
  [/^src\/(alerts\/policy\.ts$|policy\/)/, 3],
  [/^src\/maintenance\//, 3],
  [/^src\/names\/(effective|follow)\.ts$/, 3],
  [/^src\/names\/resolver\.ts$/, 5],
  [/^src\/names\/keeper\.ts$/, 6],
  [/^src\/schedule\.ts$/, 6],
  [/^src\/store\/(document|entries|verdicts|words)\.ts$/, 3],
  [/^src\/events\/(line|query|ring)\.ts$/, 3],
  [/^src\/events\/files\.ts$/, 5],
  [/^src\/events\//, 6],
  [/^src\/exec\/account\.ts$/, 3],
  [/^src\/config\/load\.ts$/, 5],
  [/^src\/config\//, 3],
  [/^src\/doctor\/facts\.ts$/, 6],
  [/^src\/doctor\//, 3],
  [/^src\/realserver\/keeper\.ts$/, 6],
  [/^src\/realserver\/memory-file\.ts$/, 5],
  [/^src\/realserver\//, 3],
  [/^src\/(netlink|files|exec)\//, 4],
  [/^src\/slices\.ts$/, 4],
  [/^src\/tracks\/(content|count|rise-fall)\.ts$/, 3],
  [/^src\/hooks\/notices\.ts$/, 3],
  [/^src\/(hooks|tracks)\//, 6],
  [/^src\/(checks|alerts)\/(runner|worker|pool|shared-pool|outbox|queue)\.ts$/, 6],
  [/^src\/(checks|alerts|store)\//, 5],
  [
    /^src\/(applied|controller|describe|drains|maintenance|names|paths|probing|roles|shared|plan-words|state|sync|table-journal|voice)\.ts$/,
    7,
  ],
  [/^src\/timeouts\.ts$/, 7],
  [/^src\/api\//, 8],
  [/^src\/cli\//, 9],
  [/^src\/(main|daemon|main-kernel|main-part)\.ts$/, 10],
];

/** Real clock, entropy and sockets. It implements core/ports.ts and may use clients; nobody but the entries uses it. */
export const SYS = /^src\/sys\//;

/** The files that put the parts together: programs and threads start here. */
export const ENTRIES = /^src\/(main|daemon|main-kernel|main-part|(checks|vrrp)\/worker)\.ts$/;

/** Floors up to this one are pure: no async, timers, I/O, clock or chance. */
export const PURE_MAX = 3;

export function floorOf(path: string): number | undefined {
  return FLOORS.find(([pattern]) => pattern.test(path))?.[1];
}

export function isPure(path: string): boolean {
  const floor = floorOf(path);
  return floor !== undefined && floor <= PURE_MAX;
}

/** Which files may import which package. A package that is not listed may not be imported at all. */
export const PACKAGES: Readonly<Record<string, RegExp>> = {
  'js-yaml': /^src\/config\//,
  typebox: /^src\/(config|api)\//,
  fastify: /^src\/api\//,
  'fast-json-stringify': /^src\/api\//,
  ioredis: /^src\/(store\/redis|checks\/(redis|libraries))\.ts$/,
  pg: /^src\/checks\/(postgres|libraries)\.ts$/,
  mysql2: /^src\/checks\/(mysql|libraries)\.ts$/,
  ldapts: /^src\/checks\/(ldap|libraries)\.ts$/,
  'node-cron': /^src\/schedule\.ts$/,
  undici: /^src\/(checks|alerts)\//,
  pino: /^src\/(sys\/|daemon\.ts|main\.ts)/,
  commander: /^src\/(cli\/|main\.ts)/,
};
