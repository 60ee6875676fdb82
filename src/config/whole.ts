/** The rules over whole files: from their text to a complete configuration, or to all that is wrong with it. */
import type { AlertRule } from '../alerts/model.js';
import type { ProbeBudget } from '../checks/model.js';
import { finish, type Steps } from '../core/steps.js';
import { type Millis, parseDuration } from '../core/units.js';
import type { SyncRule, Timeouts } from '../ipvs/model.js';
import type { OwnershipRules } from '../ipvs/ownership.js';
import type { MaintenanceWindow } from '../maintenance/model.js';
import type { NameRule } from '../names/model.js';
import type { MassFailureRule } from '../policy/model.js';
import type { Watched } from '../tracks/model.js';
import type { RouterConfig } from '../vrrp/status.js';
import { completeAlert } from './alert.js';
import { completeApi } from './api.js';
import type { Defaults } from './check.js';
import { onlyCheck } from './check-set.js';
import {
  type Checked,
  type ConfigDeps,
  type Context,
  type Cursor,
  entries,
  FAULTY,
  member,
  read,
  reportKey,
  rootCursor,
} from './cursor.js';
import { finishFaults, placeText, type RawFault, type Source, WHOLE_FILE } from './faults.js';
import { hookPlan } from './hooks.js';
import { Candidates, completeWindow } from './maintenance.js';
import { completeMassFailure } from './mass-failure.js';
import type { Config, ConfigResult, ServiceConfig } from './model.js';
import { completeResolve, NAME_RULE } from './names.js';
import { ownershipRules } from './ownership.js';
import { completePathMarks } from './path-marks.js';
import { completeProbeBudget } from './probe-budget.js';
import type { RawAlert, RawConfig, RawService } from './schema.js';
import type { RawWindow } from './schema-maintenance.js';
import type { RawSync } from './schema-sync.js';
import type { RawTrackedObject } from './schema-tracks.js';
import type { RawRouter } from './schema-vrrp.js';
import { completeService } from './service.js';
import { addSizes, NO_SIZES, tooMany } from './sizes.js';
import { completeState } from './state.js';
import { completeSync, type SyncSurroundings } from './sync.js';
import { completeTimeouts } from './timeouts.js';
import { completeTrack, type TrackDefinition, type TrackDefinitions } from './tracks.js';
import { validate } from './validate.js';
import { checkRouters, completeRouter } from './vrrp.js';
import type { Trackable } from './vrrp-track.js';
import { readYaml } from './yaml.js';

/** A file as a mapping that the schema found no fault in, or only faults deeper inside. */
export type Root = Cursor<RawConfig>;

/** The root of a file as far as it can be used; its faults are reported. */
function openSource(context: Context, source: Source): Root | undefined {
  if (source.problem !== undefined) {
    context.faults.push({ source, offset: WHOLE_FILE, message: source.problem });
    return undefined;
  }
  const { root, faults } = readYaml(source);
  for (const fault of faults) context.faults.push(fault);
  if (root === undefined) return undefined;
  for (const fault of validate(source, root)) context.faults.push(fault);
  return root.faulty ? undefined : rootCursor<RawConfig>(source, root);
}

/** The one member of all files; a second one is a fault that names both places. */
function only<K extends keyof RawConfig & string>(context: Context, roots: readonly Root[], key: K) {
  let first: Cursor<NonNullable<RawConfig[K]>> | undefined;
  let faulty = false;
  for (const root of roots) {
    const found = member(root, key);
    if (found === FAULTY) faulty = true;
    if (found === undefined || found === FAULTY) continue;
    if (first === undefined) first = found;
    else reportKey(context, found, `set already in ${placeText(found.source, first.source, first.keyStart)}`);
  }
  return faulty ? FAULTY : first;
}

/** The named entries of all files under one key; a name that stands twice is a fault that names both places. */
function merged<T>(
  context: Context,
  maps: readonly Cursor<Readonly<Record<string, T>>>[],
): ReadonlyMap<string, Cursor<T>> {
  const all = new Map<string, Cursor<T>>();
  for (const map of maps) {
    for (const [name, at] of entries(map)) {
      const first = all.get(name);
      if (first === undefined) all.set(name, at);
      else reportKey(context, at, `set already in ${placeText(at.source, first.source, first.keyStart)}`);
    }
  }
  return all;
}

function maps<T>(found: readonly (Checked<Cursor<T>> | undefined)[]): readonly Cursor<T>[] {
  return found.filter((each): each is Cursor<T> => each !== undefined && each !== FAULTY);
}

