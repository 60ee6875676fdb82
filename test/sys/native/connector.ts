/** The connector: what it refuses, and what becomes of connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  COLLECT,
  COLLECT_ROW,
  CONNECT,
  CONNECT_FIN,
  CONNECT_READ,
  CONNECT_ROW,
  LINK,
} from '../../../src/core/connector.js';
import type { Native, NativeConnector } from '../../../src/sys/native.js';
import { collectUntil, inet, type NativeCase, negative, openDescriptors, startWorker } from './support.js';

const EINVAL = negative('EINVAL');

function opened(native: Native, slots = 4): NativeConnector {
  const connector = native.openConnector(slots);
  if (typeof connector === 'number') assert.fail(`opening gave ${connector}`);
  return connector;
}

interface Request {
  readonly slot?: number;
  readonly port: number;
  readonly payload?: string;
  readonly flags?: number;
  /** Members of the row that are otherwise. */
  readonly more?: Partial<Record<keyof typeof CONNECT, number>>;
}

/** One row and its slab: the address at 0, then the payload. */
function requestOf({ slot = 0, port, payload = '', flags = 0, more = {} }: Request) {
  const address = inet([127, 0, 0, 1], port);
  const bytes = Buffer.from(payload, 'latin1');
  const slab = new Uint8Array(address.length + bytes.length);
  slab.set(address);
  slab.set(bytes, address.length);
  const row = new Int32Array(CONNECT_ROW);
  const members = {
    slot,
    addressLength: address.length,
    payload: address.length,
    payloadLength: bytes.length,
    flags,
    ...more,
  };
  for (const [name, value] of Object.entries(members)) row[CONNECT[name as keyof typeof CONNECT]] = value;
  return { row, slab };
}

/** @returns the result */
function begin(connector: NativeConnector, request: Request): number {
  const { row, slab } = requestOf(request);
  assert.equal(connector.start(row, slab), 1);
  return row[CONNECT.result] ?? 0;
}

interface Happening {
  readonly slot: number;
  readonly kind: string;
  readonly value: number;
  readonly text: string;
}

const KINDS = Object.fromEntries(Object.entries(LINK).map(([name, kind]) => [kind, name]));

/** Collects until something of the kind is told. */
async function collect(connector: NativeConnector, until: string, slabSize = 4096): Promise<Happening[]> {
  const rows = new Int32Array(3 * COLLECT_ROW);
  const slab = new Uint8Array(slabSize);
  const all: Happening[] = [];
  for (let round = 0; round < 2000 && !all.some(({ kind }) => kind === until); round += 1) {
    const count = connector.collect(rows, slab);
    assert.ok(count >= 0, `collect gave ${count}`);
    for (let at = 0; at < count * COLLECT_ROW; at += COLLECT_ROW) {
      const [kind = 0, value = 0, offset = 0] = [COLLECT.kind, COLLECT.value, COLLECT.offset].map(
        (place) => rows[at + place],
      );
      const bytes = kind === LINK.data ? slab.subarray(offset, offset + value) : new Uint8Array(0);
      const text = Buffer.from(bytes).toString('latin1');
      all.push({ slot: rows[at] ?? -1, kind: KINDS[kind] ?? '?', value, text });
    }
    if (count === 0) await pause(1);
  }
  return all;
}

