/** Completes `tracks:`, and finds what virtual routers name of it. */
import { type Millis, millis, parseDuration, seconds } from '../core/units.js';
import type { Watched, WatchedProcess, WatchedScript } from '../tracks/model.js';
import type { Track, TrackWeight } from '../vrrp/model.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import { programOf } from './program.js';
import type { RawTrackedObject, RawTrackUse } from './schema-tracks.js';
import { suggestion } from './suggest.js';

type ObjectAt = Cursor<RawTrackedObject>;
type ScriptAt = Cursor<NonNullable<RawTrackedObject['script']>>;
type ProcessAt = Cursor<NonNullable<RawTrackedObject['process']>>;

/** One entry of `tracks:`. */
export interface TrackDefinition {
  /** With the weight that holds where a virtual router gives none. */
  readonly track: Track;
  /** What main has to watch for it; nothing for an interface, which the routers see themselves. */
  readonly watched: Watched | undefined;
}

/** All entries by their names, those too in which there is a fault. */
export type TrackDefinitions = ReadonlyMap<string, Checked<TrackDefinition>>;

function time(value: Checked<string>, otherwise: Millis): Checked<Millis> {
  return value === FAULTY ? FAULTY : (parseDuration(value) ?? otherwise);
}

function scriptOf(context: Context, name: string, at: ScriptAt): Checked<WatchedScript> {
  const words = member(at, 'program');
  const argv = words === undefined || words === FAULTY ? FAULTY : programOf(context, words);
  const interval = time(read(at, 'interval', '1s'), seconds(1));
  const given = member(at, 'timeout');
  const deadline = given === undefined ? interval : time(given === FAULTY ? FAULTY : given.value, seconds(1));
  const rise = read(at, 'rise', 1);
  const fall = read(at, 'fall', 1);
  const user = member(at, 'user');
  const assume = member(at, 'assume');
  if (argv === FAULTY || interval === FAULTY || deadline === FAULTY || rise === FAULTY) return FAULTY;
  if (fall === FAULTY || user === FAULTY || assume === FAULTY) return FAULTY;
  const program = { argv, user: user?.value, deadline, environment: {} };
  return { kind: 'script', name, program, interval, rise, fall, assume: assume?.value };
}

function processOf(context: Context, name: string, at: ProcessAt): Checked<WatchedProcess> {
  const program = member(at, 'program');
  const words = read(at, 'arguments', []);
  const minimum = read(at, 'minimum', 1);
  const most = member(at, 'maximum');
  const delay = time(read(at, 'delay', '0s'), millis(0));
  if (program === undefined || program === FAULTY || words === FAULTY || minimum === FAULTY) return FAULTY;
  if (most === FAULTY || delay === FAULTY) return FAULTY;
  const maximum = most?.value ?? Number.POSITIVE_INFINITY;
  if (most !== undefined && maximum < minimum)
    return report(context, most, `${maximum} is below the minimum, ${minimum}: it could never be up`);
  return { kind: 'process', name, program: program.value, arguments: words, minimum, maximum, delay };
}

/** Points, or `fault`. */
export function weightOf(context: Context, at: Cursor<number | string>): Checked<TrackWeight> {
  if (typeof at.value === 'string') return 'fault';
  return at.value === 0
    ? report(context, at, '0 does nothing; what keepalived calls weight 0 is `fault`')
    : at.value;
}

/** What stands beside the kind: a definition has its standards, a use has those of its definition. */
function settingsOf(
  context: Context,
  at: Cursor<{ readonly weight?: number | string; readonly reverse?: boolean }>,
  standard: { readonly weight: TrackWeight; readonly reverse: boolean },
): Checked<{ weight: TrackWeight; reverse: boolean }> {
  const given = member(at, 'weight');
  const weight = given === undefined ? standard.weight : given === FAULTY ? FAULTY : weightOf(context, given);
  const reverse = read(at, 'reverse', standard.reverse);
  return weight === FAULTY || reverse === FAULTY ? FAULTY : { weight, reverse };
}

const KINDS = ['script', 'file', 'process', 'interface'] as const;

/** The one kind that an entry is of. */
function kindOf(context: Context, at: ObjectAt): Checked<(typeof KINDS)[number]> {
  const [kind, other] = KINDS.filter((each) => at.node.fields?.has(each) === true);
  if (kind === undefined)
    return report(context, at, 'nothing to track; say `script`, `file`, `process` or `interface`');
  return other === undefined ? kind : report(context, at, `either \`${kind}\` or \`${other}\`, not both`);
}

/** Completes one entry. */
export function completeTrack(context: Context, name: string, at: ObjectAt): Checked<TrackDefinition> {
  const kind = kindOf(context, at);
  if (kind === FAULTY) return FAULTY;
  const settings = settingsOf(context, at, { weight: kind === 'file' ? 1 : 'fault', reverse: false });
  const body = watchedOf(context, name, at, kind);
  if (settings === FAULTY || body === FAULTY) return FAULTY;
  if (typeof body === 'string')
    return { track: { kind: 'interface', name: body, ...settings }, watched: undefined };
  return { track: { kind: body.kind, name, ...settings }, watched: body };
}

/** What is to be watched; for an interface, its name. */
function watchedOf(
  context: Context,
  name: string,
  at: ObjectAt,
  kind: (typeof KINDS)[number],
): Checked<Watched | string> {
  if (kind === 'script' || kind === 'process') {
    const script = member(at, 'script');
    const process = member(at, 'process');
    if (script === FAULTY || process === FAULTY) return FAULTY;
    if (script !== undefined) return scriptOf(context, name, script);
    return process === undefined ? FAULTY : processOf(context, name, process);
  }
  const found = member(at, kind);
  if (found === undefined || found === FAULTY) return FAULTY;
  return kind === 'file' ? { kind, name, path: found.value } : found.value;
}

/** What a virtual router names of `tracks:`, each once. @param already what it tracks without them */
export function usesOf(
  context: Context,
  uses: Cursor<readonly (string | RawTrackUse)[]>,
  definitions: TrackDefinitions,
  already: readonly Track[],
): Checked<readonly Track[]> {
  const found = new Map(already.map((track) => [`${track.kind} ${track.name}`, track]));
  let faulty = false;
  for (const item of items(uses)) {
    const track = item === FAULTY ? FAULTY : useOf(context, item, definitions);
    if (track === FAULTY || item === FAULTY) {
      faulty = true;
      continue;
    }
    const key = `${track.kind} ${track.name}`;
    if (found.has(key)) {
      report(context, item, `${key} is tracked already`);
      faulty = true;
    } else found.set(key, track);
  }
  return faulty ? FAULTY : [...found.values()];
}

function useOf(
  context: Context,
  item: Cursor<string | RawTrackUse>,
  definitions: TrackDefinitions,
): Checked<Track> {
  const fields = typeof item.value === 'string' ? undefined : (item as Cursor<RawTrackUse>);
  const name = fields === undefined ? (item as Cursor<string>) : member(fields, 'name');
  if (name === undefined || name === FAULTY) return FAULTY;
  const definition = definitions.get(name.value);
  if (definition === undefined)
    return report(
      context,
      name,
      `there is no ${name.value} in \`tracks\`${suggestion(name.value, [...definitions.keys()])}`,
    );
  if (definition === FAULTY || definition.track.kind === 'services') return FAULTY;
  if (fields === undefined) return definition.track;
  const settings = settingsOf(context, fields, definition.track);
  return settings === FAULTY ? FAULTY : { ...definition.track, ...settings };
}
