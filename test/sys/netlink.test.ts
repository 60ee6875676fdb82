import { join } from 'node:path';
import t from 'tap';
import type { NetlinkSocket } from '../../src/core/ports.js';
import { loadNative, type Native, type NativeDescriptor } from '../../src/sys/native.js';
import { netlinkOpener, openNetlink } from '../../src/sys/netlink.js';
import { AF, isRoot, negative, noop, request } from './native/support.js';

const ROUTE = 0;
const EAGAIN = negative('EAGAIN');
/** RTM_GETLINK for index 0x7fffffff, which nobody has. */
const NO_LINK = request(18, 5, 9, Uint8Array.of(0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0));

function readable(socket: NetlinkSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.onReadable(() => {
      socket.onReadable(undefined);
      resolve();
    });
  });
}

t.test('the kernel answers within send', async (t) => {
  const socket = openNetlink(ROUTE);
  const into = new Uint8Array(32768);
  t.equal(socket.send(noop(1)), 16);
  t.equal(socket.receive(into), 36);
  const view = new DataView(into.buffer);
  t.equal(view.getUint32(8, true), 1, 'the sequence number');
  t.equal(view.getUint32(12, true), socket.portId, 'the port id');
  t.equal(socket.receive(into), EAGAIN);
  socket.close();
});

t.test('an error does not echo the request', async (t) => {
  const socket = openNetlink(ROUTE);
  const into = new Uint8Array(32768);
  socket.send(NO_LINK);
  const length = socket.receive(into);
  const view = new DataView(into.buffer);
  t.equal(view.getInt32(16, true), negative('ENODEV'));
  t.equal(view.getUint16(6, true) & 0x100, 0x100, 'NLM_F_CAPPED');
  t.equal(length, 36);
  socket.close();
});

t.test('an error carries the text of the kernel', async (t) => {
  const socket = openNetlink(ROUTE);
  const into = new Uint8Array(32768);
  // RTM_GETLINK with an IFLA_MTU of one byte.
  const badMtu = new Uint8Array(24);
  badMtu.set([5, 0, 4, 0, 1], 16);
  socket.send(request(18, 5, 3, badMtu));
  const length = socket.receive(into);
  t.equal(new DataView(into.buffer).getUint16(6, true) & 0x200, 0x200, 'NLM_F_ACK_TLVS');
  t.ok(Buffer.from(into.subarray(36, length)).toString('latin1').length > 8);
  socket.close();
});

t.test('onReadable calls until it is unset, and not after close', async (t) => {
  const socket = openNetlink(ROUTE);
  const into = new Uint8Array(64);
  const first = readable(socket);
  socket.send(noop(1));
  await first;
  socket.receive(into);
  const second = readable(socket);
  socket.send(noop(2));
  await second;
  socket.onReadable(() => t.fail('called after close'));
  socket.close();
  socket.close();
  t.equal(socket.send(noop(3)), negative('EBADF'));
  t.equal(socket.receive(into), negative('EBADF'));
  socket.onReadable(undefined);
});

t.test(
  'five thousand unread answers are not too many',
  { skip: isRoot ? false : 'needs root' },
  async (t) => {
    const socket = openNetlink(ROUTE);
    const into = new Uint8Array(64);
    for (let sequence = 1; sequence <= 5000; sequence += 1) socket.send(noop(sequence));
    let answers = 0;
    while (socket.receive(into) === 36) answers += 1;
    t.equal(answers, 5000);
    socket.close();
  },
);

t.test('a protocol that the kernel does not have is a NETLINK error', async (t) => {
  t.throws(() => openNetlink(31), {
    code: 'NETLINK',
    message: 'cannot open a netlink socket of protocol 31: socket says EPROTONOSUPPORT',
    facts: { operation: 'socket', errno: 'EPROTONOSUPPORT', protocol: 31 },
  });
});

/** A native part whose socket answers 0, but for the given results. */
function scripted(results: Readonly<Record<string, number>>): { native: Native; closed: () => number } {
  let closed = 0;
  const answer =
    (name: string) =>
    (...values: unknown[]): number => {
      if (name === 'close') closed += 1;
      return results[`${name} ${values[1]}`] ?? results[name] ?? 0;
    };
  const descriptor = new Proxy({}, { get: (_, name) => answer(String(name)) }) as NativeDescriptor;
  const openSocket = (domain: number): NativeDescriptor | number =>
    domain === AF.NETLINK ? (results.socket ?? descriptor) : -1;
  return { native: { ...loadNative(), openSocket }, closed: () => closed };
}

const FAILURES: readonly (readonly [string, Readonly<Record<string, number>>, string, number])[] = [
  ['no descriptor left', { socket: -24 }, 'NETLINK', 0],
  ['not permitted', { socket: -1 }, 'PERMISSION', 0],
  ['no access', { socket: -13 }, 'PERMISSION', 0],
  ['bind refused', { bind: -22 }, 'NETLINK', 1],
  ['connect not permitted', { connect: -1 }, 'PERMISSION', 1],
  ['no name', { getsockname: -105 }, 'NETLINK', 1],
];

t.test('what fails while opening is thrown, and the socket closed', async (t) => {
  for (const [name, results, code, closes] of FAILURES) {
    const { native, closed } = scripted(results);
    t.throws(() => netlinkOpener(() => native)(ROUTE), { code }, name);
    t.equal(closed(), closes, name);
  }
});

t.test('options that an old kernel lacks, and a small buffer, are no failure', async (t) => {
  const { native } = scripted({ 'setsockopt 11': -92, 'setsockopt 10': -92, 'setsockopt 33': -1 });
  t.equal(netlinkOpener(() => native)(ROUTE).portId, 0);
});

t.test('a native part that does not load says what to do', async (t) => {
  t.throws(() => loadNative('/nonexistent/lvsentry.node'), {
    code: 'NATIVE',
    message: /\/nonexistent\/lvsentry\.node: .*npm run build:native/,
    facts: { file: '/nonexistent/lvsentry.node' },
  });
  const old = join(t.testdir({ 'old.cjs': 'exports.openSocket = () => -1;' }), 'old.cjs');
  t.throws(() => loadNative(old), {
    code: 'NATIVE',
    message: /another version and has no openTimer; build it/,
  });
  t.equal(loadNative(), loadNative(), 'it is loaded once');
});
