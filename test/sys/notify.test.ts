import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadNative } from '../../src/sys/native.js';
import { notifyManager } from '../../src/sys/notify.js';

function listen(address: Uint8Array) {
  const socket = loadNative().openSocket(1, 2, 0);
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  if (socket.bind(address) < 0) throw new Error('bind');
  return () => {
    const into = new Uint8Array(64);
    const length = socket.receive(into);
    return length < 0 ? length : Buffer.from(into.subarray(0, length)).toString();
  };
}

t.test('a state reaches a manager that listens on a path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-notify-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'notify');
  const receive = listen(Buffer.concat([Uint8Array.of(1, 0), Buffer.from(path)]));
  notifyManager(path, 'READY=1');
  t.equal(receive(), 'READY=1');
});

t.test('a state reaches a manager that listens on an abstract name', async (t) => {
  const name = `lvsentry-test-${process.pid}`;
  const receive = listen(Buffer.concat([Uint8Array.of(1, 0, 0), Buffer.from(name)]));
  notifyManager(`@${name}`, 'STOPPING=1');
  t.equal(receive(), 'STOPPING=1');
});

t.test('without a manager nothing happens; one that is gone is told clearly', async (t) => {
  notifyManager(undefined, 'READY=1');
  notifyManager('', 'READY=1');
  t.throws(() => notifyManager('/nonexistent/notify', 'READY=1'), { code: 'NATIVE', message: /ENOENT/ });
  t.throws(() => notifyManager(`/${'x'.repeat(120)}`, 'READY=1'), { code: 'NATIVE' });
});
