/** HTTP and HTTPS checks: one request or several, each with what is wanted of its answer. */
import { assert } from '../core/assert.js';
import { encodeRequest } from '../wire/http-request.js';
import { Answer, type Expected, expected } from './http-answer.js';
import { wantsOf } from './http-judge.js';
import { type PreparedTour, prepareTour, Tour } from './http-tour.js';
import type { LanePlan, ProbeSide, Talk } from './lane.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import type { HttpCheck } from './spec-web.js';
import type { TlsClient } from './tls.js';

/**
 * Passes when every answer is as wanted: its status, its fields, and what is looked for in the first `spec.bodyLimit`
 * bytes of its body. The last probe ends as soon as that is known; redirects are followed where `spec.redirects` allows.
 * Phase `request` lasts until the kernel has taken the request, `response` until the answer is known.
 */
export function httpProber(now: Now, client: TlsClient): Prober<HttpCheck> {
  const prepared = new WeakMap<HttpCheck, PreparedTour>();
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      assert((spec.type === 'https') === (spec.tls !== undefined), 'https, and only https, has tls settings');
      const ready = prepared.get(spec) ?? prepareTour(spec);
      prepared.set(spec, ready);
      new Tour(run, client, ready).begin();
    });
}

/**
 * The same probe in the fast lane, where the request leaves with the connection; undefined for what needs more than one
 * request without a body, or looks for more than a text.
 */
export function httpPlan(spec: HttpCheck): LanePlan | undefined {
  if (!isPlain(spec)) return undefined;
  const { method, path, host, headers } = spec;
  const head = { version: '1.1', method, path, host, headers, bodyLength: undefined } as const;
  const payload = Buffer.from(encodeRequest({ ...head, keepsConnection: false }), 'latin1');
  const wanted = expected(method, wantsOf(spec, spec.bodyLimit), true);
  return { payload, waits: 'response', talk: (side) => new LaneTalk(side, wanted) };
}

function isPlain(spec: HttpCheck): boolean {
  const isOne = spec.further.length === 0 && spec.redirects === 0 && spec.body === undefined;
  const isSimple = spec.matches === undefined && spec.json.length === 0 && spec.digest === undefined;
  const isBare = spec.fields.length === 0 && spec.credentials === undefined;
  return spec.type === 'http' && spec.version === '1.1' && isOne && isSimple && isBare;
}

class LaneTalk implements Talk {
  readonly #side: ProbeSide;
  readonly #answer: Answer;

  constructor(side: ProbeSide, wanted: Expected) {
    this.#side = side;
    this.#answer = new Answer(wanted);
  }

  data(bytes: Uint8Array): void {
    this.#answer.push(bytes);
    this.#judge();
  }

  end(): void {
    this.#answer.finish();
    this.#judge();
  }

  #judge(): void {
    const { reason } = this.#answer;
    if (reason !== undefined) this.#side.end(reason);
  }
}
