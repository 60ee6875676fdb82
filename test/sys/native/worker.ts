/** What the cases do in a worker thread. `workerData.scenario` names it. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { CONNECT, CONNECT_READ, CONNECT_ROW } from '../../../src/core/connector.js';
import { loadNative, type Native, type NativeDescriptor, POLL_READABLE } from '../../../src/sys/native.js';
import { AF, inet, netlinkSocket, noop, opened, request, SOCK, udpPair } from './support.js';

const facts = workerData as { file: string; scenario: string; path: string; port: number };

function say(message: unknown): void {
  parentPort?.postMessage(message);
}

/** Sockets open, idle listeners armed, a timer running: and nobody closes anything. */
function litter(native: Native): NativeDescriptor[] {
  const sockets = Array.from({ length: 50 }, () => netlinkSocket(native));
  const timer = opened(native.openTimer());
  timer.setTimer(1e12);
  const all = [...sockets, timer, ...udpPair(native)];
  for (const descriptor of all) descriptor.poll(POLL_READABLE, () => undefined);
  return all;
}

const SCENARIOS: Readonly<Record<string, (native: Native) => void>> = {
  /** Waits to be terminated. */
  waits(native) {
    litter(native);
    say('ready');
  },
  /** Leaves while listeners are armed. */
  exits(native) {
    litter(native);
    process.exit(0);
  },
  /** Nothing keeps the thread but unreferenced listeners: it ends by itself. */
  unreferenced(native) {
    for (const descriptor of litter(native)) descriptor.unref();
  },
  /** Is terminated inside a listener that never returns. */
  spins(native) {
    const socket = netlinkSocket(native);
    socket.poll(POLL_READABLE, () => {
      say('ready');
      for (;;);
    });
    socket.send(noop(1));
  },
  /** Leaves while connections are under way. */
  connects(native) {
    const connector = native.openConnector(8);
    if (typeof connector === 'number') throw new Error(`opening gave ${connector}`);
    connector.poll(POLL_READABLE, () => undefined);
    const slab = inet([127, 0, 0, 1], facts.port);
    for (let slot = 0; slot < 8; slot += 1) {
      const row = new Int32Array(CONNECT_ROW);
      row[CONNECT.slot] = slot;
      row[CONNECT.addressLength] = slab.length;
      row[CONNECT.flags] = CONNECT_READ;
      connector.start(row, slab);
    }
    process.exit(0);
  },
  /** A listener throws: an uncaught exception of the thread, not the end of the process. */
  throws(native) {
    const socket = netlinkSocket(native);
    socket.poll(POLL_READABLE, () => {
      throw new Error('from a listener');
    });
    socket.send(noop(1));
  },
  /** Listens on, though a listener has thrown. */
  survives(native) {
    const socket = netlinkSocket(native);
    const into = new Uint8Array(64);
    let calls = 0;
    process.once('uncaughtException', () => socket.send(noop(2)));
    socket.poll(POLL_READABLE, () => {
      socket.receive(into);
      calls += 1;
      if (calls === 1) throw new Error('from a listener');
      say(calls);
      socket.close();
    });
    socket.send(noop(1));
  },
  /** The number of network interfaces in another namespace. */
  enters(native) {
    const entered = native.enterNamespace(facts.path, 0x40000000);
    const into = new Uint8Array(65536);
    const ends = new Int32Array(8);
    const socket = netlinkSocket(native);
    // RTM_GETLINK with NLM_F_REQUEST and NLM_F_DUMP, struct ifinfomsg all zeros.
    socket.transact(request(18, 0x301, 1, new Uint8Array(16)), into, 32768, ends);
    let links = 0;
    for (let at = 0; new DataView(into.buffer).getUint16(at + 4, true) === 16; links += 1)
      at += (new DataView(into.buffer).getUint32(at, true) + 3) & ~3;
    say({ entered, links });
  },
  /** Its scheduling policy after it asked for SCHED_FIFO 1 with SCHED_RESET_ON_FORK. */
  schedules(native) {
    const result = native.setScheduler(1 | 0x40000000, 1);
    const stat = readFileSync('/proc/thread-self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // proc(5): field 41 is the policy, counted from the third field here.
    say({ result, policy: Number(fields[41 - 3]) });
  },
  /** Opens what it can and says how it went. */
  opens(native) {
    say([AF.NETLINK, AF.INET, AF.UNIX].map((family) => typeof native.openSocket(family, SOCK.DGRAM, 0)));
  },
};

SCENARIOS[facts.scenario]?.(loadNative(facts.file));
