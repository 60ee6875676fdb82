/** Bad luck beside a real kernel: others change the table, the daemon is killed or stopped in the middle, names are wrong. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { Director } from '../director.js';
import { manyLines, manyServices } from '../many.js';
import { httpServer } from '../servers.js';
import { tableBecomes } from '../table-becomes.js';
import { ADDRESSES, buildTopology, directorTable, runOn, VIP } from '../topology.js';

const WEB = `-A -t ${VIP}:80 -s wlc`;
const server = (address: string): string => `-a -t ${VIP}:80 -r ${address}:80 -g -w 1`;
const WHOLE = [WEB, server(ADDRESSES.rs1), server(ADDRESSES.rs2)];
const FOREIGN_SERVICE = ['-A -t 192.0.2.200:80 -s rr', '-a -t 192.0.2.200:80 -r 192.0.2.201:80 -m -w 3'];
const FOREIGN_SERVER = `-a -t ${VIP}:80 -r 192.168.2.77:80 -g -w 5`;

/** Of the director's own network: only the kernel knows that no server can have it. */
const BROADCAST = '192.168.2.255';
/** Debian's kernels build every scheduler but this one. */
const NOT_BUILT = 'twos';
const LOAD_LIMIT_MS = 60_000;

function configuration(scheduler = 'wlc', extra = ''): string {
  return `
name: director-a
resync: 1s
api: { listen: 127.0.0.1:8405 }
defaults: { check: { interval: 1s, timeout: 900ms } }
services:
  web:
    address: ${VIP}:80
    scheduler: ${scheduler}
    servers: [${ADDRESSES.rs1}, ${ADDRESSES.rs2}]
${extra}`;
}

const ipvsadm = (line: string): string => runOn('director', 'ipvsadm', ...line.split(' '));

async function foreignEntries(t: Assertions, director: Director): Promise<void> {
  for (const line of [`-A -t ${VIP}:80 -s rr`, FOREIGN_SERVER, ...FOREIGN_SERVICE]) ipvsadm(line);
  director.configure(configuration());
  await director.start();
  await tableBecomes(
    t,
    [...WHOLE, FOREIGN_SERVER, ...FOREIGN_SERVICE],
    'ours is put right, what is foreign stays',
  );
  t.equal(director.events('table-error').length, 0);
}

async function drift(t: Assertions, director: Director): Promise<void> {
  ipvsadm('-C');
  await tableBecomes(t, WHOLE, 'a table that was cleared is filled again');
  ipvsadm(`-E -t ${VIP}:80 -s rr`);
  await tableBecomes(t, WHOLE, 'a scheduler is put back');
  ipvsadm(`-e -t ${VIP}:80 -r ${ADDRESSES.rs1}:80 -g -w 9`);
  await tableBecomes(t, WHOLE, 'a weight is put back');
  ipvsadm(`-d -t ${VIP}:80 -r ${ADDRESSES.rs2}:80`);
  await tableBecomes(t, WHOLE, 'a server is put back');
  for (const line of FOREIGN_SERVICE) ipvsadm(line);
  await pause(2500);
  await tableBecomes(t, [...WHOLE, ...FOREIGN_SERVICE], 'a foreign service is left alone', 0);
  t.ok(director.events('table-drift').length >= 4, 'each was told');
  ipvsadm('-D -t 192.0.2.200:80');
}

async function refusals(t: Assertions, director: Director): Promise<void> {
  const odd = `  odd: { address: ${VIP}:81, check: { interval: 1h }, servers: [${BROADCAST}] }\n`;
  const beside = [...WHOLE, `-A -t ${VIP}:81 -s wlc`];
  director.configure(configuration('wlc', odd));
  director.reload();
  t.ok(await eventually(() => director.events('table-error').length > 0, 10_000), 'the refusal is told');
  await tableBecomes(t, beside, 'the others go on as they were');
  const unknown = `  unknown: { address: ${VIP}:82, scheduler: ${NOT_BUILT}, servers: [${ADDRESSES.rs1}] }\n`;
  director.configure(configuration('wlc', unknown + odd));
  director.reload();
  const isTold = (): boolean =>
    director
      .events('table-error')
      .some(({ msg }) => new RegExp(`no scheduler "${NOT_BUILT}"`).test(String(msg)));
  t.ok(await eventually(isTold, 10_000), 'and so is a scheduler that this kernel does not have');
  await tableBecomes(t, beside, 'the others go on as they were');
  director.configure('services: [');
  director.reload();
  t.ok(await eventually(() => director.events('config-refused').length > 0, 10_000), 'a broken file is told');
  await tableBecomes(t, beside, 'and changes nothing');
  director.configure(configuration('rr'));
  director.reload();
  await tableBecomes(t, [`-A -t ${VIP}:80 -s rr`, ...WHOLE.slice(1)], 'a good one is put in force');
}