function services(
  context: Context,
  roots: readonly Root[],
  defaults: Checked<Defaults>,
): readonly ServiceConfig[] {
  const found = roots.map((root) => member(root, 'services'));
  const given = maps<Readonly<Record<string, RawService>>>(found);
  const complete: ServiceConfig[] = [];
  const sizes = { ...NO_SIZES };
  for (const [name, at] of merged(context, given)) {
    const service = completeService(context, name, at, defaults);
    if (service === FAULTY) continue;
    complete.push(service);
    const before = tooMany(sizes);
    addSizes(sizes, service);
    const now = tooMany(sizes);
    if (before === undefined && now !== undefined)
      reportKey(context, at, `with this service there are more than ${now}`);
  }
  return complete;
}

function alerts(context: Context, roots: readonly Root[]): readonly AlertRule[] {
  const given = maps<Readonly<Record<string, RawAlert>>>(roots.map((root) => member(root, 'alerts')));
  const rules: AlertRule[] = [];
  for (const [name, at] of merged(context, given)) {
    const rule = completeAlert(context, name, at);
    if (rule !== FAULTY) rules.push(rule);
  }
  return rules;
}

function maintenanceWindows(
  context: Context,
  roots: readonly Root[],
  known: readonly ServiceConfig[],
): readonly MaintenanceWindow[] {
  const given = maps<Readonly<Record<string, RawWindow>>>(roots.map((root) => member(root, 'maintenance')));
  if (given.length === 0) return [];
  const candidates = new Candidates(known, context.faults.length === 0);
  const windows: MaintenanceWindow[] = [];
  for (const [name, at] of merged(context, given)) {
    const window = completeWindow(context, name, at, candidates);
    if (window !== FAULTY) windows.push(window);
  }
  return windows;
}

function trackDefinitions(context: Context, roots: readonly Root[]): TrackDefinitions {
  const given = maps<Readonly<Record<string, RawTrackedObject>>>(roots.map((root) => member(root, 'tracks')));
  const definitions = new Map<string, Checked<TrackDefinition>>();
  // An entry with a fault is there all the same.
  for (const { node } of given) for (const name of node.fields?.keys() ?? []) definitions.set(name, FAULTY);
  for (const [name, at] of merged(context, given)) definitions.set(name, completeTrack(context, name, at));
  return definitions;
}

/** What some virtual router tracks; the rest of the definitions is nobody's. */
function watchedOf(definitions: TrackDefinitions, routers: readonly RouterConfig[]): readonly Watched[] {
  const used = new Set(routers.flatMap(({ tracks }) => tracks.map(({ kind, name }) => `${kind} ${name}`)));
  const found: Watched[] = [];
  for (const definition of definitions.values()) {
    if (definition === FAULTY || definition.watched === undefined) continue;
    const { watched } = definition;
    if (used.has(`${watched.kind} ${watched.name}`)) found.push(watched);
  }
  return found;
}

type RouterEntries = ReadonlyMap<string, Cursor<RawRouter>>;

function routerEntries(context: Context, roots: readonly Root[]): RouterEntries {
  const found = roots.map((root) => member(root, 'vrrp'));
  return merged(context, maps<Readonly<Record<string, RawRouter>>>(found));
}

function routers(context: Context, given: RouterEntries, trackable: Trackable): readonly RouterConfig[] {
  const complete = new Map<string, { at: Cursor<RawRouter>; router: RouterConfig }>();
  for (const [name, at] of given) {
    const router = completeRouter(context, name, at, trackable);
    if (router !== FAULTY) complete.set(name, { at, router });
  }
  checkRouters(context, complete);
  return [...complete.values()].map(({ router }) => router);
}

function massFailure(context: Context, roots: readonly Root[]): MassFailureRule | undefined {
  const at = only(context, roots, 'mass-failure');
  const rule = at === undefined || at === FAULTY ? undefined : completeMassFailure(context, at);
  return rule === FAULTY ? undefined : rule;
}

function probeBudget(context: Context, roots: readonly Root[]): ProbeBudget | undefined {
  const at = only(context, roots, 'probe-budget');
  return at === undefined || at === FAULTY ? undefined : completeProbeBudget(at);
}

type SyncAt = Checked<Cursor<RawSync>> | undefined;

function sync(
  context: Context,
  at: SyncAt,
  roots: readonly Root[],
  beside: Omit<SyncSurroundings, 'routerNames'>,
): SyncRule | undefined {
  if (at === undefined || at === FAULTY) return undefined;
  const names = roots.flatMap((root) => [...(root.node.fields?.get('vrrp')?.node.fields?.keys() ?? [])]);
  const rule = completeSync(context, at, { ...beside, routerNames: new Set(names) });
  return rule === FAULTY ? undefined : rule;
}

/** Where connections are synchronised; empty where that is faulty, and undefined where they are not. */
function syncInterface(at: SyncAt): string | undefined {
  if (at === undefined) return undefined;
  const device = at === FAULTY ? FAULTY : read(at, 'interface', '');
  return device === FAULTY ? '' : device;
}

