/**
 * Every kind of check by the bundled program: what a kind loads when it is first used has to be in the bundle, and tests of
 * the sources do not see whether it is.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CHECK_TYPES, type CheckType } from '../../src/checks/model.js';
import { NO_REDIS, RedisServer } from '../store/servers.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/bundle/src/main.js', import.meta.url));

/** Keys that a kind cannot be without. */
const KEYS: Readonly<Partial<Record<CheckType, readonly string[]>>> = {
  exec: ['program=[/bin/true]'],
  file: ['value-file=/proc/sys/net/ipv4/ip_forward'],
  radius: ['status-server=true', 'secret=x'],
  mysql: ['user=x'],
  postgres: ['user=x'],
  'send-expect': ['steps=[{ expect: nonsense }]'],
};

interface Said {
  readonly code: unknown;
  readonly text: string;
}

function probe(kind: string, target: string): Promise<Said> {
  const keys = (KEYS[kind as CheckType] ?? []).flatMap((key) => ['--set', key]);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, 'probe', kind, target, '--timeout', '1s', ...keys],
      (error, out, err) => {
        resolve({ code: error?.code ?? 0, text: out + err });
      },
    );
  });
}

t.test('no kind lacks anything in the bundle', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('nonsense\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const kind of CHECK_TYPES) {
    const { code, text } = await probe(kind, kind === 'ping' ? '127.0.0.1' : `127.0.0.1:${port}`);
    t.ok(code === 0 || code === 1, `${kind} is probed: ${text}`);
    t.notMatch(text, /not probed/, `${kind} is probed`);
  }
});

t.test('and redis is spoken to', { skip: NO_REDIS }, async (t) => {
  const redis = await RedisServer.start(t);
  const { code, text } = await probe('redis', `127.0.0.1:${redis.port}`);
  t.equal(code, 0, text);
});
