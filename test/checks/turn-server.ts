/** Servers that answer one message after the other from a list, and all the ways in which they may leave it. */
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import type { Phase, ProbeResult, ProbeSpec, Reason } from '../../src/checks/model.js';
import type { Prober } from '../../src/checks/prober.js';
import type { Target } from '../../src/checks/spec-target.js';
import { dribble, flood, type Listener, listen, probeOnce, resetHard } from './listeners.js';

/** What the server says: bytes in the form of latin1. */
export interface Answer {
  readonly says: string;
  /** The phase in which the probe waits for it. */
  readonly phase: Phase;
}

export interface TurnKind<Spec extends ProbeSpec> {
  readonly prober: Prober<Spec>;
  readonly spec: (target: Target) => Spec;
  readonly answers: readonly Answer[];
  /** The first answer comes before the client has said anything. */
  readonly greets?: true;
}

export interface TurnServer extends Listener {
  /** What came, each read as it was. */
  readonly heard: Buffer[];
}

/** Each message of the client's gets the next answer; `act` speaks in place of the answer of number `at`. */
export async function turnServer(
  t: Test,
  { answers, greets }: Pick<TurnKind<ProbeSpec>, 'answers' | 'greets'>,
  at = -1,
  act: (socket: Socket) => unknown = () => undefined,
): Promise<TurnServer> {
  const heard: Buffer[] = [];
  const listener = await listen(t, (socket) => {
    let next = 0;
    const speak = (): void => {
      const answer = answers[next];
      next += 1;
      if (next - 1 === at) act(socket);
      else if (answer !== undefined) socket.write(answer.says, 'latin1');
    };
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes);
      speak();
    });
    if (greets === true) speak();
  });
  return Object.assign(listener, { heard });
}

/** What a reply that is none may be called: kinds of reason, but never trouble of our own. */
const WRONG = /^(protocol-error|bad-content|rejected|too-long|timeout|closed|bad-status)$/;

interface Misbehaviour {
  readonly name: string;
  readonly act: (socket: Socket, says: string) => unknown;
  /** A kind, or what it must match. */
  readonly kind: Reason['kind'] | RegExp;
  readonly slow?: true;
}

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { name: 'silence', act: () => undefined, kind: 'timeout', slow: true },
  {
    name: 'half of it',
    act: (socket, says) => socket.write(says.slice(0, Math.floor(says.length / 2)), 'latin1'),
    kind: 'timeout',
    slow: true,
  },
  { name: 'a close', act: (socket) => socket.end(), kind: 'closed' },
  {
    name: 'a close within it',
    act: (socket, says) => socket.end(says.slice(0, 2), 'latin1'),
    kind: 'closed',
  },
  // It may come before the probe has heard that it is connected.
  { name: 'a reset', act: (socket) => resetHard(socket), kind: 'reset' },
  { name: 'NULs', act: (socket) => socket.write('\0'.repeat(500)), kind: WRONG, slow: true },
  {
    name: 'garbage',
    act: (socket) => socket.write(Buffer.from('16030100c8fe0a0d0aff0a'.repeat(9), 'hex')),
    kind: WRONG,
    slow: true,
  },
  { name: 'an endless text', act: (socket) => flood(socket, 'x'.repeat(10_000)), kind: WRONG },
  { name: 'endless NULs', act: (socket) => flood(socket, '\0'.repeat(10_000)), kind: WRONG },
  { name: 'endless 0xff', act: (socket) => flood(socket, '\xff'.repeat(10_000)), kind: WRONG },
];

/** The server misbehaves at every turn in every way; each is a failure of the server's, in time, and leaves nothing. */
export async function misbehaviours<Spec extends ProbeSpec>(t: Test, kind: TurnKind<Spec>): Promise<void> {
  for (const [at, { phase, says }] of kind.answers.entries()) {
    for (const { name, act, kind: wanted, slow } of MISBEHAVIOURS) {
      const result = await once(t, kind, at, (socket) => act(socket, says), slow === true ? 150 : 5000);
      const told = `${name} at turn ${at}, ${phase}`;
      t.match(result, { outcome: 'fail', reason: { kind: wanted } }, told);
      const places = kind.greets === true && at === 0 ? [phase, 'connect'] : [phase];
      if (typeof wanted === 'string' && 'phase' in result.reason)
        t.ok(places.includes(result.reason.phase), `${told}: ${result.reason.phase}`);
    }
  }
}

/** The right words, but byte by byte: it passes all the same. */
export async function goodBehaviours<Spec extends ProbeSpec>(t: Test, kind: TurnKind<Spec>): Promise<void> {
  for (const [at, { says }] of kind.answers.entries()) {
    const result = await once(t, kind, at, (socket) => dribble(socket, says), 5000);
    t.match(result, { outcome: 'pass', reason: { kind: 'ok' } }, `byte by byte at turn ${at}`);
  }
}

async function once<Spec extends ProbeSpec>(
  t: Test,
  kind: TurnKind<Spec>,
  at: number,
  act: (socket: Socket) => unknown,
  deadline: number,
): Promise<ProbeResult> {
  const server = await turnServer(t, kind, at, act);
  const result = await probeOnce(t, kind.prober, kind.spec(server.target), {
    deadline,
    listeners: [server],
  });
  await server.close();
  return result;
}
