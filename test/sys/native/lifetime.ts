/** The life of descriptors: nothing leaks, whoever forgets or ends; and readiness. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { type Native, type NativeDescriptor, POLL_READABLE, POLL_WRITABLE } from '../../../src/sys/native.js';
import { overrun } from './messages.js';
import {
  ACK_BYTES,
  AF,
  collectUntil,
  firstMessage,
  type NativeCase,
  negative,
  netlinkSocket,
  noop,
  openDescriptors,
  opened,
  ready,
  SOCK,
  startWorker,
  turns,
  udpPair,
} from './support.js';

function openAndClose(native: Native): void {
  const before = openDescriptors();
  for (let round = 0; round < 10; round += 1) {
    const sockets = Array.from({ length: 1000 }, () => opened(native.openSocket(AF.NETLINK, SOCK.RAW, 0)));
    for (const [index, socket] of sockets.entries())
      if (index % 2 === 0)
        assert.equal(
          socket.poll(POLL_READABLE, () => undefined),
          0,
        );
    for (const socket of sockets) assert.equal(socket.close(), 0);
  }
  assert.equal(openDescriptors(), before);
}

function forget(native: Native): void {
  for (let index = 0; index < 2000; index += 1) {
    const socket = opened(native.openSocket(AF.NETLINK, SOCK.RAW, 0));
    if (index % 2 === 0) {
      socket.poll(POLL_READABLE, () => undefined);
      socket.poll(0);
    }
  }
}

async function forgotten(native: Native): Promise<void> {
  const before = openDescriptors();
  forget(native);
  assert.ok(openDescriptors() > before);
  await collectUntil(() => openDescriptors() <= before);
}

/** Gives one end of a pair; nobody holds the other but its own listening. */
function listenUnheld(native: Native, heard: () => void): NativeDescriptor {
  const [left, right] = udpPair(native);
  right.poll(POLL_READABLE, () => {
    right.close();
    heard();
  });
  return left;
}

async function listening(native: Native): Promise<void> {
  let heard = (): void => undefined;
  const hearing = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const sender = listenUnheld(native, heard);
  let rounds = 0;
  await collectUntil(() => {
    rounds += 1;
    return rounds > 5;
  });
  assert.equal(sender.send(Uint8Array.of(1)), 1);
  await hearing;
  sender.close();
}

async function endWorkers(_native: Native, file: string): Promise<void> {
  const before = openDescriptors();
  for (let round = 0; round < 3; round += 1) {
    for (const scenario of ['exits', 'unreferenced']) {
      const [code] = await once(startWorker(file, scenario), 'exit');
      assert.equal(code, 0, scenario);
    }
    for (const scenario of ['waits', 'spins']) {
      const worker = startWorker(file, scenario);
      assert.equal(await firstMessage(worker), 'ready');
      await worker.terminate();
    }
  }
  await collectUntil(() => openDescriptors() <= before);
}

async function exceptions(_native: Native, file: string): Promise<void> {
  const [thrown] = await once(startWorker(file, 'throws'), 'error');
  assert.match(String(thrown), /from a listener/);
  assert.equal(await firstMessage(startWorker(file, 'survives')), 2);
}

async function readiness(native: Native): Promise<void> {
  const [left, right] = udpPair(native);
  assert.equal(await ready(left, POLL_WRITABLE), POLL_WRITABLE);
  assert.equal(await ready(left, POLL_READABLE | POLL_WRITABLE), POLL_WRITABLE);
  right.send(Uint8Array.of(1));
  assert.equal(await ready(left), POLL_READABLE);
  const into = new Uint8Array(8);
  assert.equal(left.receive(into), 1);
  let calls = 0;
  left.poll(POLL_READABLE, () => {
    left.receive(into);
    calls += 1;
  });
  await turns(20);
  assert.equal(calls, 0, 'nothing to receive, nothing to hear');
  left.poll(0);
  right.send(Uint8Array.of(1));
  await turns(20);
  assert.equal(calls, 0, 'not after poll(0)');
  assert.equal(
    left.poll(POLL_READABLE, () => assert.fail('replaced')),
    0,
  );
  const again = ready(left);
  assert.equal(await again, POLL_READABLE, 'the later listener');
  left.close();
  right.close();
}

