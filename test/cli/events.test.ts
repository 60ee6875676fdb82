/** `lvsentry events`. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { buildApi } from '../../src/api/server.js';
import { sinceText } from '../../src/cli/events.js';
import { EventReader } from '../../src/cli/follow.js';
import { runCli } from '../../src/cli/program.js';
import { type FakeSource, source } from '../api/build.js';
import { event, START } from '../events/build.js';
import { cli, context } from './context.js';

async function daemon(t: Test, its: FakeSource): Promise<string> {
  const app = buildApi(its);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

function filled(count: number): FakeSource {
  const its = source();
  for (let index = 1; index <= count; index += 1) its.events.record(event(index));
  return its;
}

t.test('the newest events, a line each', async (t) => {
  const url = await daemon(t, filled(150));
  const { code, out } = await cli(['events', '--url', url]);
  t.equal(code, 0);
  const lines = out.split('\n');
  t.equal(lines.length, 100);
  t.equal(lines.at(-1), '2023-11-14T22:15:50.000Z server-down        event 150');
});

t.test('all since a time or a number, however many, and as JSON', async (t) => {
  const url = await daemon(t, filled(999));
  const all = await cli(['events', '--url', url, '--since', '0']);
  t.equal(all.out.split('\n').length, 999);
  const some = await cli(['events', '--url', url, '--since', '997', '--json']);
  t.same(
    some.out.split('\n').map((line) => (JSON.parse(line) as { sequence: number }).sequence),
    [998, 999],
  );
  const none = await cli(['events', '--url', url, '--since', '0', '--kind', 'server-up']);
  t.same([none.code, none.out], [0, '']);
  const web = await cli(['events', '--url', url, '--since', '998', '--service', 'web']);
  t.match(web.out, /event 999$/);
});

t.test('a beginning is how long ago, a time or a number', async (t) => {
  const now = START + 600_000;
  t.equal(sinceText('10m', now), new Date(START).toISOString());
  t.equal(sinceText('2026-03-01T03:00:00+01:00', now), '2026-03-01T02:00:00.000Z');
  t.equal(sinceText('17', now), '17');
  for (const wrong of ['yesterday', '10', '2026-03-01', '10 m', ''])
    if (wrong !== '10') t.throws(() => sinceText(wrong, now), { code: 'USAGE' }, wrong);
  const { code, err } = await cli(['events', '--since', 'yesterday']);
  t.equal(code, 2);
  t.match(err, /"yesterday" is no beginning: write how long ago \(10m\)/);
});

t.test('--follow goes on with what happens, over a restart of the daemon too', async (t) => {
  const its = filled(2);
  let app = buildApi(its);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const fake = context();
  void runCli(['events', '--follow', '--url', `http://127.0.0.1:${port}`], fake);
  const line = async (text: string): Promise<void> => {
    while (!fake.lines.some((each) => each.endsWith(text))) {
      await (fake.timers as FakeSource['timers']).advance(1000);
    }
  };
  await line('event 2');
  its.events.record(event(3));
  await line('event 3');
  await app.close();
  its.events.record(event(4));
  app = buildApi(its);
  await app.listen({ host: '127.0.0.1', port });
  t.teardown(() => app.close());
  await line('event 4');
  t.same(
    fake.lines.map((each) => each.slice(-1)),
    ['1', '2', '3', '4'],
  );
});

async function stranger(t: Test, body: string): Promise<string> {
  const server: Server = createServer((_, response) => response.end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('who answers may be somebody else', async (t) => {
  for (const body of [
    '',
    'null',
    '{}',
    '{"events":[]}',
    '{"events":[5],"next":"a-1"}',
    '{"events":{},"next":"a-1"}',
  ]) {
    const { code, err } = await cli(['events', '--url', await stranger(t, body)]);
    t.equal(code, 4, body);
    t.match(err, /what answers there is not lvsentry/);
  }
});

t.test('control characters of a message do not reach the terminal', async (t) => {
  const its = source();
  its.events.record(event(1, { message: 'a\u001b[2Jb\nc' }));
  const { out } = await cli(['events', '--url', await daemon(t, its)]);
  t.match(out, /a \[2Jb c$/);
});

t.test('a stream is cut into events wherever it is broken, and never grows without end', async (t) => {
  const text = 'retry: 2000\n\nid: a-1\ndata: {"x":1}\n\n:\n\nid: a-2\ndata: {"x":2}\n\n';
  for (let size = 1; size < text.length; size += 1) {
    const seen: (readonly [string, string])[] = [];
    const reader = new EventReader((id, data) => seen.push([id, data]));
    for (let start = 0; start < text.length; start += size) reader.read(text.slice(start, start + size));
    t.same(
      seen,
      [
        ['a-1', '{"x":1}'],
        ['a-2', '{"x":2}'],
      ],
      `in pieces of ${size}`,
    );
  }
  const endless = new EventReader(() => undefined);
  t.throws(() => endless.read('x'.repeat(1024 * 1024 + 1)), { code: 'API' });
});
