/** Servers of line protocols that follow a script, and all the ways in which they may leave it. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import type { Phase, ProbeResult, ProbeSpec, Reason } from '../../src/checks/model.js';
import type { Prober } from '../../src/checks/prober.js';
import type { Target } from '../../src/checks/spec-target.js';
import { REPLY_LIMIT } from '../../src/wire/replies.js';
import type { Identity } from './certificates.js';
import { dribble, flood, type Listener, listen, probeOnce, resetHard } from './listeners.js';

/** What the server says, and after which line of the client's. */
export interface Turn {
  /** The whole line; undefined: it says this of its own accord. */
  readonly hears?: string;
  readonly says: string;
  /** The phase in which the probe waits for this. */
  readonly phase: Phase;
  /** TLS begins behind it. */
  readonly secure?: true;
}

export interface ScriptOptions {
  readonly identity?: Identity;
  /** Instead of what stands in the script, at the turn of this number. */
  readonly at?: number;
  readonly misbehave?: (socket: Socket) => unknown;
}

export interface ScriptServer extends Listener {
  /** What the client said, over all connections. */
  readonly heard: string[];
}

/** A server that follows the script, and says nothing where the client does not. */
export async function scripted(
  t: Test,
  script: readonly Turn[],
  options: ScriptOptions = {},
): Promise<ScriptServer> {
  const heard: string[] = [];
  const listener = await listen(t, (socket) => play(socket, script, { heard, next: 0, ...options }));
  return Object.assign(listener, { heard });
}

type Play = ScriptOptions & { readonly heard: string[]; readonly next: number };

function play(socket: Socket, script: readonly Turn[], { next, ...options }: Play): void {
  let text = '';
  let index = next;
  const answer = (): void => {
    const scene = script[index];
    if (scene === undefined) return;
    const own = index === options.at ? options.misbehave : undefined;
    index += 1;
    if (own !== undefined) own(socket);
    else socket.write(`${scene.says}\r\n`, 'latin1');
    if (scene.secure === true && own === undefined) goOnSecurely(socket, script, { ...options, next: index });
  };
  const onData = (bytes: Buffer): void => {
    text += bytes.toString('utf8');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      options.heard.push(line);
      if (script[index]?.hears === line) answer();
    }
  };
  socket.on('data', onData);
  socket.on('error', () => undefined);
  if (script[index]?.hears === undefined) answer();
}

function goOnSecurely(socket: Socket, script: readonly Turn[], options: Play): void {
  socket.removeAllListeners('data');
  const secure = new TLSSocket(socket, { isServer: true, ...options.identity });
  // The connection may stay half open: it has ended when TLS has.
  for (const event of ['error', 'end'] as const) secure.once(event, () => socket.destroy());
  play(secure, script, options);
}

/** What a kind of check is, for `misbehaviours`. */
export interface LineKind<Spec extends ProbeSpec> {
  readonly prober: Prober<Spec>;
  readonly spec: (target: Target) => Spec;
  readonly script: readonly Turn[];
  /** Words of the fault of what is no reply. */
  readonly notReply: string;
}

interface Misbehaviour {
  readonly name: string;
  readonly act: (socket: Socket, says: string) => unknown;
  readonly reason: (
    phase: Phase,
    detail: string,
  ) => { readonly kind: Reason['kind']; readonly [key: string]: unknown };
}

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { name: 'silence', act: () => undefined, reason: (phase) => ({ kind: 'timeout', phase }) },
  {
    name: 'half a line',
    act: (socket, says) => socket.write(says.slice(0, -1)),
    reason: (phase) => ({ kind: 'timeout', phase }),
  },
  { name: 'a close', act: (socket) => socket.end(), reason: (phase) => ({ kind: 'closed', phase }) },
  {
    name: 'a close within the line',
    act: (socket, says) => socket.end(says.slice(0, 2)),
    reason: (phase) => ({ kind: 'closed', phase }),
  },
  {
    name: 'a reset',
    act: (socket) => resetHard(socket),
    // It may come before the probe has heard that it is connected.
    reason: (phase) => ({ kind: 'reset', phase: phase === 'greeting' ? /^(connect|greeting)$/ : phase }),
  },
  {
    name: 'NULs',
    act: (socket) => socket.write('\0'.repeat(500).concat('\r\n')),
    reason: (phase, detail) => ({ kind: 'protocol-error', phase, detail }),
  },
  {
    name: 'garbage',
    act: (socket) => socket.write(Buffer.from('16030100c8fe0a0d0aff0a', 'hex')),
    reason: (phase, detail) => ({ kind: 'protocol-error', phase, detail }),
  },
  {
    name: 'a line without end',
    act: (socket) => flood(socket, 'x'.repeat(10_000)),
    reason: (phase) => ({ kind: 'too-long', phase, limit: REPLY_LIMIT }),
  },
];

/** The server leaves its script at every turn in every way; each has its reason, in the phase where it belongs. */
export async function misbehaviours<Spec extends ProbeSpec>(t: Test, kind: LineKind<Spec>): Promise<void> {
  const { script, notReply } = kind;
  for (const [at, { phase, says }] of script.entries()) {
    for (const { name, act, reason } of MISBEHAVIOURS) {
      const expected = reason(phase, notReply);
      const deadline = expected.kind === 'timeout' ? 150 : 5000;
      const result = await once(t, kind, { at, misbehave: (socket) => act(socket, says) }, deadline);
      t.match(result, { outcome: 'fail', reason: expected }, `${name} at turn ${at}, ${phase}`);
    }
  }
}

/** The right words, but in pieces: it passes all the same. */
export async function goodBehaviours<Spec extends ProbeSpec>(t: Test, kind: LineKind<Spec>): Promise<void> {
  for (const [at, { says }] of kind.script.entries()) {
    const result = await once(t, kind, { at, misbehave: (socket) => dribble(socket, `${says}\r\n`) }, 5000);
    t.match(result, { outcome: 'pass', reason: { kind: 'ok' } }, `byte by byte at turn ${at}`);
  }
}

async function once<Spec extends ProbeSpec>(
  t: Test,
  { prober, spec, script }: LineKind<Spec>,
  options: ScriptOptions,
  deadline: number,
): Promise<ProbeResult> {
  const server = await scripted(t, script, options);
  const result = await probeOnce(t, prober, spec(server.target), { deadline, listeners: [server] });
  await server.close();
  return result;
}
