/** Rows of checks against one column of trouble. */
import { setMaxListeners } from 'node:events';
import type { Socket as Plain } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { allProbers, probeByType } from '../../src/checks/kinds.js';
import type { ProbeResult } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { systemClock } from '../../src/sys/clock.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { BY_TYPE, ROWS, rowsOver } from './every-kind.js';
import { eventually, type Listener, LOCALHOST, listen, openSockets } from './listeners.js';
import { runProgram } from './programs.js';
import { tlsSettings } from './secure.js';

export const probers = allProbers({ clock: systemClock, openSocket: openPacketSocket, run: runProgram });

export const TCP = rowsOver('tcp');
export const UDP = rowsOver('udp');
export const DEAF = rowsOver('none', 'icmp');
export const rowOf = (name: string) => ROWS[name] ?? BY_TYPE.tcp;

/** The reason; the outcome too, where it is not what this reason usually means. What an agent does not say is neutral. */
function wordOf(row: string, { outcome, reason }: ProbeResult): string {
  const usual = reason.kind === 'ok' ? 'pass' : row === 'agent' ? 'neutral' : 'fail';
  return outcome === usual ? reason.kind : `${outcome} ${reason.kind}`;
}

/** What rows come to; `rest` are all that are not named. Words that are all right stand side by side. */
export interface Wanted {
  readonly rest: string;
  readonly [row: string]: string;
}

export const FAR = 60_000;

interface Cell {
  readonly row: string;
  readonly wanted: readonly string[];
  result: ProbeResult | undefined;
  readonly done: Promise<ProbeResult>;
}

/**
 * All rows against one server at once, beside a healthy check. Those that are to wait for their deadline do so until all
 * others have ended by themselves; then it comes, and they end before a probe whose deadline is later.
 */
export async function column(
  t: Test,
  rows: readonly string[],
  wanted: Wanted,
  target: (row: string) => Target,
  tls?: Parameters<typeof tlsSettings>[0],
): Promise<void> {
  const healthy = await listen(t, (socket) => socket.on('error', () => undefined));
  const mute = await listen(t, () => undefined);
  const [deadline, later] = [new AbortController(), new AbortController()];
  // All kinds share it.
  setMaxListeners(0, deadline.signal);
  const cells = rows.map((row): Cell => {
    const { spec, tls: use } = rowOf(row);
    const settings = tls === undefined && use !== 'always' ? undefined : tlsSettings(tls);
    const done = probeByType(probers, spec(target(row), settings), deadline.signal);
    const cell: Cell = { row, wanted: (wanted[row] ?? wanted.rest).split(' '), result: undefined, done };
    void done.then((result) => {
      cell.result = result;
    });
    return cell;
  });
  const order: string[] = [];
  const sentinel = probeByType(probers, BY_TYPE['send-expect'].spec(mute.target), later.signal).then(() =>
    order.push('the later deadline'),
  );
  const others: ProbeResult[] = [];
  const beside = async (): Promise<void> => {
    others.push(await probeByType(probers, BY_TYPE.tcp.spec(healthy.target), AbortSignal.timeout(FAR)));
  };
  await beside();
  // Who waits has a while to be wrong in.
  await pause(150);
  await eventually(
    () => cells.every(({ result, wanted: words }) => result !== undefined || words.includes('timeout')),
    10_000,
  );
  await beside();
  const early = cells.filter(({ result }) => result?.reason.kind === 'timeout').map(({ row }) => row);
  t.same(early, [], 'no deadline has come yet');
  deadline.abort();
  const cutOff = setTimeout(() => later.abort(), 5000);
  const all = await Promise.all(cells.map(({ done }) => done));
  order.push('all');
  clearTimeout(cutOff);
  later.abort();
  await sentinel;
  t.same(order, ['all', 'the later deadline'], 'the deadline is not outlasted');
  t.same(
    others.map((result) => wordOf('tcp', result)),
    ['ok', 'ok'],
    'the check beside them goes on',
  );
  for (const [index, { row, wanted: words }] of cells.entries()) {
    const result = all[index];
    const word = result === undefined ? '' : wordOf(row, result);
    t.ok(words.includes(word), `${row}: ${word} ${JSON.stringify(result?.reason)}, wanted ${words}`);
  }
  await healthy.close();
  await mute.close();
}

export type Act = (socket: Plain, row: string) => unknown;

/** As `column`, where each row has a server of its own that does the same. */
export async function tcpColumn(t: Test, act: Act, wanted: Wanted): Promise<void> {
  const before = openSockets();
  const servers = new Map<string, Listener>();
  for (const row of TCP) {
    const server = await listen(t, (socket) => {
      socket.on('error', () => undefined);
      act(socket, row);
    });
    servers.set(row, server);
  }
  await column(t, TCP, wanted, (row) => servers.get(row)?.target ?? { address: LOCALHOST, port: 1 });
  for (const server of servers.values()) await server.close();
  t.ok(await eventually(() => openSockets() <= before), `${openSockets()} sockets, ${before} before`);
}

/** One byte every so often, whatever the client says. */
export function trickle(socket: Plain, byte: string): void {
  const timer = setInterval(() => socket.write(byte, 'latin1'), 10);
  socket.once('close', () => clearInterval(timer));
}

/** Most ask first; some wait for a greeting. */
export function afterQuestion(socket: Plain, act: () => void): void {
  const late = setTimeout(act, 50);
  socket.once('data', () => {
    clearTimeout(late);
    act();
  });
}
