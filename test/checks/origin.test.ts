/** Where probes come from: seen by servers in another network namespace, and what is missing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { namespacePath } from '../../src/checks/origin.js';
import { loadNative } from '../../src/sys/native.js';
import { faultsOf, serviceOf } from '../config/given.js';
import { Authority } from './certificates.js';
import { ORIGINS } from './origin-probes.js';

const isRoot = process.getuid?.() === 0;
const CHILD = fileURLToPath(new URL('./origin-child.js', import.meta.url));

t.test(
  'servers see probes come from where they are told to',
  { skip: isRoot ? false : 'needs root' },
  async (t) => {
    const { key, cert } = new Authority(t, 'anybody').issue('DNS:x');
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-origin-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const files = [join(folder, 'key.pem'), join(folder, 'cert.pem')] as const;
    writeFileSync(files[0], key);
    writeFileSync(files[1], cert);
    const { stdout, stderr } = spawnSync('unshare', ['-n', process.execPath, CHILD, ...files], {
      encoding: 'utf8',
      timeout: 120_000,
      env: { PATH: process.env.PATH },
    });
    const lines = stdout.trim().split('\n');
    t.equal(lines.length, ORIGINS.length + 1, stderr.slice(-2000));
    for (const [index, { check, target, expect }] of ORIGINS.entries())
      t.same(Object.values(JSON.parse(lines[index] ?? '{}') as object), expect, `${check} -> ${target}`);
    t.same(
      JSON.parse(lines.at(-1) ?? '{}'),
      { home: true, leaked: 0 },
      'the thread is where it was, with nothing left open',
    );
  },
);

t.test('what the native part refuses of an origin', async (t) => {
  const { openOrigin } = loadNative();
  const none = new Uint8Array(0);
  const wrong: readonly (readonly [string, unknown[]])[] = [
    ['a family', [1, 1, 0, none, none]],
    ['a type', [2, 3, 0, none, none]],
    ['a mark', [2, 1, 2 ** 31, none, none]],
    ['a device', [2, 1, 0, 'lo', none]],
    ['a long device', [2, 1, 0, new Uint8Array(16), none]],
    ['a source', [2, 1, 0, none, undefined]],
    ['a long source', [2, 1, 0, none, new Uint8Array(200)]],
    ['a short source', [2, 1, 0, none, new Uint8Array(3)]],
    ['a namespace', [2, 1, 0, none, none, 5]],
    ['a NUL in a namespace', [2, 1, 0, none, none, 'a\0b']],
    ['an empty namespace', [2, 1, 0, none, none, '']],
    ['a namespace that is no file', [2, 1, 0, none, none, '/nonexistent/ns']],
    ['nothing', []],
  ];
  for (const [what, words] of wrong) {
    const result = (openOrigin as (...words: unknown[]) => number)(...words);
    t.ok(Number.isInteger(result) && result < 0, `${what}: ${result}`);
  }
});

const LINES = 'address: 192.0.2.1:80\nforward: masquerade\n';

t.test('an origin is inherited key by key, over kinds, and is not there where nothing is said', async (t) => {
  const service = serviceOf(`${LINES}check: { type: tcp, mark: 7, source: 192.0.2.9 }
servers:
  - 192.0.2.2
  - { address: 192.0.2.3, check: { type: http, mark: 8, interface: eth1, namespace: a } }
`);
  const origins = service.servers.map(({ checks }) => checks[0].probe.target.origin);
  t.same(origins, [
    { source: '192.0.2.9', device: undefined, mark: 7, namespace: undefined },
    { source: '192.0.2.9', device: 'eth1', mark: 8, namespace: 'a' },
  ]);
  const plain = serviceOf(`${LINES}servers: [192.0.2.2]`).servers[0]?.checks[0].probe.target ?? {};
  t.notOk('origin' in plain);
  t.equal(namespacePath('a'), '/run/netns/a');
  t.equal(namespacePath('/proc/7/ns/net'), '/proc/7/ns/net');
});

t.test('a source that cannot be one is a fault', async (t) => {
  const faults = (source: string): readonly string[] =>
    faultsOf(
      `services:\n  web: { address: 192.0.2.1:80, forward: masquerade, check: { source: '${source}' }, servers: [192.0.2.2] }`,
    );
  t.match(faults('224.0.0.1'), [/cannot come from it/]);
  t.match(faults('::1'), [/::1 is ipv6, and 192\.0\.2\.2, which is probed, is ipv4/]);
  t.same(faults('127.0.0.1'), []);
});
