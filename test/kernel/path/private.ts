/** The private services of data-path checks: who sees them, and what becomes of them. */
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { exitOf, PATIENCE_MS, type Scene } from '../scene.js';
import { ADDRESSES, directorTable, runOn, sysctl, useMethod, VIP } from '../topology.js';
import { allWell, configuration, FIRST_MARK, privateLines } from './servers.js';

const SERVICE = `-A -t ${VIP}:80 -s wlc`;

/** What `ipvsadm -Sn` prints of the two ways. */
const LINES = [ADDRESSES.rs1, ADDRESSES.rs2].flatMap((address, index) => [
  `-A -f ${FIRST_MARK + index} -s rr -o -b flag-1,flag-3`,
  `-a -f ${FIRST_MARK + index} -r ${address}:0 -g -w 1`,
]);

async function start(t: Assertions, scene: Scene): Promise<void> {
  useMethod('direct');
  await scene.start(t, configuration('direct'));
  await allWell(t, scene);
}

async function hides(t: Assertions, scene: Scene): Promise<void> {
  const table = scene.lvsentry('table');
  await exitOf(t, table);
  const texts = [
    ...(await Promise.all(
      ['/v1/status', '/v1/services', '/v1/plan', '/metrics'].map((path) => scene.ask(path)),
    )),
    table.lines.join('\n'),
    ...scene.director.events('foreign-found').map(String),
  ];
  t.strictSame(
    texts.filter((text) => /fwmark|\b70\d\d\b/.test(text)),
    [],
    'nobody is shown the private services',
  );
}

export async function killed(t: Assertions, scene: Scene): Promise<void> {
  await start(t, scene);
  t.strictSame(privateLines().sort(), [...LINES].sort(), 'a private service leads to each server');
  await hides(t, scene);
  const listing = (): string =>
    runOn('director', 'ipvsadm', '-Ln', '--stats', '--exact', '-f', String(FIRST_MARK));
  // The kernel sums its counters up every two seconds (ip_vs_est.c).
  const isCounted = (): boolean => connectionsIn(listing()) > 0;
  t.ok(await eventually(isCounted, PATIENCE_MS, 200), 'probes go through them');
  await scene.director.stop('SIGKILL');
  t.strictSame(privateLines().sort(), [...LINES].sort(), 'they are there when nobody is left to remove them');
  const before = connectionsIn(listing());
  await scene.restart(t);
  await allWell(t, scene);
  t.strictSame(privateLines().sort(), [...LINES].sort(), 'the next run has no others');
  const after = connectionsIn(listing());
  t.ok(
    before > 0 && after >= before,
    `and they are the very same: they count on from ${before}, to ${after}`,
  );
  runOn('director', 'ipvsadm', '-D', '-f', String(FIRST_MARK));
  const isBack = (): boolean => privateLines().length === LINES.length;
  t.ok(await eventually(isBack, PATIENCE_MS, 200), 'one that somebody removes is put back');
}

function connectionsIn(text: string): number {
  return Number(new RegExp(`FWM +${FIRST_MARK} +(\\d+)`).exec(text)?.[1]);
}

export async function unasked(t: Assertions, scene: Scene): Promise<void> {
  await start(t, scene);
  runOn('director', 'ipvsadm', '-A', '-f', '7050', '-s', 'rr');
  await scene.director.stop('SIGKILL');
  t.equal(privateLines().length, LINES.length + 1, 'nobody removed them');
  await scene.start(t, configuration('direct').replace('through: service', 'through: server'));
  const isGone = (): boolean => privateLines().length === 1;
  t.ok(await eventually(isGone, PATIENCE_MS, 200), 'who has no use for them takes them out');
  t.strictSame(privateLines(), ['-A -f 7050 -s rr'], 'what is of others stays, whatever its mark');
}

export async function stopped(t: Assertions, scene: Scene): Promise<void> {
  await start(t, scene);
  await scene.director.stop();
  t.strictSame(privateLines(), [], 'the private services are gone');
  t.ok(directorTable().includes(SERVICE), 'and what is to be kept is there');
}

export async function strict(t: Assertions, scene: Scene): Promise<void> {
  sysctl('director', 'net.ipv4.conf.eth0.rp_filter=1', 'net.ipv4.conf.eth0.accept_local=0');
  useMethod('direct');
  scene.director.configure(`${scene.head}${configuration('direct')}`);
  await scene.director.start();
  const isTold = async (): Promise<boolean> =>
    (await scene.ask('/v1/servers/rs1/why').catch(String)).includes('net.ipv4.conf.eth0.rp_filter=2');
  t.ok(
    await eventually(isTold, PATIENCE_MS, 200),
    'why says what keeps the probes from being made, and what to do',
  );
  t.strictSame(scene.director.events('server-down'), [], 'nobody is taken to be down for it');
  sysctl('director', 'net.ipv4.conf.eth0.rp_filter=2');
  await allWell(t, scene);
  const read = runOn('director', 'sysctl', '-n', 'net.ipv4.conf.eth0.accept_local');
  t.equal(read.trim(), '1', 'what can be set without harm is set');
  sysctl('director', 'net.ipv4.conf.eth0.rp_filter=0');
}