/** A listener may close its descriptor, or begin anew. */
async function withinListener(native: Native): Promise<void> {
  const [left, right] = udpPair(native);
  right.send(Uint8Array.of(1));
  right.send(Uint8Array.of(2));
  let first = 0;
  const second = new Promise<void>((resolve) => {
    left.poll(POLL_READABLE, () => {
      first += 1;
      left.receive(new Uint8Array(8));
      left.poll(0);
      left.poll(POLL_READABLE, () => {
        assert.equal(left.close(), 0);
        resolve();
      });
    });
  });
  await second;
  await turns(20);
  assert.equal(first, 1);
  right.close();
}

/** A pending error wakes the listener, and the next message wakes it again. */
async function errorsWake(native: Native): Promise<void> {
  const socket = netlinkSocket(native);
  const into = new Uint8Array(64);
  const results: number[] = [];
  let heard = 0;
  let wake = (): void => undefined;
  overrun(socket);
  const drained = new Promise<void>((resolve) => {
    wake = resolve;
  });
  socket.poll(POLL_READABLE, () => {
    heard += 1;
    let result = socket.receive(into);
    while (result !== negative('EAGAIN')) {
      results.push(result);
      result = socket.receive(into);
    }
    wake();
  });
  await drained;
  assert.ok(results.includes(negative('ENOBUFS')));
  const before = heard;
  const next = new Promise<void>((resolve) => {
    wake = resolve;
  });
  socket.send(noop(1));
  await next;
  assert.ok(heard > before);
  assert.equal(results.at(-1), ACK_BYTES);
  socket.close();
}

async function timers(native: Native): Promise<void> {
  const now = (): number => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  };
  const timer = opened(native.openTimer());
  assert.equal(timer.readTimer(), negative('EAGAIN'));
  for (const deadline of [1e-9, 0.5, 1, now() - 1]) {
    assert.equal(timer.setTimer(deadline), 0);
    await ready(timer);
    assert.equal(timer.readTimer(), 1, `the past instant ${deadline} fires at once`);
  }
  const due = now() + 20.5;
  assert.equal(timer.setTimer(due), 0);
  await ready(timer);
  assert.ok(now() >= due, 'not early');
  assert.equal(timer.readTimer(), 1);
  assert.equal(timer.readTimer(), negative('EAGAIN'), 'once');
  timer.setTimer(1);
  timer.setTimer(0);
  assert.equal(timer.readTimer(), negative('EAGAIN'), 'disarmed');
  assert.equal(timer.setTimer(1e15), 0);
  assert.equal(timer.setTimer(2e15), negative('EINVAL'));
  assert.equal(timer.send(noop(1)), -88, 'ENOTSOCK');
  timer.close();
}

async function namespaces(native: Native, file: string): Promise<void> {
  const child = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' });
  try {
    await once(child, 'spawn');
    const path = `/proc/${child.pid}/ns/net`;
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(path) === own) await turns(1);
    assert.deepEqual(await firstMessage(startWorker(file, 'enters', { path })), { entered: 0, links: 1 });
    assert.equal(readlinkSync('/proc/thread-self/ns/net'), own, 'the others stay where they are');
    assert.equal(native.enterNamespace(path, 0x20000), negative('EINVAL'), 'another type of namespace');
  } finally {
    child.kill();
  }
}

async function schedulers(_native: Native, file: string): Promise<void> {
  const { result, policy } = (await firstMessage(startWorker(file, 'schedules'))) as Record<string, number>;
  if (result === negative('EPERM')) return;
  assert.deepEqual([result, policy], [0, 1]);
}

async function manyThreads(_native: Native, file: string): Promise<void> {
  const answers = await Promise.all([1, 2, 3, 4].map(() => firstMessage(startWorker(file, 'opens'))));
  for (const answer of answers) assert.deepEqual(answer, ['object', 'object', 'object']);
}

export const lifetimeCases: readonly NativeCase[] = [
  { name: 'ten thousand sockets opened and closed leak no descriptor', run: openAndClose },
  { name: 'sockets that nobody refers to are collected and closed', run: forgotten },
  { name: 'a listening socket is not collected', run: listening },
  { name: 'a thread that ends closes its sockets, armed listeners included', run: endWorkers },
  { name: 'an exception in a listener is an uncaught exception of its thread', run: exceptions },
  { name: 'a listener hears what it listens for, until it is replaced or stopped', run: readiness },
  { name: 'a listener may close its descriptor or listen anew', run: withinListener },
  { name: 'an error wakes the listener, and it goes on listening', run: errorsWake },
  { name: 'a timer fires once, at its instant and not before', run: timers },
  { name: 'a thread enters a network namespace alone', needsRoot: true, run: namespaces },
  { name: 'a thread changes its scheduling policy alone', needsRoot: true, run: schedulers },
  { name: 'several threads use the native part at once', run: manyThreads },
];
