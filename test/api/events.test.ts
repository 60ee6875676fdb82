/** `/v1/events`: what a query gets, and what somebody who listens hears. */
import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { EventsStatus } from '../../src/api/events.js';
import { buildApi } from '../../src/api/server.js';
import { event, START } from '../events/build.js';
import { type FakeSource, source } from './build.js';

function filled(count: number): FakeSource {
  const its = source();
  for (let index = 1; index <= count; index += 1)
    its.events.record(event(index, index % 2 === 0 ? { kind: 'server-up', service: 'ftp' } : {}));
  return its;
}

async function numbersOf(its: FakeSource, query: string): Promise<number[]> {
  const answer = await buildApi(its).inject({ url: `/v1/events${query}` });
  return answer.json<EventsStatus>().events.map(({ sequence }) => sequence);
}

const at = (sequence: number): string => new Date(START + sequence * 1000).toISOString();

const QUERIES: readonly (readonly [string, readonly number[]])[] = [
  ['', [1, 2, 3, 4, 5, 6]],
  ['?limit=2', [5, 6]],
  ['?since=0&limit=2', [1, 2]],
  ['?since=4', [5, 6]],
  ['?since=aj-4', [5, 6]],
  ['?since=other-4', [1, 2, 3, 4, 5, 6]],
  [`?since=${at(5)}`, [5, 6]],
  ['?kind=server-up', [2, 4, 6]],
  ['?kind=server-up,server-down&limit=1', [6]],
  ['?kind=server-up&kind=server-down&limit=1', [6]],
  ['?service=web', [1, 3, 5]],
  ['?service=web&kind=server-up', []],
  ['?since=99', []],
];

t.test('a query gets the events that it asks for, oldest first', async (t) => {
  for (const [query, expected] of QUERIES) t.same(await numbersOf(filled(6), query), expected, query);
});

t.test('an event as it is told, and where to go on', async (t) => {
  const its = source();
  its.events.record(event(1, { service: undefined, server: undefined, facts: { n: 5n } }));
  const answer = await buildApi(its).inject({ url: '/v1/events' });
  t.same(answer.json(), {
    events: [
      {
        sequence: 1,
        time: '2023-11-14T22:13:21.000Z',
        kind: 'server-down',
        service: null,
        server: null,
        message: 'event 1',
        facts: { n: '5' },
      },
    ],
    next: 'aj-1',
  });
  t.equal((await buildApi(source()).inject({ url: '/v1/events' })).json<EventsStatus>().next, 'aj-0');
});

t.test('pages follow each other without a hole, also where nothing is wanted', async (t) => {
  const app = buildApi(filled(20));
  const seen: number[] = [];
  let since = '0';
  for (let page = 0; page < 10; page += 1) {
    const url = `/v1/events?kind=server-up&limit=3&since=${since}`;
    const { events, next } = (await app.inject({ url })).json<EventsStatus>();
    seen.push(...events.map(({ sequence }) => sequence));
    since = next;
  }
  t.same(seen, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  t.equal(since, 'aj-20');
});

t.test('what cannot be understood is refused, with what could be', async (t) => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['?since=yesterday', /`since` is a time such as/],
    ['?since=2026-03-01T03:00:00', /`since` is a time such as/],
    ['?limit=0', /`limit` is a number from 1 to 1000/],
    ['?limit=1001', /`limit` is/],
    ['?limit=-1', /`limit` is/],
    ['?kinds=x', /there is no parameter "kinds"; there are since, limit, kind, service/],
  ];
  const app = buildApi(filled(1));
  for (const [query, expected] of rows) {
    const answer = await app.inject({ url: `/v1/events${query}` });
    t.equal(answer.statusCode, 400, query);
    t.match(answer.json(), { error: { code: 'BAD_REQUEST', message: expected } });
  }
});

/** Somebody who listens. */
class Listener {
  text = '';
  readonly request: ClientRequest;
  response: IncomingMessage | undefined;

