/** Wrong arguments: each is refused, none harms. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import type { Native, NativeDescriptor } from '../../../src/sys/native.js';
import { AF, inet, type NativeCase, negative, noop, opened, SOCK, SOL, udpPair } from './support.js';

const EINVAL = negative('EINVAL');

type Kind =
  | 'bytes'
  | 'bytes?'
  | 'integers'
  | 'integers?'
  | 'integer'
  | 'value'
  | 'instant'
  | 'function'
  | 'text';

type Call = (...values: unknown[]) => unknown;

function detached<View extends Uint8Array | Int32Array>(view: View): View {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const thrower = {
  valueOf(): never {
    throw new Error('asked for a value');
  },
  toString(): never {
    throw new Error('asked for a text');
  },
};

/** A value, and the kinds of argument that it would be right for. */
const VALUES: readonly (readonly [unknown, readonly Kind[]])[] = [
  [undefined, ['bytes?', 'integers?']],
  [null, []],
  [true, []],
  [Number.NaN, []],
  [Number.POSITIVE_INFINITY, []],
  [-1, ['value']],
  [0.5, ['instant']],
  [2 ** 31, ['instant']],
  [2 ** 32, ['instant']],
  [2 ** 53, []],
  [-(2 ** 31) - 1, []],
  [1e300, []],
  [10n, []],
  ['', []],
  ['\0', []],
  ['a\0b', []],
  ['x'.repeat(5000), []],
  [Symbol('s'), []],
  [{}, []],
  [{ length: 4, byteLength: 4 }, []],
  [thrower, []],
  [[1, 2, 3, 4], []],
  [() => 0, ['function']],
  [new Date(0), []],
  [/x/, []],
  [new Map(), []],
  [Promise.resolve(), []],
  [new Proxy(new Uint8Array(8), {}), []],
  [revokedProxy(), []],
  [new ArrayBuffer(8), []],
  [new SharedArrayBuffer(8), []],
  [new DataView(new ArrayBuffer(8)), []],
  [new Int8Array(8), []],
  [new Uint8ClampedArray(8), []],
  [new Uint16Array(8), []],
  [new Uint32Array(8), []],
  [new Float64Array(8), []],
  [new BigUint64Array(8), []],
  [detached(new Uint8Array(8)), []],
  [detached(new Uint8Array(0)), []],
  [detached(new Int32Array(8)), []],
];

const METHODS: Readonly<Record<string, readonly (readonly [Kind, unknown])[]>> = {
  bind: [['bytes', inet([127, 0, 0, 1], 0)]],
  connect: [['bytes', inet([127, 0, 0, 1], 9)]],
  getsockname: [['bytes', new Uint8Array(16)]],
  setsockopt: [
    ['integer', SOL.SOCKET],
    ['integer', 8],
    ['value', 65536],
  ],
  getsockopt: [
    ['integer', SOL.SOCKET],
    ['integer', 8],
    ['bytes', new Uint8Array(4)],
  ],
  attachFilter: [['bytes', Uint8Array.of(6, 0, 0, 0, 0xff, 0xff, 0, 0)]],
  send: [
    ['bytes', Uint8Array.of(1)],
    ['bytes?', inet([127, 0, 0, 1], 9)],
    ['bytes?', undefined],
  ],
  receive: [
    ['bytes', new Uint8Array(16)],
    ['bytes?', new Uint8Array(16)],
    ['bytes?', new Uint8Array(16)],
    ['integers?', new Int32Array(3)],
  ],
  sendBatch: [
    ['bytes', new Uint8Array(16)],
    ['integers', new Int32Array(4)],
  ],
  receiveBatch: [
    ['bytes', new Uint8Array(64)],
    ['integer', 32],
    ['integer', 16],
    ['integers', new Int32Array(4)],
  ],
  transact: [
    ['bytes', Uint8Array.of(1)],
    ['bytes', new Uint8Array(64)],
    ['integer', 32],
    ['integers', new Int32Array(4)],
  ],
  poll: [
    ['integer', 1],
    ['function', () => undefined],
  ],
};

const TIMER_METHODS: typeof METHODS = { setTimer: [['instant', 0]] };

