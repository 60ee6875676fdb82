/** What a service says between the health of its servers and the table: quorum, fallback, admission. */
import { assert } from '../core/assert.js';
import { parseDuration } from '../core/units.js';
import type { AdmitRule, QuorumRule } from '../policy/model.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from './model.js';
import type { RawServer, RawService } from './schema.js';
import { completeFallback, type ServiceFacts } from './server.js';

type Item = Cursor<string | RawServer>;

/** Held against what all servers have together: a quorum that can never be met is a mistake. */
export function quorumOf(
  context: Context,
  at: Cursor<RawService>,
  servers: Checked<readonly ServerConfig[]>,
): Checked<QuorumRule> {
  const given = member(at, 'quorum');
  if (given === undefined) return { weight: 1, hysteresis: 0 };
  if (given === FAULTY) return FAULTY;
  const weight = read(given, 'weight', 1);
  const hysteresis = read(given, 'hysteresis', 0);
  if (weight === FAULTY || hysteresis === FAULTY || servers === FAULTY) return FAULTY;
  const total = servers.reduce((sum, server) => sum + server.dest.settings.weight, 0);
  const most = weight + hysteresis;
  if (most > total) {
    const asked = hysteresis === 0 ? `${weight}` : `${weight} and a hysteresis of ${hysteresis}`;
    return report(
      context,
      given,
      `a weight of ${asked} can never be met: all servers have ${total} together`,
    );
  }
  if (hysteresis < weight) return { weight, hysteresis };
  return report(context, given, `a hysteresis of ${hysteresis} is not below the weight ${weight}`);
}

/** `admit`; undefined where a server that comes back has its whole weight at once. */
export function admitOf(at: Cursor<RawService>): Checked<AdmitRule | undefined> {
  const given = member(at, 'admit');
  if (given === undefined || given === FAULTY) return given;
  const canary = read(given, 'canary', 1);
  const written = read(given, 'ramp', '60s');
  const curve = read(given, 'curve', 'linear');
  if (canary === FAULTY || written === FAULTY || curve === FAULTY) return FAULTY;
  const ramp = parseDuration(written);
  assert(ramp !== undefined, 'the schema lets only durations through');
  return { canary, ramp, curve };
}

function tierOf(
  context: Context,
  at: Cursor<unknown>,
  facts: ServiceFacts,
): Checked<readonly FallbackServer[]> {
  const all = Array.isArray(at.value) ? items(at as Cursor<readonly (string | RawServer)[]>) : [at as Item];
  const tier: FallbackServer[] = [];
  for (const item of all) {
    const server = item === FAULTY ? FAULTY : completeFallback(context, item, facts);
    if (server !== FAULTY) tier.push(server);
  }
  return tier.length === all.length ? tier : FAULTY;
}

/** The tiers of `fallback`, in order; none where it is left out. */
export function fallbackOf(
  context: Context,
  at: Cursor<RawService>,
  facts: ServiceFacts,
): Checked<ServiceConfig['fallback']> {
  const given = member(at, 'fallback');
  if (given === undefined) return [];
  if (given === FAULTY) return FAULTY;
  const all = Array.isArray(given.value) ? items(given as Cursor<readonly unknown[]>) : [given];
  const tiers: (readonly FallbackServer[])[] = [];
  for (const item of all) {
    const tier = item === FAULTY ? FAULTY : tierOf(context, item, facts);
    if (tier !== FAULTY) tiers.push(tier);
  }
  return tiers.length === all.length ? tiers : FAULTY;
}
