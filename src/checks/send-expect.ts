/** Send-expect check: a dialogue in the operator's own words. */
import type { Socket } from 'node:net';
import { assert, unreachable } from '../core/assert.js';
import { parseBytePattern } from '../core/byte-pattern.js';
import { RegexSearch } from '../core/regex.js';
import { compileRegex, type Regex, regexOfSets, setOf } from '../core/regex-syntax.js';
import type { LinkHandlers, Now, ProbeRun } from './probe-run.js';
import { runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { DialogueStep, SendExpectCheck } from './spec-text.js';
import type { TlsClient } from './tls.js';
import { bytesOfPayload } from './udp.js';

/** More than this is never read in one probe. */
export const DIALOGUE_LIMIT = 64 * 1024;

type Action =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** `says` is what is looked for, for people. */
  | { readonly kind: 'expect'; readonly regex: Regex; readonly says: string };

function actionOf(step: DialogueStep): Action {
  switch (step.kind) {
    case 'send':
      return { kind: 'send', bytes: bytesOfPayload({ form: 'text', value: step.text }) };
    case 'send-hex':
      return { kind: 'send', bytes: bytesOfPayload({ form: 'hex', value: step.hex }) };
    case 'expect': {
      const sets = [...Buffer.from(step.text, 'utf8')].map((byte) => setOf((other) => other === byte));
      return { kind: 'expect', regex: regexOfSets(sets), says: JSON.stringify(printable(step.text)) };
    }
    case 'expect-hex': {
      const sets = parseBytePattern(step.pattern);
      assert(sets !== undefined, 'the configuration lets only patterns through');
      return { kind: 'expect', regex: regexOfSets(sets), says: printable(step.pattern) };
    }
    case 'expect-regex': {
      const result = compileRegex(step.regex);
      assert(result.ok, 'the configuration lets only regexes through');
      return { kind: 'expect', regex: result.regex, says: `/${printable(step.regex)}/` };
    }
    default:
      return unreachable(step);
  }
}

/**
 * Passes when every step is done: what is sent was taken by the kernel, and what is expected came, each behind the one
 * before. Phases: `request` while something is sent, `response` while something is expected.
 */
export function sendExpectProber(now: Now, client: TlsClient): Prober<SendExpectCheck> {
  const prepared = new WeakMap<SendExpectCheck, readonly Action[]>();
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const actions = prepared.get(spec) ?? spec.steps.map(actionOf);
      prepared.set(spec, actions);
      const dialogue = new Dialogue(run, actions);
      if (spec.tls === undefined) run.openTcp(spec.target, dialogue);
      else client.open(run, spec.target, spec.tls, dialogue);
    });
}

class Dialogue implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #actions: readonly Action[];
  #socket: Socket | undefined;
  #next = 0;
  /** What is expected now. */
  #search: RegexSearch | undefined;
  #says = '';
  /** Bytes that the search was given. */
  #searched = 0;
  #read = 0;

  constructor(run: ProbeRun, actions: readonly Action[]) {
    this.#run = run;
    this.#actions = actions;
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#goOn();
  }

  data(bytes: Uint8Array): void {
    this.#read += bytes.length;
    for (let at = 0; this.#search !== undefined && !this.#run.ended; ) {
      const end = this.#search.push(bytes, at);
      if (end < 0) {
        this.#searched += bytes.length - at;
        break;
      }
      at += end - this.#searched;
      this.#goOn();
    }
    if (this.#read > DIALOGUE_LIMIT)
      this.#run.end({ kind: 'too-long', phase: this.#run.phase, limit: DIALOGUE_LIMIT });
  }

  end(): void {
    while (this.#search?.finish() === true) this.#goOn();
    const { phase } = this.#run;
    if (this.#searched === 0) this.#run.end({ kind: 'closed', phase });
    else this.#run.end({ kind: 'bad-content', phase, detail: `no ${this.#says} in ${this.#searched} bytes` });
  }

  /** Does what comes next, up to something that must be waited for. */
  #goOn(): void {
    this.#search = undefined;
    this.#searched = 0;
    for (let action = this.#actions[this.#next]; action !== undefined; action = this.#actions[this.#next]) {
      this.#next += 1;
      if (action.kind === 'expect') {
        this.#run.enter('response');
        this.#search = new RegexSearch(action.regex);
        this.#says = action.says;
        return;
      }
      this.#send(action.bytes);
    }
    if (this.#actions.at(-1)?.kind === 'expect') this.#run.end({ kind: 'ok' });
  }

  #send(bytes: Buffer): void {
    const isLast = this.#next === this.#actions.length;
    this.#run.enter('request');
    // A connection is reset at the end: what the kernel has not taken would be lost.
    this.#socket?.write(bytes, () => {
      if (isLast) this.#run.end({ kind: 'ok' });
    });
  }
}