const FUNCTIONS: Readonly<Record<string, readonly (readonly [Kind, unknown])[]>> = {
  openSocket: [
    ['integer', AF.INET],
    ['integer', SOCK.DGRAM],
    ['integer', 0],
  ],
  openPipe: [['integers', new Int32Array(2)]],
  reapChild: [['integer', 2 ** 22 + 1]],
  setScheduler: [
    ['integer', 0],
    ['integer', 0],
  ],
  enterNamespace: [
    ['text', '/proc/self/exe'],
    ['integer', 0],
  ],
};

/** Puts each value that is not right for it at each place of each call. */
function refuseAll(target: object, calls: typeof METHODS): number {
  let refused = 0;
  for (const [name, places] of Object.entries(calls)) {
    const call = (target as Record<string, Call>)[name] ?? assert.fail(name);
    for (const [place, [kind]] of places.entries()) {
      for (const [index, [value, kinds]] of VALUES.entries()) {
        if (kinds.includes(kind)) continue;
        const values = places.map(([, good]) => good);
        values[place] = value;
        assert.equal(call.apply(target, values), EINVAL, `${name}, place ${place}, value ${index}`);
        refused += 1;
      }
    }
  }
  return refused;
}

const LENGTHS: readonly (readonly [string, (socket: NativeDescriptor) => number])[] = [
  ['an empty address', (s) => s.bind(new Uint8Array(0))],
  ['an address of one byte', (s) => s.connect(new Uint8Array(1))],
  ['an address longer than any', (s) => s.bind(new Uint8Array(129))],
  ['a destination longer than any', (s) => s.send(new Uint8Array(1), new Uint8Array(129))],
  ['room for an address longer than any', (s) => s.receive(new Uint8Array(1), new Uint8Array(129))],
  ['two facts of three', (s) => s.receive(new Uint8Array(1), undefined, undefined, new Int32Array(2))],
  ['an option longer than any', (s) => s.setsockopt(SOL.SOCKET, 8, new Uint8Array(265))],
  ['a filter that would be a pointer', (s) => s.setsockopt(SOL.SOCKET, 26, new Uint8Array(16))],
  ['a filter that counts instructions', (s) => s.getsockopt(SOL.SOCKET, 26, new Uint8Array(8))],
  ['a reuseport filter', (s) => s.setsockopt(SOL.SOCKET, 51, new Uint8Array(16))],
  ['iptables over IPv4', (s) => s.setsockopt(SOL.IP, 64, new Uint8Array(264))],
  ['iptables over IPv6', (s) => s.setsockopt(SOL.IPV6, 64, new Uint8Array(264))],
  ['iptables entries over IPv6', (s) => s.getsockopt(SOL.IPV6, 65, new Uint8Array(264))],
  ['a fanout filter', (s) => s.setsockopt(SOL.PACKET, 22, new Uint8Array(16))],
  ['a level of streams', (s) => s.setsockopt(6, 1, 1)],
  ['a filter of no instruction', (s) => s.attachFilter(new Uint8Array(0))],
  ['a filter of one instruction and a half', (s) => s.attachFilter(new Uint8Array(12))],
  ['a filter of 4,097 instructions', (s) => s.attachFilter(new Uint8Array(4097 * 8))],
  ['a filter that the kernel refuses', (s) => s.attachFilter(new Uint8Array(8).fill(0xff))],
  ['half a span', (s) => s.sendBatch(new Uint8Array(8), new Int32Array(6))],
  ['257 spans', (s) => s.sendBatch(new Uint8Array(8), new Int32Array(257 * 4))],
  ['a slot without room for a message', (s) => s.receiveBatch(new Uint8Array(64), 16, 16, new Int32Array(8))],
  ['no slot', (s) => s.receiveBatch(new Uint8Array(8), 16, 0, new Int32Array(8))],
  ['no result', (s) => s.receiveBatch(new Uint8Array(64), 16, 0, new Int32Array(1))],
  ['room for no byte', (s) => s.transact(new Uint8Array(1), new Uint8Array(8), 0, new Int32Array(1))],
  ['an event that is none', (s) => s.poll(4, () => undefined)],
  ['a listener that is missing', (s) => s.poll(1)],
  ['a timer that is a socket', (s) => s.setTimer(1)],
  ['a timer to read that is a socket', (s) => s.readTimer()],
];

