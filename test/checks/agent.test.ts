/** The agent check: what an agent says, and that one which says nothing changes nothing. */
import type { Socket } from 'node:net';
import t from 'tap';
import { agentProber } from '../../src/checks/agent.js';
import type { AgentCheck } from '../../src/checks/spec-agent.js';
import type { Target } from '../../src/checks/spec-target.js';
import { systemClock } from '../../src/sys/clock.js';
import { AGENT_LINE_MAX } from '../../src/wire/agent.js';
import { closedPort, dribble, flood, listen, probeOnce, resetHard } from './listeners.js';

const prober = agentProber(systemClock.monotonic);
const check = (target: Target, send?: string): AgentCheck => ({ type: 'agent', target, send });

/** @param act what the agent does with a connection */
async function ask(t: import('tap').Test, act: (socket: Socket) => unknown, deadline = 5000) {
  const listener = await listen(t, (socket) => {
    socket.on('error', () => undefined);
    act(socket);
  });
  const result = await probeOnce(t, prober, check(listener.target), { deadline, listeners: [listener] });
  await listener.close();
  return result;
}

const percent = (value: number) => ({ kind: 'percent', value });
const refusal = (detail: string) => ({ kind: 'rejected', phase: 'response', code: undefined, detail });
const OK = { kind: 'ok' };

t.test('what an agent says is the outcome, the weight and the state', async (t) => {
  const rows: readonly (readonly [string, object])[] = [
    ['up\n', { outcome: 'pass', reason: OK, weight: undefined, say: undefined }],
    ['up 50%\r\n', { outcome: 'pass', reason: OK, weight: percent(50), say: undefined }],
    ['ready,up,100%\n', { outcome: 'pass', reason: OK, weight: percent(100), say: 'ready' }],
    ['75%\n', { outcome: 'neutral', reason: OK, weight: percent(75), say: undefined }],
    ['drain\n', { outcome: 'neutral', reason: OK, weight: undefined, say: 'drain' }],
    ['maint # disks\n', { outcome: 'neutral', reason: OK, say: 'maint', words: 'disks' }],
    ['up 9% # hot\u001b[31m\n', { outcome: 'pass', reason: OK, weight: percent(9), words: 'hot?[31m' }],
    ['maxconn:9\n', { outcome: 'neutral', reason: OK, weight: undefined, say: undefined }],
    ['down\n', { outcome: 'fail', reason: refusal('down'), weight: undefined }],
    ['fail # disk\u001b[31m full\n', { outcome: 'fail', reason: refusal('fail: disk?[31m full') }],
    ['stopped#upgrade\n', { outcome: 'fail', reason: refusal('stopped: upgrade'), words: undefined }],
    ['down 10% drain\n', { outcome: 'fail', reason: refusal('down'), weight: percent(10), say: 'drain' }],
    ['up\ndown\n', { outcome: 'pass', reason: OK }],
  ];
  for (const [says, result] of rows) {
    t.match(await ask(t, (socket) => socket.write(says)), result, JSON.stringify(says));
    t.match(await ask(t, (socket) => dribble(socket, says)), result, `${JSON.stringify(says)} byte by byte`);
    t.match(
      await ask(t, (socket) => socket.end(says.trimEnd())),
      result,
      `${JSON.stringify(says)}, then the end`,
    );
  }
});

t.test('an agent that cannot be asked or understood is neutral, and says nothing', async (t) => {
  const rows: readonly (readonly [string, (socket: Socket) => unknown, object, number?])[] = [
    ['silence', () => undefined, { kind: 'timeout', phase: 'response' }, 100],
    ['half a line', (socket) => socket.write('dow'), { kind: 'timeout', phase: 'response' }, 100],
    ['a close', (socket) => socket.end(), { kind: 'closed', phase: 'response' }],
    ['a reset', (socket) => resetHard(socket), { kind: 'reset' }],
    ['an empty line', (socket) => socket.write('\n'), { kind: 'protocol-error', detail: 'an empty line' }],
    [
      'other words',
      (socket) => socket.write('hello world\n'),
      { kind: 'protocol-error', detail: /: hello world$/ },
    ],
    ['HTTP', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), { kind: 'protocol-error' }],
    ['NULs', (socket) => socket.write('\0'.repeat(200)), { kind: 'timeout' }, 100],
    [
      'endless NULs',
      (socket) => flood(socket, '\0'.repeat(9999)),
      { kind: 'too-long', limit: AGENT_LINE_MAX },
    ],
    [
      'an endless line',
      (socket) => flood(socket, 'up '.repeat(9999)),
      { kind: 'too-long', limit: AGENT_LINE_MAX },
    ],
    [
      'one byte too many',
      (socket) => socket.write(`up ${'x'.repeat(AGENT_LINE_MAX - 2)}\n`),
      { kind: 'too-long', phase: 'response' },
    ],
    ['garbage', (socket) => socket.end(Buffer.from('16030100c8fe0affff', 'hex')), { kind: 'protocol-error' }],
  ];
  for (const [name, act, reason, deadline] of rows) {
    const result = await ask(t, act, deadline);
    t.match(result, { outcome: 'neutral', reason, weight: undefined, say: undefined }, name);
  }
  t.match(await probeOnce(t, prober, check(await closedPort(t))), {
    outcome: 'neutral',
    reason: { kind: 'refused', phase: 'connect' },
  });
  const longest = await ask(t, (socket) => socket.write(`up ${'x'.repeat(AGENT_LINE_MAX - 3)}\n`));
  t.match(longest, { outcome: 'pass' }, 'the longest line');
});

t.test('trouble of our own stays unknown', async (t) => {
  const origin = { source: '192.0.2.99' as Target['address'] };
  const { target } = await listen(t, (socket) => socket.end('down\n'));
  const spec = { ...check(target), target: { ...target, origin } } as unknown as AgentCheck;
  t.match(await probeOnce(t, prober, spec), { outcome: 'unknown', reason: { kind: 'local' } });
});

t.test('what is to be sent is sent as it stands, before anything is read', async (t) => {
  const heard: Buffer[] = [];
  const listener = await listen(t, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes);
      socket.write('up 20%\n');
    });
  });
  const result = await probeOnce(t, prober, check(listener.target, 'wéb\n'), { listeners: [listener] });
  t.match(result, { outcome: 'pass', weight: percent(20) });
  t.equal(Buffer.concat(heard).toString(), 'wéb\n');
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'request', 'response'],
  );
});
