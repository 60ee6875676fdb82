/** A dialogue of lines: the client asks, the server replies, and somewhere on the way TLS may begin. */
import type { Socket } from 'node:net';
import { unreachable } from '../core/assert.js';
import type { CodedReply, ReplyFault, ReplyReader } from '../wire/replies.js';
import type { Phase, Reason } from './model.js';
import type { LinkHandlers, ProbeRun } from './probe-run.js';
import { printable } from './reason.js';
import type { Target } from './spec-target.js';
import type { TlsUse } from './spec-tls.js';
import type { TlsClient } from './tls.js';

/** What is done until the next reply. */
export interface Ask {
  readonly phase: Phase;
  /** A line to send; undefined: only the reply is waited for. */
  readonly say?: string;
  /** Begin TLS before anything is said: the server has agreed to it. */
  readonly secure?: true;
}

/** How a dialogue ended; the phase is the one in which it did. */
export type TalkEnd =
  | { readonly kind: 'ok' }
  | { readonly kind: 'rejected'; readonly code: number | undefined; readonly text: string }
  /** A reply that does not belong here. */
  | { readonly kind: 'unexpected'; readonly text: string };

/** A client's part: it yields what it asks, gets the reply, and returns what came of it all. */
export type Talk<Reply> = Generator<Ask, TalkEnd, Reply>;

export const TALK_OK: TalkEnd = { kind: 'ok' };

/** RFC 959 4.2.1, RFC 5321 4.2.1, RFC 3977 3.2: 4yz and 5yz refuse; any other reply does not belong here. */
export function refusal({ code, text }: CodedReply): TalkEnd {
  if (code >= 400) return { kind: 'rejected', code, text };
  return { kind: 'unexpected', text: `unexpected reply ${code} ${text}` };
}

/** What a dialogue needs. */
export interface TalkSetup<Reply extends object> {
  readonly target: Target;
  readonly tls: TlsUse | undefined;
  readonly talk: Talk<Reply>;
  readonly reader: ReplyReader<Reply>;
}

/** Connects, with TLS where it comes first, and holds the dialogue. The end of the talk is the end of the probe. */
export function holdTalk<Reply extends object>(
  run: ProbeRun,
  client: TlsClient,
  setup: TalkSetup<Reply>,
): void {
  const partner = new Partner(run, client, setup);
  if (setup.tls?.start === 'implicit') client.open(run, setup.target, setup.tls, partner);
  else run.openTcp(setup.target, partner);
}

class Partner<Reply extends object> implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #client: TlsClient;
  readonly #setup: TalkSetup<Reply>;
  #socket: Socket | undefined;
  /** What is to be said once TLS stands. */
  #held: Ask | undefined;

  constructor(run: ProbeRun, client: TlsClient, setup: TalkSetup<Reply>) {
    this.#run = run;
    this.#client = client;
    this.#setup = setup;
  }

  open(socket: Socket): void {
    this.#socket = socket;
    if (this.#held === undefined) this.#obey(this.#setup.talk.next());
    else this.#say(this.#held);
  }

  data(bytes: Uint8Array): void {
    const { reader, talk } = this.#setup;
    reader.push(bytes);
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      this.#obey(talk.next(reply));
      if (this.#run.ended) return;
    }
    if (reader.fault !== undefined) this.#run.end(reasonOfFault(reader.fault, this.#run.phase));
  }

  end(): void {
    this.#run.end({ kind: 'closed', phase: this.#run.phase });
  }

  #obey(step: IteratorResult<Ask, TalkEnd>): void {
    if (step.done === true) this.#run.end(reasonOfEnd(step.value, this.#run.phase));
    else if (step.value.secure === true) this.#secure(step.value);
    else this.#say(step.value);
  }

  #say({ phase, say }: Ask): void {
    this.#run.enter(phase);
    if (say !== undefined) this.#socket?.write(say);
  }

  #secure(ask: Ask): void {
    const { target, tls, reader } = this.#setup;
    if (this.#socket === undefined || tls === undefined) return;
    this.#held = ask;
    const link = { socket: this.#socket, hasUnread: reader.hasUnread };
    this.#client.upgrade(this.#run, { link, target, settings: tls }, this);
  }
}

/** What a reader's fault is as a reason. */
export function reasonOfFault(fault: ReplyFault, phase: Phase): Reason {
  return fault.kind === 'malformed'
    ? { kind: 'protocol-error', phase, detail: fault.detail }
    : { kind: 'too-long', phase, limit: fault.limit };
}

function reasonOfEnd(end: TalkEnd, phase: Phase): Reason {
  switch (end.kind) {
    case 'ok':
      return end;
    case 'rejected':
      return { kind: 'rejected', phase, code: end.code, detail: printable(end.text) };
    case 'unexpected':
      return { kind: 'protocol-error', phase, detail: printable(end.text) };
    default:
      return unreachable(end);
  }
}