/** Offset and length of message and address, in a slab of 32 bytes. */
const BAD_SPANS: readonly (readonly [number, number, number, number])[] = [
  [0, 33, 0, 0],
  [1, 32, 0, 0],
  [32, 1, 0, 0],
  [33, 0, 0, 0],
  [-1, 1, 0, 0],
  [0, -1, 0, 0],
  [0x7fffffff, 0x7fffffff, 0, 0],
  [-0x80000000, -0x80000000, 0, 0],
  [0, 1, 17, 16],
  [0, 1, -1, 16],
  [0, 1, 0, -16],
  [0, 1, 0, 33],
];

function refuseSpans(native: Native): void {
  const [left, right] = udpPair(native);
  const into = new Uint8Array(64);
  for (const span of BAD_SPANS) {
    // The first message is right: it must not be sent either.
    const spans = Int32Array.of(0, 8, 0, 0, ...span);
    assert.equal(left.sendBatch(new Uint8Array(32), spans), EINVAL, `${span}`);
  }
  assert.equal(right.receive(into), negative('EAGAIN'), 'nothing was sent');
  assert.equal(
    left.sendBatch(new Uint8Array(32), Int32Array.of(0, 32, 32, 0, 32, 0, 0, 0)),
    2,
    'the edges are in',
  );
  assert.equal(right.receive(into), 32);
  assert.equal(right.receive(into), 0);
  left.close();
  right.close();
}

/** Deterministic, so that a failure comes again. */
function picker(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % count;
  };
}

/** Good and bad values at random places: whatever they are, the answer is a number. */
function callAtRandom(native: Native, rounds: number): void {
  const pick = picker(20);
  const good = [
    ...Object.values(METHODS)
      .flat()
      .map((place) => place[1]),
    ...VALUES.map((value) => value[0]),
  ];
  const bag = [
    ...good,
    0,
    1,
    4,
    41,
    64,
    263,
    270,
    Uint8Array.of(1, 2),
    new Uint8Array(4096),
    new Int32Array(64),
  ];
  const families = [AF.INET, AF.INET6, AF.NETLINK, AF.UNIX];
  const names = Object.keys(METHODS);
  for (let round = 0; round < rounds; round += 1) {
    const socket = opened(native.openSocket(families[pick(families.length)] ?? 0, SOCK.DGRAM, 0));
    for (let index = 0; index < 20; index += 1) {
      const name = names[pick(names.length)] ?? '';
      const values = Array.from({ length: pick(6) }, () => bag[pick(bag.length)]);
      const result = (socket as unknown as Record<string, Call>)[name]?.(...values);
      assert.equal(typeof result, 'number', name);
    }
    assert.equal(socket.close(), 0);
  }
}

function onStrangers(native: Native): void {
  const socket = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  const type = socket.constructor as new () => NativeDescriptor;
  for (const stranger of [
    undefined,
    null,
    {},
    [],
    native,
    Object.create(type.prototype),
    new Proxy(socket, {}),
  ]) {
    for (const name of Object.keys(METHODS)) {
      const call = (socket as unknown as Record<string, Call>)[name] ?? assert.fail(name);
      assert.throws(() => call.call(stranger), TypeError, name);
    }
  }
  assert.throws(() => (type as unknown as () => void)(), TypeError, 'called, not constructed');
  assert.throws(() => (type as unknown as Call).call(socket), TypeError, 'called on a descriptor');
  class Derived extends type {}
  for (const made of [new type(), new Derived(), Reflect.construct(type, [], Date) as NativeDescriptor])
    assert.equal(type.prototype.send.call(made, noop(1)), negative('EBADF'), 'one made by hand is closed');
  assert.equal(socket.close(), 0);
}

