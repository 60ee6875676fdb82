/** `/metrics`: all metrics of one world, written in slices so that nothing else waits for them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { World } from '../world.js';
import { type Emit, headText, type Metric, type ServiceView, sampleText, serviceView } from './metric.js';
import { DAEMON_METRICS } from './metrics-daemon.js';
import { POLICY_METRICS } from './metrics-policy.js';
import { SERVICE_METRICS } from './metrics-services.js';

/** As the format's own documentation says. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export const METRICS: readonly Metric[] = [...DAEMON_METRICS, ...POLICY_METRICS, ...SERVICE_METRICS];

/** Samples that are written before others get their turn: some tenths of a millisecond. */
const SLICE = 500;

/** Gathers what is known of the services; a piece without text where enough was done for one turn. */
function* viewsOf(world: World): Generator<string, readonly ServiceView[]> {
  const views: ServiceView[] = [];
  let done = 0;
  for (const service of world.config.services) {
    const view = serviceView(service, world);
    views.push(view);
    done += view.servers.length * service.entries.length;
    if (done < SLICE) continue;
    yield '';
    done = 0;
  }
  return views;
}

/** The text of a world in pieces; whoever takes them lets others work in between. */
export function* metricsPieces(world: World): Generator<string> {
  const views = yield* viewsOf(world);
  for (const metric of METRICS) {
    const { name, ofWorld, ofService } = metric;
    let [text, samples] = [headText(metric), 0];
    const emit: Emit = (labels, value) => {
      samples += 1;
      text += sampleText(name, labels, value);
    };
    ofWorld?.(world, emit);
    for (const view of ofService === undefined ? [] : views) {
      ofService?.(view, emit);
      if (samples < SLICE) continue;
      yield text;
      [text, samples] = ['', 0];
    }
    yield text;
  }
}

interface Written {
  readonly version: number;
  readonly text: Promise<string>;
}

/** Characters after which others get their turn: some hundred samples, or some metrics without any. */
const TURN = 32 * 1024;

async function write(world: World): Promise<string> {
  const pieces: string[] = [];
  let written = 0;
  for (const piece of metricsPieces(world)) {
    pieces.push(piece);
    written += piece.length;
    if (piece !== '' && written < TURN) continue;
    written = 0;
    await nextTurn();
  }
  return pieces.join('');
}

/** Keeps the text for as long as the world does not change; those who ask while it is written share it. */
export class MetricsText {
  #written: Written | undefined;
  #isWriting = false;

  of(world: World): Promise<string> {
    const known = this.#written;
    // What is being written is at most some milliseconds old: many scrapers cost as much as one.
    if (known !== undefined && (this.#isWriting || known.version === world.version)) return known.text;
    this.#isWriting = true;
    const text = write(world).finally(() => {
      this.#isWriting = false;
    });
    this.#written = { version: world.version, text };
    return text;
  }
}
