/** Tracked objects for tests, and a record of what a watch tells. */
import { millis } from '../../src/core/units.js';
import type { WatchedFile, WatchedProcess, WatchedScript } from '../../src/tracks/model.js';
import type { WatchEvents } from '../../src/tracks/watch.js';

export function script(rest: Partial<WatchedScript> = {}): WatchedScript {
  return {
    kind: 'script',
    name: 'uplink',
    program: { argv: ['/bin/check'], user: undefined, deadline: millis(1000), environment: {} },
    interval: millis(1000),
    rise: 1,
    fall: 1,
    assume: undefined,
    ...rest,
  };
}

export function file(path: string): WatchedFile {
  return { kind: 'file', name: 'handicap', path };
}

export function processes(rest: Partial<WatchedProcess> = {}): WatchedProcess {
  return {
    kind: 'process',
    name: 'router',
    program: 'bird',
    arguments: [],
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    delay: millis(0),
    ...rest,
  };
}

/** Everything that was told, one line each. */
export class Record implements WatchEvents {
  readonly lines: string[] = [];
  onSeen: WatchEvents['onSeen'] = (seen, why) => {
    this.lines.push(`${seen.kind === 'number' ? seen.value : seen.kind}: ${why}`);
  };
  onBlind: WatchEvents['onBlind'] = (problem) => void this.lines.push(`blind: ${problem}`);

  /** What was told since the last call. */
  take(): readonly string[] {
    return this.lines.splice(0);
  }
}
