/** What moves the priority of one entry of `vrrp:`. */
import type { Track } from '../vrrp/model.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';
import { type TrackDefinitions, usesOf, weightOf } from './tracks.js';

/** What a virtual router can name of the rest of the configuration. */
export interface Trackable {
  /** The names of the virtual services. */
  readonly services: ReadonlySet<string>;
  readonly definitions: TrackDefinitions;
  /** The interface of `sync`, where there is one. */
  readonly sync: string | undefined;
}

type At = Cursor<NonNullable<RawRouter['track']>>;

/** This director's end of `sync`, as a list of one where it is tracked. */
function syncOf(context: Context, at: At, device: string | undefined): Checked<readonly Track[]> {
  const given = member(at, 'sync');
  if (given === undefined) return [];
  if (given === FAULTY) return FAULTY;
  if (device === undefined) return report(context, given, 'there is no `sync` that could be tracked');
  const weight = weightOf(context, given);
  return weight === FAULTY ? FAULTY : [{ kind: 'sync-peer', name: device, weight, reverse: false }];
}

export function tracksOf(
  context: Context,
  at: Cursor<RawRouter>,
  { services, definitions, sync }: Trackable,
): Checked<readonly Track[]> {
  const track = member(at, 'track');
  if (track === undefined) return [];
  if (track === FAULTY) return FAULTY;
  const interfaces = member(track, 'interfaces');
  const names = member(track, 'services');
  const penalty = read(track, 'penalty', 50);
  const minimum = read(track, 'minimum', 0);
  if (interfaces === FAULTY || names === FAULTY || penalty === FAULTY || minimum === FAULTY) return FAULTY;
  const ends = syncOf(context, track, sync);
  if (ends === FAULTY) return FAULTY;
  const tracks: Track[] = [...ends];
  for (const item of interfaces === undefined ? [] : items(interfaces)) {
    if (item === FAULTY) return FAULTY;
    tracks.push({ kind: 'interface', name: item.value, weight: 'fault', reverse: false });
  }
  for (const item of names === undefined ? [] : items(names)) {
    if (item === FAULTY) return FAULTY;
    if (!services.has(item.value)) return report(context, item, `there is no service ${item.value}`);
  }
  const name = names?.value.join(' ') ?? '';
  if (name !== '') tracks.push({ kind: 'services', name, penalty, minimum });
  const uses = member(track, 'objects');
  if (uses === undefined) return tracks;
  return uses === FAULTY ? FAULTY : usesOf(context, uses, definitions, tracks);
}
