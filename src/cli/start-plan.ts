/** What a start with a configuration would change in a table, before any probe. */
import type { Config } from '../config/model.js';
import { LvsError } from '../core/errors.js';
import { CHANGE_KINDS, type ChangeKind } from '../ipvs/allow.js';
import { diffTable } from '../ipvs/diff.js';
import { findForeign } from '../ipvs/foreign.js';
import type { ObservedTable } from '../ipvs/model.js';
import type { Foreign } from '../ipvs/ownership.js';
import type { Desired, DesiredServer, Plan } from '../ipvs/plan.js';
import { configAtStart } from '../names/effective.js';
import { nameFilePath } from '../names.js';
import { computeDesired } from '../policy/desired.js';
import { type RememberedNames, readNames } from '../store/name-file.js';
import type { Given } from './context.js';

/** What a start finds. */
export interface Found {
  readonly table: ObservedTable;
  /** The last good answers for names of servers. */
  readonly remembered: RememberedNames;
}

/** What the last run of the daemon kept of the names of a configuration. */
export async function rememberedNames(config: Config): Promise<RememberedNames> {
  const path = nameFilePath(config);
  return path === undefined ? new Map() : (await readNames(path)).names;
}

export interface StartPlan {
  readonly plan: Plan;
  /** What is not ours, whether it stays or goes. */
  readonly foreign: Foreign;
}

/** Servers without a verdict, as their checks assume them to be. */
function assumed(desired: Desired): Desired {
  const settled = (server: DesiredServer): DesiredServer => {
    const { want } = server;
    return want.kind === 'hold' ? { ...server, want: { kind: want.otherwise, dest: want.dest } } : server;
  };
  return new Map(
    [...desired].map(([text, service]) => {
      const servers = [...service.servers].map(([dest, server]) => [dest, settled(server)] as const);
      return [text, { ...service, servers: new Map(servers) }];
    }),
  );
}

/**
 * No verdicts: what health has done to the table stays, as it does at a start.
 * @param assume servers are what their checks assume instead: nobody waits for verdicts
 */
export function startPlan(config: Config, { table, remembered }: Found, assume: boolean): StartPlan {
  const effective = configAtStart(config, remembered, table);
  const held = computeDesired(effective, new Map());
  const desired = assume ? assumed(held) : held;
  const foreign = findForeign(desired, new Map(), table);
  const plan = diffTable(desired, table, config.ownership.exclusive ? { condemned: foreign } : {});
  return { plan, foreign };
}

const KINDS = Object.keys(CHANGE_KINDS) as readonly ChangeKind[];

/** The kinds of change that `--allow` names; all of them without it. @throws USAGE */
export function allowedKinds(given: Given): ReadonlySet<ChangeKind> {
  const text = given.text('allow');
  if (text === undefined) return new Set(KINDS);
  const kinds = text.split(',').map((word) => {
    const kind = KINDS.find((each) => each === word);
    if (kind === undefined)
      throw new LvsError('USAGE', `--allow: "${word}" is not one of ${KINDS.join(', ')}`);
    return kind;
  });
  return new Set(kinds);
}
