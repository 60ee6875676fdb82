/** Facts of a machine that is a folder, a table in memory and a network in memory. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { AddressClient } from '../../src/addresses/client.js';
import type { Config } from '../../src/config/model.js';
import { LvsError } from '../../src/core/errors.js';
import { collectFacts, type FactSources } from '../../src/doctor/facts.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import { lend } from '../cli/context.js';
import { configOf } from '../config/given.js';
import { FakeNetwork } from '../fakes/rtnl-kernel.js';
import { FakeTime } from '../fakes/time.js';
import { dest, key, service } from '../ipvs/build.js';

const FILES: Readonly<Record<string, string>> = {
  'proc/sys/kernel/osrelease': '6.1.0-40-amd64\n',
  'proc/modules': 'ip_vs_wlc 16384 3 - Live 0x0\nip_vs 208896 9 ip_vs_wlc, Live 0x0\n',
  'lib/modules/6.1.0-40-amd64/modules.dep':
    'kernel/net/netfilter/ipvs/ip_vs_mh.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko.xz\n',
  'lib/modules/6.1.0-40-amd64/modules.builtin': 'kernel/net/netfilter/ipvs/ip_vs_rr.ko\n',
  'proc/self/status': 'Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t0000000000803000\n',
  'proc/self/limits': 'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024   4096   files\n',
  'proc/7/comm': 'chronyd\n',
  'proc/8/comm': 'keepalived\n',
  'proc/9/comm': 'ldirectord\n',
  'proc/stray/comm': 'lvsd\n',
};
/** Of processes 7 to 9; that of 9 is not for us to see. */
const NETWORKS: Readonly<Record<string, string>> = { self: 'net:[1]', 7: 'net:[1]', 8: 'net:[2]' };

const CONFIG = `name: a
table: kernel
services:
  web: { address: 192.0.2.1:80, scheduler: mh, check: { type: tcp, interval: 2s }, servers: [192.0.2.2, 192.0.2.3] }
  also: { address: 192.0.2.1:81, scheduler: rr, forward: masquerade, check: { type: tcp, interval: 1s }, servers: [192.0.2.2:80] }
  ftp: { address: 192.0.2.1:21, scheduler: sed, forward: masquerade, check: { type: tcp }, servers: [192.0.2.4] }
`;

function sources(t: Test, changes: Partial<FactSources> = {}): FactSources {
  const root = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [pid, network] of Object.entries(NETWORKS)) {
    mkdirSync(join(root, 'proc', pid, 'ns'), { recursive: true });
    symlinkSync(network, join(root, 'proc', pid, 'ns/net'));
  }
  const network = new FakeNetwork();
  const time = new FakeTime();
  const turns = { soon: setImmediate };
  const client = new AddressClient({ openNetlink: network.opener(), timers: time, turns });
  t.teardown(() => {
    client.close();
    rmSync(root, { recursive: true });
  });
  const openTable = () => Promise.resolve(new MemoryTable());
  return { openTable, client, sysctls: network.sysctls, root, ...changes };
}

function config(text = CONFIG): Config {
  return configOf(text);
}

t.test('a machine is read: kernel, modules, programs of this network, rights and limits', async (t) => {
  const facts = await collectFacts(config(), sources(t));
  t.equal(facts.release, '6.1.0-40-amd64');
  t.same(Object.fromEntries(facts.modules), {
    ip_vs: 'loaded',
    ip_vs_mh: 'available',
    ip_vs_rr: 'loaded',
    ip_vs_sed: 'absent',
    ip_vs_ftp: 'absent',
  });
  t.same([...facts.programs].sort(), ['chronyd', 'ldirectord'], 'what may be in another network counts not');
  t.equal(facts.capabilities, 0x803000n);
  t.equal(facts.filesMax, 1024);
  t.match(facts.links, [{ name: 'lo', up: true }]);
  t.match(facts.table, { kind: 'read', connections: 0, foreign: [] });
});

t.test('what the configuration wants', async (t) => {
  const { wanted } = await collectFacts(config(), sources(t));
  t.match(wanted, {
    configured: true,
    schedulers: ['mh', 'rr', 'sed'],
    synchronised: false,
    checks: 4,
    busiest: { target: '192.0.2.2:80', perSecond: 1.5 },
  });
  t.same(
    wanted.services.map(({ name, address, port }) => `${name} ${address}:${port}`),
    ['web 192.0.2.1:80', 'also 192.0.2.1:81', 'ftp 192.0.2.1:21'],
  );
  t.equal(wanted.servers.length, 4);
});

t.test(
  'without a configuration the table says what is wanted; with one it says what is foreign',
  async (t) => {
    const table = new MemoryTable();
    const other = service(key('192.0.2.9'), { scheduler: 'lc' });
    await table.apply([
      { kind: 'add-service', service: other },
      { kind: 'add-dest', service: other.key, dest: dest('192.0.2.5') },
      { kind: 'add-service', service: service(key()) },
    ]);
    const openTable = lend(table);
    const alone = await collectFacts(undefined, sources(t, { openTable }));
    t.match(alone.wanted, { configured: false, schedulers: ['lc', 'wlc'], checks: 0, pings: 0 });
    t.match(alone.wanted.servers, [{ address: '192.0.2.5', method: 'direct' }]);
    t.match(alone.table, { foreign: [] });
    const beside = await collectFacts(config(), sources(t, { openTable }));
    t.match(beside.table, { foreign: ['tcp 192.0.2.9:80'] });
  },
);

t.test('a table that cannot be read is a fact; a defect is none', async (t) => {
  const failing = (thrown: Error) => ({ openTable: () => Promise.reject(thrown) });
  const absent = await collectFacts(undefined, sources(t, failing(new LvsError('IPVS_ABSENT', 'none'))));
  t.same(absent.table, { kind: 'unreadable', isAbsent: true, problem: 'none' });
  const refused = await collectFacts(undefined, sources(t, failing(new LvsError('PERMISSION', 'no'))));
  t.same(refused.table, { kind: 'unreadable', isAbsent: false, problem: 'no' });
  await t.rejects(collectFacts(undefined, sources(t, failing(new TypeError('x')))), { name: 'TypeError' });
});

t.test('a table in memory asks nothing of the kernel', async (t) => {
  const openTable = () => Promise.reject(new Error('it is not opened'));
  const { table } = await collectFacts(config(CONFIG.replace('kernel', 'memory')), sources(t, { openTable }));
  t.same(table, { kind: 'memory' });
});

t.test('a machine without any of these files is read all the same', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc'));
  const facts = await collectFacts(config(), { ...sources(t), root });
  t.equal(facts.capabilities, 0n);
  t.equal(facts.filesMax, Number.MAX_SAFE_INTEGER);
  t.equal(facts.modules.get('ip_vs_mh'), 'absent');
});