function afterClose(native: Native): void {
  for (const descriptor of [native.openSocket(AF.INET, SOCK.DGRAM, 0), native.openTimer()].map(opened)) {
    descriptor.poll(1, () => assert.fail('called after close'));
    assert.equal(descriptor.close(), 0);
    for (const [name, places] of Object.entries(METHODS)) {
      const call = (descriptor as unknown as Record<string, Call>)[name] ?? assert.fail(name);
      const values = places.map(([, good]) => good);
      assert.equal(call.apply(descriptor, values), negative('EBADF'), name);
    }
    for (const name of ['close', 'ref', 'unref', 'readTimer'] as const)
      assert.equal(descriptor[name](), negative('EBADF'), name);
  }
}

function onlyDatagrams(native: Native): void {
  assert.equal(native.openSocket(AF.INET, SOCK.STREAM, 0), -94, 'ESOCKTNOSUPPORT');
  assert.equal(native.openSocket(AF.INET, SOCK.DGRAM | 0x800, 0), -94, 'the flags are ours');
  assert.equal(native.openSocket(40, SOCK.DGRAM, 0), negative('EAFNOSUPPORT'), 'AF_VSOCK');
  assert.equal(native.openSocket(AF.NETLINK, SOCK.RAW, 99), negative('EPROTONOSUPPORT'));
}

export const argumentCases: readonly NativeCase[] = [
  {
    name: 'a value of the wrong kind is -EINVAL at every place of every call',
    run(native) {
      for (let round = 0; round < 20; round += 1) {
        const socket = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
        assert.ok(refuseAll(socket, METHODS) > 900);
        assert.ok(refuseAll(native, FUNCTIONS) > 250);
        socket.close();
        const timer = opened(native.openTimer());
        assert.ok(refuseAll(timer, TIMER_METHODS) > 30);
        timer.close();
      }
    },
  },
  {
    name: 'a length or name out of range is -EINVAL',
    run(native) {
      const socket = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
      for (const [name, call] of LENGTHS) assert.equal(call(socket), EINVAL, name);
      socket.close();
    },
  },
  { name: 'spans outside the slab are -EINVAL, and nothing is sent', run: refuseSpans },
  { name: 'any mixture of values gives a number', run: (native) => callAtRandom(native, 2000) },
  { name: 'a method on a foreign object is a TypeError', run: onStrangers },
  { name: 'everything after close is -EBADF', run: afterClose },
  { name: 'streams, foreign families and flags are refused', run: onlyDatagrams },
  {
    name: 'the exit of a child is taken, once, and nothing of what is no child',
    run(native) {
      assert.equal(native.reapChild(process.pid), -10, 'ECHILD');
      for (const group of [0, -1]) assert.equal(native.reapChild(group), EINVAL, 'no group of children');
      const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
      // Node does not hear of an exit that others take.
      child.unref();
      assert.equal(native.reapChild(child.pid ?? 0), 0, 'it runs');
      child.kill('SIGKILL');
      let taken = 0;
      while (taken === 0) taken = native.reapChild(child.pid ?? 0);
      assert.equal(taken, child.pid);
    },
  },
  {
    name: 'a pipe has two ends that the caller closes, and that programs do not inherit',
    run(native) {
      assert.equal(native.openPipe(new Int32Array(1)), EINVAL, 'no room for two');
      const ends = new Int32Array(3).fill(-7);
      assert.equal(native.openPipe(ends), 0);
      const [read = -1, write = -1, rest] = ends;
      assert.equal(rest, -7);
      assert.equal(writeSync(write, 'through'), 7);
      const bytes = Buffer.alloc(16);
      assert.equal(bytes.toString('utf8', 0, readSync(read, bytes)), 'through');
      for (const end of [read, write]) {
        assert.match(readFileSync(`/proc/self/fdinfo/${end}`, 'utf8'), /^flags:\t0?2\d{6}\b/m, 'O_CLOEXEC');
        closeSync(end);
      }
    },
  },
  {
    name: 'a path that cannot be opened is its errno',
    run(native) {
      assert.equal(native.enterNamespace('/nonexistent', 0), negative('ENOENT'));
      assert.equal(native.enterNamespace('/proc/self/exe', 0), EINVAL, 'no namespace');
    },
  },
];