  constructor(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
    this.request = get({
      port,
      path,
      host: '127.0.0.1',
      headers: { accept: 'text/event-stream', ...headers },
      agent: false,
    });
    this.request.on('error', () => undefined);
  }

  async open(): Promise<this> {
    const [response] = (await once(this.request, 'response')) as [IncomingMessage];
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.text += text;
    });
    response.on('error', () => undefined);
    await this.until('retry: ');
    return this;
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this.response ?? this.request, 'data');
  }

  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');
  }
}

async function listening(t: Test, its: FakeSource): Promise<number> {
  const app = buildApi(its);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  return (app.server.address() as AddressInfo).port;
}

t.test('who listens hears what happens from now on, and only what was asked for', async (t) => {
  const its = filled(4);
  const port = await listening(t, its);
  const all = await new Listener(port, '/v1/events').open();
  const ups = await new Listener(port, '/v1/events?kind=server-up').open();
  t.match(all.response?.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
  for (const index of [5, 6, 7]) its.events.record(event(index, index === 6 ? { kind: 'server-up' } : {}));
  await all.until('id: aj-7\n');
  await ups.until('id: aj-6\n');
  t.same(all.ids, ['aj-5', 'aj-6', 'aj-7']);
  t.same(ups.ids, ['aj-6']);
  t.match(JSON.parse(/^data: (.*)$/m.exec(all.text)?.[1] ?? ''), { sequence: 5, message: 'event 5' });
});

t.test('who lost the connection goes on behind the last event that it had', async (t) => {
  const its = filled(6);
  const port = await listening(t, its);
  const resumed = await new Listener(port, '/v1/events', { 'last-event-id': 'aj-4' }).open();
  await resumed.until('id: aj-6\n');
  t.same(resumed.ids, ['aj-5', 'aj-6']);
  const stranger = await new Listener(port, '/v1/events', { 'last-event-id': 'zz-4' }).open();
  await stranger.until('id: aj-6\n');
  t.equal(stranger.ids.length, 6, 'of another journal: from the beginning');
  const since = await new Listener(port, '/v1/events?since=5').open();
  await since.until('id: aj-6\n');
  t.same(since.ids, ['aj-6']);
});

t.test('many events at once reach a slow reader whole, in order and each once', async (t) => {
  const its = source();
  const port = await listening(t, its);
  const slow = await new Listener(port, '/v1/events').open();
  slow.response?.pause();
  for (let index = 1; index <= 900; index += 1)
    its.events.record(event(index, { message: 'x'.repeat(3000) }));
  await new Promise((resolve) => setImmediate(resolve));
  slow.response?.resume();
  await slow.until('id: aj-900\n');
  t.same(
    slow.ids,
    Array.from({ length: 900 }, (_, index) => `aj-${index + 1}`),
  );
});

t.test('in silence there is a heartbeat, until the reader is gone', async (t) => {
  const its = source();
  const port = await listening(t, its);
  const reader = await new Listener(port, '/v1/events').open();
  t.equal(its.timers.waiting, 1);
  await its.timers.advance(5000);
  await reader.until(':\n\n');
  reader.request.destroy();
  while (its.timers.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
  its.events.record(event(1));
  t.pass('and nobody is written to any more');
});

t.test('there are not more streams than there may be, and one that ended makes room', async (t) => {
  const its = source();
  const port = await listening(t, its);
  const readers = await Promise.all(
    Array.from({ length: 50 }, () => new Listener(port, '/v1/events').open()),
  );
  const asked = async (): Promise<number | undefined> => {
    const request = get({ port, path: '/v1/events', headers: { accept: 'text/event-stream' }, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    request.destroy();
    return response.statusCode;
  };
  t.equal(await asked(), 503);
  readers[0]?.request.destroy();
  let status = await asked();
  while (status === 503) status = await asked();
  t.equal(status, 200);
});
