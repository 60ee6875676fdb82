/** `lvsentry probe` against real listeners. */
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { answering, counted } from '../checks/http-talks.js';
import { closedPort, listen } from '../checks/listeners.js';
import { cli } from './context.js';

const REAL = { clock: systemClock, timers: systemTimers };
const probe = (...words: readonly string[]) => cli(['probe', ...words], REAL);

t.test('a probe that passes prints its phases and how long each took', async (t) => {
  const { target } = await listen(
    t,
    answering((socket) => socket.end(counted('all is fine'))),
  );
  const words = ['http', `127.0.0.1:${target.port}`, '--set', 'path=/health', '-s', 'status=[200, 204]'];
  const { code, out, err } = await probe(...words, '-s', 'contains=is fine');
  t.equal(code, 0, err);
  const lines = out.split('\n');
  t.same(
    lines.slice(0, -1).map((line) => line.replace(/ +\d+\.\d{3} ms$/, '').trim()),
    ['connect', 'request', 'response'],
  );
  t.match(lines.at(-1), /^pass: ok, \d+\.\d{3} ms in all$/);
});

t.test('one that fails says why, and is exit code 1', async (t) => {
  const { port } = await closedPort(t);
  const refused = await probe('tcp', `127.0.0.1:${port}`);
  t.equal(refused.code, 1);
  t.match(refused.out, /^fail: connection refused in connect, /m);
  const mute = await listen(t, () => undefined);
  const late = await probe('http', `127.0.0.1:${mute.target.port}`, '--timeout', '50ms');
  t.equal(late.code, 1);
  t.match(late.out, /^fail: timeout in response after \d+ ms, /m);
});

t.test('IPv6, with and without a port in the target', async (t) => {
  const { target } = await listen(t, () => undefined, ip('::1'));
  t.equal((await probe('tcp', `[::1]:${target.port}`)).code, 0);
  t.equal((await probe('tcp', '::1', '--set', `port=${target.port}`)).code, 0);
});

t.test('several probes, as JSON: a line each', async (t) => {
  const { target } = await listen(t, () => undefined);
  const { code, out } = await probe('tcp', `127.0.0.1:${target.port}`, '--count', '3', '--json');
  t.equal(code, 0);
  const results = out.split('\n').map((line) => JSON.parse(line) as object);
  t.equal(results.length, 3);
  for (const result of results)
    t.match(result, {
      outcome: 'pass',
      reason: { kind: 'ok' },
      phases: { connect: Number },
      elapsed: Number,
    });
});

const WRONG: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
  'a type that is none': [['htpp', '127.0.0.1:80'], /'htpp' is invalid for argument 'type'/],
  'no target': [['tcp'], /missing required argument 'target'/],
  'a name': [['tcp', 'localhost:80'], /holds a name; names are not looked up/],
  'no port': [['tcp', '127.0.0.1'], /no port that could be probed/],
  'a key that is none': [['http', '127.0.0.1:80', '--set', 'pth=/'], /check: unknown key|pth/],
  'a key of another type': [['tcp', '127.0.0.1:80', '--set', 'path=/'], /path/],
  'a value that is wrong': [
    ['http', '127.0.0.1:80', '--set', 'status=[99]'],
    /status\[0\]: 99 is not a status/,
  ],
  'no key': [['tcp', '127.0.0.1:80', '--set', '=1'], /write key=value/],
  'a second line': [['tcp', '127.0.0.1:80', '--set', 'port=1\n      fall: 2'], /write key=value/],
  'a time-out that is none': [
    ['tcp', '127.0.0.1:80', '--timeout', 'soon'],
    /timeout: "soon" is not a duration/,
  ],
  'no count': [['tcp', '127.0.0.1:80', '--count', '0'], /--count is a whole number/],
};

for (const [name, [words, message]] of Object.entries(WRONG)) {
  t.test(`${name} is exit code 2, and told`, async (t) => {
    const { code, out, err } = await probe(...words);
    t.equal(code, 2);
    t.equal(out, '');
    t.match(err, message);
    t.notMatch(err, /services\.probe/, 'in words of the command line');
  });
}