async function serving(talk: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    talk(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

/** A connection may stand before `start` is back. */
const isBegun = (result: number, soonest: number): boolean => result === 0 || result === soonest;

const words = (happenings: readonly Happening[]): readonly string[] =>
  happenings.map(({ kind, text }) => (text === '' ? kind : `${kind} ${text}`));

function refuses(native: Native): void {
  for (const slots of [0, -1, 65_537, 1.5, Number.NaN, 'x', undefined])
    assert.equal(native.openConnector(slots as number), EINVAL, `${slots} slots`);
  const connector = opened(native);
  const { row, slab } = requestOf({ port: 9 });
  for (const bad of [undefined, {}, new Uint8Array(52), 1]) {
    assert.equal(connector.start(bad as Int32Array, slab), EINVAL);
    assert.equal(connector.collect(bad as Int32Array, slab), EINVAL);
    assert.equal(connector.stop(bad as Int32Array), EINVAL);
  }
  for (const bad of [undefined, {}, new Int32Array(8)])
    assert.equal(connector.start(row, bad as Uint8Array), EINVAL);
  assert.equal(connector.start(new Int32Array(CONNECT_ROW + 1), slab), EINVAL, 'half a row');
  assert.equal(
    connector.collect(new Int32Array(2 * COLLECT_ROW), new Uint8Array(4096)),
    EINVAL,
    'too few rows',
  );
  assert.equal(connector.collect(new Int32Array(60), new Uint8Array(1023)), EINVAL, 'too small a slab');
  for (const slot of [-1, 4, 0x7fffffff])
    assert.equal(connector.stop(Int32Array.of(slot)), EINVAL, `slot ${slot}`);
  const socket = native.openSocket(2, 2, 0);
  if (typeof socket === 'number') assert.fail();
  assert.equal((socket as unknown as NativeConnector).start(row, slab), EINVAL, 'a socket is no connector');
  assert.equal((socket as unknown as NativeConnector).stop(Int32Array.of(0)), EINVAL);
  socket.close();
  connector.close();
  assert.equal(connector.start(row, slab), negative('EBADF'));
  assert.equal(connector.collect(new Int32Array(60), new Uint8Array(4096)), negative('EBADF'));
  assert.equal(connector.stop(Int32Array.of(0)), negative('EBADF'));
  assert.equal(connector.close(), negative('EBADF'));
}

const BAD_ROWS: readonly Partial<Record<keyof typeof CONNECT, number>>[] = [
  { slot: -1 },
  { slot: 4 },
  { address: -1 },
  { address: 1 },
  { addressLength: 15 },
  { addressLength: 0 },
  { addressLength: 129 },
  { addressLength: -1 },
  { source: 0, sourceLength: 17 },
  { source: 0x7fffffff, sourceLength: 16 },
  { sourceLength: -1 },
  { device: 0, deviceLength: 16 },
  { device: -1, deviceLength: 1 },
  { payload: 0, payloadLength: 17 },
  { payload: 0x7fffffff, payloadLength: 0x7fffffff },
  { payloadLength: -0x80000000 },
  { flags: 4 },
  { flags: -1 },
];

function refusesRows(native: Native): void {
  const connector = opened(native);
  const before = openDescriptors();
  for (const more of BAD_ROWS)
    assert.equal(begin(connector, { port: 9, more }), EINVAL, `${JSON.stringify(more)}`);
  const { row, slab } = requestOf({ port: 9 });
  slab[0] = 1;
  connector.start(row, slab);
  assert.equal(row[CONNECT.result], negative('EAFNOSUPPORT'), 'a unix address');
  assert.equal(openDescriptors(), before);
  connector.close();
}

async function onlyConnects(native: Native): Promise<void> {
  let accepted = 0;
  const { port, server } = await serving(() => {
    accepted += 1;
  });
  // The listener is among them, and gone in the end.
  const before = openDescriptors();
  const connector = opened(native);
  if (begin(connector, { port }) === 0) assert.deepEqual(words(await collect(connector, 'done')), ['done']);
  server.close();
  await once(server, 'close');
  assert.ok(accepted <= 1);
  const refused = begin(connector, { port });
  if (refused === 0)
    assert.deepEqual(
      (await collect(connector, 'failed')).map(({ kind, value }) => [kind, -value]),
      [['failed', negative('ECONNREFUSED')]],
    );
  else assert.equal(refused, negative('ECONNREFUSED'));
  connector.close();
  assert.ok(openDescriptors() < before, 'nothing is left open');
}

async function talks(native: Native): Promise<void> {
  const { port, server } = await serving((socket) => {
    socket.on('data', (bytes: Buffer) => socket.end(`you said ${bytes.length}`));
  });
  const connector = opened(native);
  assert.ok(
    isBegun(begin(connector, { slot: 3, port, payload: 'x'.repeat(60_000), flags: CONNECT_READ }), LINK.done),
  );
  assert.equal(begin(connector, { slot: 3, port }), negative('EBUSY'), 'a slot holds one connection');
  const told = (await collect(connector, 'end')).filter(({ kind }) => kind !== 'connected');
  assert.ok(told.every(({ slot }) => slot === 3));
  assert.match(words(told).join('|'), /^data you said \d+\|end$/);
  assert.ok(
    isBegun(begin(connector, { slot: 3, port, flags: CONNECT_READ | CONNECT_FIN }), LINK.done),
    'it is free again',
  );
  assert.equal(connector.stop(Int32Array.of(3, 0, 3)), 0);
  assert.equal(
    connector.collect(new Int32Array(60), new Uint8Array(4096)),
    0,
    'what was stopped tells nothing',
  );
  connector.close();
  server.close();
}

/** More than a slab holds comes in pieces, none lost, none twice; the end comes last. */
async function hearsAll(native: Native): Promise<void> {
  const whole = Array.from({ length: 30_000 }, (_, index) => `${index},`).join('');
  const { port, server } = await serving((socket) => socket.end(whole));
  const connector = opened(native);
  for (const slot of [0, 1, 2]) begin(connector, { slot, port, flags: CONNECT_READ });
  const heard = ['', '', ''];
  const ended = new Set<number>();
  for (let round = 0; round < 5000 && ended.size < 3; round += 1) {
    for (const { slot, kind, text } of await collect(connector, 'end', 1500)) {
      assert.ok(!ended.has(slot), 'nothing comes after the end');
      heard[slot] = (heard[slot] ?? '') + text;
      if (kind === 'end') ended.add(slot);
    }
  }
  assert.deepEqual(heard, [whole, whole, whole]);
  connector.close();
  server.close();
}

async function isReset(native: Native): Promise<void> {
  const { port, server } = await serving((socket) => {
    socket.write('half');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const connector = opened(native);
  begin(connector, { port, payload: 'hello', flags: CONNECT_READ });
  const [last] = (await collect(connector, 'failed')).slice(-1);
  assert.equal(-(last?.value ?? 0), negative('ECONNRESET'));
  connector.close();
  server.close();
}

async function comesFrom(native: Native): Promise<void> {
  const peers: string[] = [];
  const { port, server } = await serving((socket) => peers.push(socket.remoteAddress ?? ''));
  const connector = opened(native);
  const address = inet([127, 0, 0, 1], port);
  const source = inet([127, 0, 0, 77], 0);
  const slab = Uint8Array.of(...address, ...source, ...Buffer.from('lo'));
  const row = new Int32Array(CONNECT_ROW);
  row[CONNECT.addressLength] = address.length;
  row[CONNECT.source] = address.length;
  row[CONNECT.sourceLength] = source.length;
  row[CONNECT.device] = address.length + source.length;
  row[CONNECT.deviceLength] = 2;
  row[CONNECT.mark] = 7;
  row[CONNECT.flags] = CONNECT_READ;
  connector.start(row, slab);
  assert.ok((row[CONNECT.result] ?? -1) >= 0, `${row[CONNECT.result]}`);
  for (let round = 0; round < 1000 && peers.length === 0; round += 1) await pause(1);
  assert.deepEqual(peers, ['127.0.0.77']);
  connector.close();
  server.close();
}

/** The socket of a slot serves again: for the same kind of connection as it is, for another one anew. */
async function servesAgain(native: Native): Promise<void> {
  const peers: (readonly [number, string])[] = [];
  const { port, server } = await serving((socket) => {
    peers.push([socket.remotePort ?? 0, socket.remoteAddress ?? '']);
    socket.on('data', (bytes: Buffer) => socket.write(`you said ${bytes.length}`));
  });
  const connector = opened(native);
  const source = inet([127, 0, 0, 77], 0);
  const before = openDescriptors();
  for (let round = 0; round < 30; round += 1) {
    const payload = 'x'.repeat(round + 1);
    begin(connector, { port, payload, flags: CONNECT_READ });
    assert.match(
      words(await collect(connector, 'data')).join('|'),
      new RegExp(`data you said ${round + 1}$`),
    );
    connector.stop(Int32Array.of(0));
    connector.stop(Int32Array.of(0));
    // Only stands: of what was sent before, nothing is left in the socket.
    if (begin(connector, { port }) === 0) assert.deepEqual(words(await collect(connector, 'done')), ['done']);
  }
  assert.ok(openDescriptors() - before <= 1 + peers.length, 'one socket for all, beside those of the server');
  assert.equal(
    new Set(peers.map(([own]) => own)).size,
    peers.length,
    'each connection has a port of its own',
  );
  const { row, slab } = requestOf({ port, payload: 'hello', flags: CONNECT_READ });
  const withSource = Uint8Array.of(...slab, ...source);
  row[CONNECT.source] = slab.length;
  row[CONNECT.sourceLength] = source.length;
  assert.equal(connector.start(row, withSource), 1);
  await collect(connector, 'data');
  assert.equal(peers.at(-1)?.[1], '127.0.0.77', 'an origin is not lost on a spare socket');
  connector.stop(Int32Array.of(0));
  begin(connector, { port, payload: 'hello', flags: CONNECT_READ });
  await collect(connector, 'data');
  assert.equal(peers.at(-1)?.[1], '127.0.0.1', 'nor does it stay on one');
  connector.close();
  server.close();
}

async function seesTheEnd(native: Native): Promise<void> {
  const ends: string[] = [];
  const { port, server } = await serving((socket) => {
    socket.on('end', () => ends.push('end')).on('error', () => ends.push('reset'));
    socket.resume();
  });
  const connector = opened(native);
  for (const flags of [CONNECT_READ, CONNECT_READ | CONNECT_FIN]) {
    begin(connector, { port, payload: 'hello', flags });
    await collect(connector, 'connected');
    for (let round = 0; round < 20; round += 1) await pause(1);
    connector.stop(Int32Array.of(0));
    for (let round = 0; round < 2000 && ends.length < (flags === CONNECT_READ ? 1 : 2); round += 1)
      await pause(1);
  }
  assert.deepEqual(ends, ['reset', 'end']);
  connector.close();
  server.close();
}

/** Left open by whoever had it: the collector, a worker's end and the process's close all of its sockets. */
async function isLeft(native: Native, file: string): Promise<void> {
  const { port, server } = await serving(() => undefined);
  const before = openDescriptors();
  for (let count = 0; count < 20; count += 1) begin(opened(native), { port, flags: CONNECT_READ });
  await collectUntil(() => openDescriptors() <= before + 20);
  const [code] = (await once(startWorker(file, 'connects', { port }), 'exit')) as [number];
  assert.equal(code, 0);
  server.close();
}

export const connectorCases: readonly NativeCase[] = [
  { name: 'a connector refuses what is not right for it', run: refuses },
  { name: 'a connector refuses rows that are not right, each by itself', run: refusesRows },
  { name: 'a connection that only has to stand is closed when it does', run: onlyConnects },
  { name: 'what is said and heard, and a slot that is free again', run: talks },
  { name: 'much that comes is heard whole', run: hearsAll },
  { name: 'a reset is told', run: isReset },
  { name: 'a connection comes from where it is told to, marked', needsRoot: true, run: comesFrom },
  { name: 'the socket of a slot serves again', run: servesAgain },
  { name: 'a peer sees a reset, or an orderly end where that is asked for', run: seesTheEnd },
  { name: 'a connector that is left behind closes everything', run: isLeft },
];
