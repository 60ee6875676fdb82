/** The effective priority of an instance: its base, and what tracked objects add to it or take from it. */
import { unreachable } from '../core/assert.js';
import type { Contribution, Fault, Observation, PriorityReport, Track, Tracked } from './model.js';

const OWNER = 255;
const PRIORITY_MIN = 1;
const PRIORITY_MAX = 254;

/** A file may take away so much that the instance is as good as down: keepalived makes that a fault. */
const FILE_FAULT = -254;
const FILE_POINTS_MAX = 253;

interface Effect {
  readonly points: number;
  readonly fault: boolean;
}

const NOTHING: Effect = { points: 0, fault: false };

type Switch = Extract<Track, { kind: 'interface' | 'script' | 'process' | 'sync-peer' }>;
type File = Extract<Track, { kind: 'file' }>;
type Services = Extract<Track, { kind: 'services' }>;

function ofSwitch({ weight, reverse }: Switch, up: boolean): Effect {
  if (weight === 'fault') return { points: 0, fault: up === reverse };
  const counts = weight > 0 ? up : !up;
  if (!counts) return NOTHING;
  return { points: reverse ? -weight : weight, fault: false };
}

function ofFile({ weight, reverse }: File, value: number): Effect {
  if (weight === 'fault') return { points: 0, fault: (value === 0) === reverse };
  const points = Math.trunc(value * (reverse ? -weight : weight));
  if (points <= FILE_FAULT) return { points: 0, fault: true };
  // Adding 0 makes -0 a plain 0.
  return { points: Math.min(points, FILE_POINTS_MAX) + 0, fault: false };
}

function ofServices({ penalty, minimum }: Services, up: number, total: number): Effect {
  const lost = total === 0 ? 0 : Math.round((penalty * (total - up)) / total);
  return { points: lost === 0 ? 0 : -lost, fault: up < minimum };
}

function effectOf(track: Track, seen: Observation): Effect {
  switch (track.kind) {
    case 'interface':
    case 'script':
    case 'process':
    case 'sync-peer':
      return seen.kind === 'up' || seen.kind === 'down' ? ofSwitch(track, seen.kind === 'up') : NOTHING;
    case 'file':
      return seen.kind === 'number' ? ofFile(track, seen.value) : NOTHING;
    case 'services':
      return seen.kind === 'share' ? ofServices(track, seen.up, seen.total) : NOTHING;
    default:
      return unreachable(track);
  }
}

/**
 * Adds up. The sum is held within 1-254, so that tracking never makes an owner (255) or a resignation (0).
 * The owner's 255 never changes; objects that make a fault do so for it too. What is unknown adds nothing.
 */
export function effectivePriority(base: number, tracked: readonly Tracked[]): PriorityReport {
  const contributions: Contribution[] = tracked.map(({ track, seen }) => {
    return { track, seen, ...effectOf(track, seen) };
  });
  const total = contributions.reduce((sum, { points }) => sum + points, base);
  const clamped = Math.min(Math.max(total, PRIORITY_MIN), PRIORITY_MAX);
  const faults: Fault[] = contributions
    .filter(({ fault }) => fault)
    .map(({ track }) => ({ kind: 'tracked', name: `${track.kind} ${track.name}` }));
  const settled = tracked.every(({ seen }) => seen.kind !== 'unknown');
  return { base, total, effective: base === OWNER ? OWNER : clamped, contributions, faults, settled };
}
