/** Completes the safety rails of a service: its own, over those of `defaults`. */
import type { MinimumHealthy, RailsRule } from '../policy/model.js';
import type { Defaults } from './check.js';
import { type Checked, type Context, type Cursor, FAULTY, member, report } from './cursor.js';
import type { ServerConfig } from './model.js';
import type { RawDefaults, RawService } from './schema.js';

type RailsAt = Cursor<Pick<RawDefaults, 'minimum-healthy' | 'maximum-removals'>>;

function minimumOf(value: number | string): MinimumHealthy | undefined {
  if (value === 0) return undefined;
  if (typeof value === 'number') return { kind: 'count', count: value };
  return { kind: 'share', percent: Number(value.slice(0, -1)) };
}

function minimum(
  context: Context,
  at: RailsAt,
  defaults: RailsAt | undefined,
  servers: Checked<readonly ServerConfig[]>,
): Checked<RailsRule['minimum']> {
  const own = member(at, 'minimum-healthy');
  const given = own ?? (defaults && member(defaults, 'minimum-healthy'));
  if (given === FAULTY || servers === FAULTY) return FAULTY;
  if (given === undefined) return undefined;
  const { value } = given;
  const serving = servers.filter((server) => server.dest.settings.weight > 0).length;
  if (typeof value === 'string' || value <= serving) return minimumOf(value);
  // What holds for all holds for small services as far as they go.
  if (own === undefined) return minimumOf(serving);
  return report(context, given, `${value} can never be met: servers of weight above 0: ${serving}`);
}

function maximum(at: RailsAt, defaults: RailsAt | undefined): Checked<number | undefined> {
  const given = member(at, 'maximum-removals') ?? (defaults && member(defaults, 'maximum-removals'));
  if (given === undefined || given === FAULTY) return given;
  return given.value === 'none' ? undefined : given.value;
}

/** The rails of one service. */
export function railsOf(
  context: Context,
  at: Cursor<RawService>,
  defaults: Checked<Defaults>,
  servers: Checked<readonly ServerConfig[]>,
): Checked<RailsRule> {
  const outer = defaults === FAULTY ? undefined : defaults.at;
  const least = minimum(context, at, outer, servers);
  const maximumRemovals = maximum(at, outer);
  return least === FAULTY || maximumRemovals === FAULTY ? FAULTY : { minimum: least, maximumRemovals };
}
