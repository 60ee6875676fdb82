/** Thousands of servers that die in the same moment: each is told once, and nobody else hears of it. */
import t from 'tap';
import type { Check } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import { laneRunner } from './lane-runner.js';
import { eventually, listen, openSockets } from './listeners.js';
import { EVEN } from './rule.js';

const SERVERS = 5000;
const PATIENCE = 60_000;
const RULE = { ...EVEN, interval: millis(1000), timeout: millis(1000), rise: 1, fall: 2 };

/** Addresses of loopback, which one listener has all of. */
const serverAt = (index: number): Ip => ip(`127.1.${Math.floor(index / 250)}.${1 + (index % 250)}`);
const check = (id: string, target: Target): Check => ({ id, rule: RULE, probe: { type: 'tcp', target } });

t.test('five thousand servers die, and come back', { timeout: 200_000 }, async (t) => {
  const before = openSockets();
  const told = new Map<string, string[]>();
  const runner = laneRunner(t, {
    slots: 4096,
    ticks: { start: millis(10), deadline: millis(4) },
    onChange: ({ id, verdict, result }) => {
      const words = told.get(id) ?? [];
      words.push(verdict === 'up' ? verdict : `${verdict} ${result.reason.kind}`);
      told.set(id, words);
    },
  });
  const healthy = await listen(t, (socket) => socket.on('error', () => undefined));
  const all = await listen(t, (socket) => socket.on('error', () => undefined), ip('0.0.0.0'));
  const { port } = all.target;
  const checks = Array.from({ length: SERVERS }, (_, index) =>
    check(`server ${index}`, { address: serverAt(index), port }),
  );
  const allHave = (count: number): boolean =>
    told.size === SERVERS + 1 && checks.every(({ id }) => (told.get(id)?.length ?? 0) >= count);
  runner.update([...checks, check('healthy', healthy.target)], new Map());
  t.ok(await eventually(() => allHave(1), PATIENCE), 'all are up');
  await all.close();
  t.ok(await eventually(() => allHave(2), PATIENCE), 'all are down');
  t.same(told.get('healthy'), ['up'], 'the one beside them is not touched');
  const again = await new Promise<boolean>((resolve) => {
    all.server.once('error', () => resolve(false));
    all.server.listen(port, '0.0.0.0', () => resolve(true));
  });
  t.ok(again);
  t.ok(await eventually(() => allHave(3), PATIENCE), 'all are up again');
  const stories = new Set([...told].filter(([id]) => id !== 'healthy').map(([, words]) => words.join(', ')));
  t.same([...stories], ['up, down refused, up'], 'each is told once, and nobody is unknown');
  t.same(told.get('healthy'), ['up']);
  runner.close();
  await all.close();
  await healthy.close();
  t.ok(await eventually(() => openSockets() <= before), 'no socket is left');
});
