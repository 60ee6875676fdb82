/** What HTTP checks look for, beside a status and a text. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import t from 'tap';
import { httpProber } from '../../src/checks/http.js';
import { systemClock } from '../../src/sys/clock.js';
import { answering, CHUNKED, check, counted, HEAD, OK, type Row } from './http-talks.js';
import { dribble, flood, listen, probeOnce } from './listeners.js';
import { tlsClient } from './secure.js';

const http = httpProber(systemClock.monotonic, tlsClient);

const bad = (detail: string): object => ({ kind: 'bad-content', phase: 'response', detail });
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const says = (text: string) => answering((s: Socket) => s.write(text));
const JSON_TEXT = '{"status":"ok","lag":0,"list":[true,null],"a/b":{"c":"x"}}';

const ROWS: readonly Row[] = [
  { name: 'a match', talk: says(counted('workers: 4')), more: { matches: 'workers: [1-9]' }, reason: OK },
  {
    name: 'a match over pieces',
    talk: answering((s) => dribble(s, `${CHUNKED}5\r\nworke\r\n5\r\nrs: 4\r\n0\r\n\r\n`)),
    more: { matches: '^workers: [1-9]$' },
    reason: OK,
  },
  { name: 'an empty body', talk: says(counted('')), more: { matches: '^$' }, reason: OK },
  {
    name: 'no match',
    talk: says(counted('workers: 0')),
    more: { matches: 'workers: [1-9]' },
    reason: bad('no match of /workers: [1-9]/ in 10 bytes'),
  },
  {
    name: 'a match beyond the limit',
    talk: says(counted('xxxxy')),
    more: { matches: 'y', bodyLimit: 4 },
    reason: { kind: 'too-long', phase: 'response', limit: 4 },
  },
  {
    name: 'JSON',
    talk: says(counted(JSON_TEXT)),
    more: {
      json: [
        ['/status', 'ok'],
        ['/lag', 0],
        ['/list/0', true],
        ['/list/1', null],
        ['/a~1b/c', 'x'],
      ],
    },
    reason: OK,
  },
  {
    name: 'JSON, byte by byte',
    talk: answering((s) => dribble(s, Buffer.from(counted('{"é":"ž"}')).toString('latin1'))),
    more: { json: [['/é', 'ž']] },
    reason: OK,
  },
  {
    name: 'another value',
    talk: says(counted(JSON_TEXT)),
    more: { json: [['/status', 'up']] },
    reason: bad('/status is "ok", not "up"'),
  },
  {
    name: 'a number as text',
    talk: says(counted(JSON_TEXT)),
    more: { json: [['/lag', '0']] },
    reason: bad('/lag is 0, not "0"'),
  },
  {
    name: 'a list in place of a value',
    talk: says(counted(JSON_TEXT)),
    more: { json: [['/list', 1]] },
    reason: bad('/list is a list, not 1'),
  },
  {
    name: 'nothing there',
    talk: says(counted(JSON_TEXT)),
    more: { json: [['/x', 1]] },
    reason: bad('no /x'),
  },
  { name: 'no JSON', talk: says(counted('<html>')), more: { json: [['/x', 1]] }, reason: bad('not JSON') },
  {
    name: 'JSON in great depth',
    talk: says(counted('['.repeat(900))),
    more: { json: [['/x', 1]] },
    reason: bad('not JSON'),
  },
  { name: 'a bare value', talk: says(counted('"ok"')), more: { json: [['', 'ok']] }, reason: OK },
  {
    name: 'JSON longer than we read',
    talk: says(counted(`"${'x'.repeat(2000)}"`)),
    more: { json: [['', 'x']] },
    reason: { kind: 'too-long', phase: 'response', limit: 1000 },
  },
  {
    name: 'JSON that breaks off',
    talk: answering((s) => s.end(counted('{"a":', 99))),
    more: { json: [['/a', 1]] },
    reason: { kind: 'closed', phase: 'response' },
  },
  { name: 'an MD5', talk: says(counted('fine')), more: { digest: md5('fine') }, reason: OK },
  {
    name: 'a SHA-256 of chunks',
    talk: says(`${CHUNKED}2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n`),
    more: { digest: sha256('fine') },
    reason: OK,
  },
  {
    name: 'another body',
    talk: says(counted('Fine')),
    more: { digest: md5('fine') },
    reason: bad(`the MD5 of the body is ${md5('Fine')}`),
  },
  {
    name: 'a body that begins like it',
    talk: says(counted('fine!')),
    more: { digest: sha256('fine'), bodyLimit: 4 },
    reason: { kind: 'too-long', phase: 'response', limit: 4 },
  },
  {
    name: 'an endless body',
    talk: answering((s) => flood(s, `${HEAD}\r\nfine`)),
    more: { digest: md5('fine') },
    reason: { kind: 'too-long', phase: 'response', limit: 1000 },
  },
  {
    name: 'all at once',
    talk: says(counted('{"a":1}')),
    more: { contains: 'a', matches: '[0-9]', json: [['/a', 1]], digest: md5('{"a":1}') },
    reason: OK,
  },
  {
    name: 'all but one',
    talk: says(counted('{"a":1}')),
    more: { contains: 'b', matches: '[0-9]', json: [['/a', 1]] },
    reason: bad('no "b" in 7 bytes'),
  },
  {
    name: 'a header',
    talk: says(`${HEAD}X-State: up\r\n\r\n`),
    more: {
      fields: [
        ['x-state', '^up$'],
        ['server', ''],
      ],
    },
    reason: OK,
  },
  {
    name: 'a header that is not there',
    talk: says(`${HEAD}\r\n`),
    more: { fields: [['x-state', '']] },
    reason: bad('no x-state'),
  },
  {
    name: 'another header',
    talk: says(`${HEAD}X-State: down\r\n\r\n`),
    more: { fields: [['x-state', '^up$']] },
    reason: bad('x-state is "down", which /^up$/ does not match'),
  },
  {
    name: 'a bad status counts first',
    talk: says('HTTP/1.1 500 Oops\r\n\r\n'),
    more: { fields: [['x-state', '']], digest: md5('') },
    reason: { kind: 'bad-status', status: 500 },
  },
  {
    name: 'a redirect to nowhere',
    talk: says('HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n'),
    more: { redirects: 3 },
    reason: { kind: 'bad-status', status: 302 },
  },
  {
    name: 'a redirect to another protocol',
    talk: says('HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\n\r\n'),
    more: { redirects: 3 },
    reason: { kind: 'bad-status', status: 302 },
  },
  {
    name: 'a redirect to port 0',
    talk: says('HTTP/1.1 302 Found\r\nLocation: http://x:0/\r\n\r\n'),
    more: { redirects: 3 },
    reason: { kind: 'bad-status', status: 302 },
  },
  {
    name: 'a redirect that is wanted',
    talk: says('HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n'),
    more: { redirects: 3, status: [[302, 302]] },
    reason: OK,
  },
];

t.test('what is looked for in an answer', async (t) => {
  for (const { name, talk, more, reason } of ROWS) {
    const listener = await listen(t, talk);
    const result = await probeOnce(t, http, check(listener.target, more), { listeners: [listener] });
    t.same(result.reason, reason, name);
    await listener.close();
  }
});