function timeouts(context: Context, roots: readonly Root[]): Partial<Timeouts> {
  const at = only(context, roots, 'timeouts');
  const stated = at === undefined || at === FAULTY ? at : completeTimeouts(context, at);
  return stated === undefined || stated === FAULTY ? {} : stated;
}

function nameRule(context: Context, roots: readonly Root[]): NameRule {
  const at = only(context, roots, 'resolve');
  const rule = at === undefined || at === FAULTY ? NAME_RULE : completeResolve(context, at);
  return rule === FAULTY ? NAME_RULE : rule;
}

function ownership(
  context: Context,
  roots: readonly Root[],
  known: readonly ServiceConfig[],
): OwnershipRules {
  const isEmpty =
    known.length === 0 && roots.every((root) => (root.node.fields?.get('services')?.node.size ?? 1) <= 1);
  return ownershipRules(
    context,
    {
      drift: only(context, roots, 'drift'),
      onStop: only(context, roots, 'on-stop'),
      onRemove: only(context, roots, 'on-remove'),
      exclusive: only(context, roots, 'exclusive'),
      coldStart: only(context, roots, 'cold-start'),
    },
    isEmpty,
  );
}

/** `defaults`; its check is checked by itself so that its faults show even where no service uses it. */
export function defaultLayers(context: Context, roots: readonly Root[]): Checked<Defaults> {
  const defaults = only(context, roots, 'defaults');
  const check = defaults === undefined || defaults === FAULTY ? defaults : member(defaults, 'check');
  if (check === FAULTY) return FAULTY;
  const layers = check === undefined ? [] : [check];
  const at = defaults === FAULTY ? undefined : defaults;
  return { at, layers, set: onlyCheck(context, layers) };
}

function value<T>(found: Checked<Cursor<T>> | undefined, otherwise: T): T {
  return found === undefined || found === FAULTY ? otherwise : found.value;
}

const NO_SERVICES =
  'no `services`; a configuration that lost them must not empty the table, so say `services: {}` where there are none';

/** Reports where no file says anything of services. */
export function requireServices(context: Context, roots: readonly Root[]): void {
  const source = roots[0]?.source;
  if (source === undefined || roots.some((root) => root.node.fields?.has('services') === true)) return;
  context.faults.push({ source, offset: WHOLE_FILE, message: NO_SERVICES });
}

/**
 * All of a configuration but its services, in short steps.
 * @param known its services, complete.
 */
export function* complete(
  context: Context,
  roots: readonly Root[],
  known: readonly ServiceConfig[],
): Steps<Config> {
  const name = only(context, roots, 'name');
  const table = only(context, roots, 'table');
  const resync = only(context, roots, 'resync');
  const definitions = trackDefinitions(context, roots);
  const syncAt = only(context, roots, 'sync');
  const given = routerEntries(context, roots);
  const vrrp = routers(context, given, {
    services: new Set(known.map(({ name }) => name)),
    definitions,
    sync: syncInterface(syncAt),
  });
  return {
    name: value(name, context.deps.hostName),
    table: value(table, 'kernel'),
    resync: parseDuration(value(resync, '10s')) as Millis,
    pathMarks: yield* completePathMarks(context, only(context, roots, 'path-marks'), {
      services: known,
      root: roots[0],
    }),
    ownership: ownership(context, roots, known),
    api: completeApi(context, only(context, roots, 'api')),
    services: known,
    resolve: nameRule(context, roots),
    massFailure: massFailure(context, roots),
    probeBudget: probeBudget(context, roots),
    alerts: alerts(context, roots),
    vrrp,
    sync: sync(context, syncAt, roots, { routers: vrrp, services: known }),
    timeouts: timeouts(context, roots),
    tracks: watchedOf(definitions, vrrp),
    hooks: hookPlan(context, only(context, roots, 'hooks'), given, vrrp),
    maintenance: maintenanceWindows(context, roots, known),
    state: completeState(context, only(context, roots, 'state')),
  };
}

/**
 * Parses a configuration file by file, each as a whole.
 * All faults are told at once, sorted by file and place. Never throws for what stands in a file.
 * @param deps what references to secrets and files are resolved with.
 */
export function parseWhole(sources: readonly Source[], deps: ConfigDeps): ConfigResult {
  const faults: RawFault[] = [];
  const context: Context = { deps, faults, services: new Map() };
  const opened = sources.map((source) => openSource(context, source));
  const roots = opened.filter((root) => root !== undefined);
  if (roots.length === sources.length) requireServices(context, roots);
  const known = services(context, roots, defaultLayers(context, roots));
  const config = finish(complete(context, roots, known));
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults: finishFaults(sources, faults) };
}
