import t from 'tap';
import type { Config } from '../../src/config/model.js';
import { facts } from '../doctor/build.js';
import { CONFIG, cli, file } from './context.js';

const SICK = facts({
  programs: new Set(['systemd']),
  settings: { 'ipv4/vs/conntrack': '1' },
  capabilities: 0n,
});

t.test('the worst comes first, each with its reason and its line; an error is exit code 1', async (t) => {
  const ran = await cli(['doctor'], { examine: () => Promise.resolve(SICK) });
  t.equal(ran.code, 1);
  const lines = ran.out.split('\n');
  const heads = lines.filter((line) => /^\w/.test(line)).map((line) => line.split(' ')[0]);
  t.same(heads.slice(0, 4), ['error', 'warning', 'note', 'ok']);
  t.same(lines.slice(0, 3), [
    'error    capabilities: this process has no CAP_NET_ADMIN',
    '         neither the table nor virtual IPs can be changed',
    '         fix: systemctl edit lvsentry  # AmbientCapabilities=CAP_NET_ADMIN',
  ]);
  t.match(lines.at(-1), /^errors: 1, warnings: 1, notes: 1, right: \d+$/);
});

t.test('warnings and notes are no failure', async (t) => {
  const ran = await cli(['doctor'], { examine: () => Promise.resolve(facts({ programs: new Set() })) });
  t.equal(ran.code, 0);
  t.match(ran.out, /^warning {2}clock/m);
});

t.test('--json is every finding, with null for what is not', async (t) => {
  const ran = await cli(['doctor', '--json'], { examine: () => Promise.resolve(SICK) });
  t.equal(ran.code, 1);
  const { findings, counts } = JSON.parse(ran.out) as { findings: object[]; counts: object };
  t.match(counts, { error: 1, warning: 1, note: 1 });
  t.match(findings[0], { id: 'ipvs', severity: 'ok', seen: 'IPVS 1.2.1', why: null, fix: null });
});

t.test('-c gives what the director is to do; a wrong one is exit code 3', async (t) => {
  const given: (Config | undefined)[] = [];
  const examine = (config: Config | undefined) => {
    given.push(config);
    return Promise.resolve(facts());
  };
  t.equal((await cli(['doctor', '-c', file(t, CONFIG)], { examine })).code, 0);
  t.equal((await cli(['doctor'], { examine })).code, 0);
  t.same(
    given.map((config) => config?.name),
    ['director-a', undefined],
  );
  t.equal((await cli(['doctor', '-c', file(t, 'name: 7')], { examine })).code, 3);
  t.equal(given.length, 2);
});