async function leaving(t: Assertions, director: Director): Promise<void> {
  // Nobody listens there, and nobody asks within the hour.
  const second = '  ftp: { address: 192.168.2.253:21, check: { interval: 1h }, servers: [192.168.2.2] }\n';
  director.configure(configuration('wlc', second));
  director.reload();
  await tableBecomes(
    t,
    [...WHOLE, '-A -t 192.168.2.253:21 -s wlc', '-a -t 192.168.2.253:21 -r 192.168.2.2:21 -g -w 1'],
    'a service more',
  );
  ipvsadm('-a -t 192.168.2.253:21 -r 192.168.2.9:21 -g -w 1');
  director.configure(configuration());
  director.reload();
  await tableBecomes(
    t,
    [...WHOLE, '-A -t 192.168.2.253:21 -s wlc', '-a -t 192.168.2.253:21 -r 192.168.2.9:21 -g -w 1'],
    'a service that was dropped stays as long as it holds a foreign server',
  );
  ipvsadm('-D -t 192.168.2.253:21');
}

/** Entries in the daemon's namespace by now, services and servers; cheaper to ask than ipvsadm. */
function entriesNow(director: Director): number {
  const table = readFileSync(`/proc/${director.process.pid}/net/ip_vs`, 'utf8');
  return table.split('\n').filter((line) => /^(TCP| {2}->)/.test(line)).length;
}

const TRIES = 5;

/** Starts the daemon on an empty table and ends it while it fills it. @returns what was there then */
async function endWhileLoading(director: Director, signal: NodeJS.Signals, all: number): Promise<string[]> {
  for (let count = 1; ; count += 1) {
    ipvsadm('-C');
    director.launch();
    await eventually(() => entriesNow(director) > 100, LOAD_LIMIT_MS, 2);
    await director.stop(signal);
    const found = directorTable();
    if (found.length < all || count === TRIES) return found;
  }
}

/**
 * What a start makes of a table that holds `found`, before any verdict: a service that is there without one of its
 * servers may have lost it for good reason, and waits for the server's first verdict.
 */
function heldByTheTable(found: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(found);
  const serviceOf = (line: string): string => line.split(' ')[2] ?? '';
  const services = new Set(found.map(serviceOf));
  return wanted.filter((line) => there.has(line) || !services.has(serviceOf(line)));
}

/** However far it came, what is there is right, and the next start completes it. */
async function endedInTheMiddle(t: Assertions, director: Director, signal: NodeJS.Signals): Promise<void> {
  director.configure(manyServices(400, 10));
  const wanted = new Set(manyLines(400, 10));
  const found = await endWhileLoading(director, signal, wanted.size);
  t.ok(
    found.length > 100 && found.length < wanted.size,
    `${found.length} of ${wanted.size} entries were there`,
  );
  t.strictSame(
    found.filter((line) => !wanted.has(line)),
    [],
    'each of them right',
  );
  const expected = heldByTheTable(found, [...wanted]);
  await director.start();
  await tableBecomes(t, expected, 'the next start completes them', LOAD_LIMIT_MS);
  t.equal(director.changes, expected.length - found.length, 'and writes only what was missing');
  await director.stop();
  ipvsadm('-C');
}

/** A user without privilege gets one line, and the table is not touched. */
async function withoutPrivilege(t: Assertions, director: Director): Promise<void> {
  director.configure(configuration());
  const before = directorTable();
  director.launch(['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin']);
  t.ok(await eventually(() => !director.process.running, LOAD_LIMIT_MS), 'it ends');
  t.equal(director.process.child.exitCode, 1);
  t.equal(director.log.length, 1, 'after one line');
  t.ok(/CAP_NET_ADMIN/.test(String(director.log[0]?.msg)), String(director.log[0]?.msg));
  t.strictSame(directorTable(), before);
}

export async function suite(t: Assertions): Promise<void> {
  buildTopology();
  await Promise.all([httpServer('rs1').start(), httpServer('rs2').start()]);
  const director = new Director(`${process.env.LAB_SHARED ?? ''}/trouble.yaml`);
  await t.test('a start among entries of others', (t) => foreignEntries(t, director));
  await t.test('a restart that finds everything right writes nothing', async (t) => {
    await director.stop();
    await director.start();
    t.equal(director.changes, 0);
  });
  await t.test('others change what is ours', (t) => drift(t, director));
  await t.test('what the kernel or the parser refuses', (t) => refusals(t, director));
  await t.test('what leaves the configuration', (t) => leaving(t, director));
  await director.stop();
  await t.test('a user without privilege', (t) => withoutPrivilege(t, director));
  await t.test('SIGTERM in the middle of a load', (t) => endedInTheMiddle(t, director, 'SIGTERM'));
  await t.test('SIGKILL in the middle of a load', (t) => endedInTheMiddle(t, director, 'SIGKILL'));
}
