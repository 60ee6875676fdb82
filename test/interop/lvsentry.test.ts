/** lvsentry beside lvsentry, on the host's kernel: who is master is said by `ip addr` and by a capture, not by us. */
import t, { type Test } from 'tap';
import { type Heard, Stage, whyNot } from './stage.js';

interface Row {
  readonly name: string;
  readonly vip: string;
  /** The rest of the virtual router, by host number. */
  readonly router: (host: number) => string;
  /** How an advert of a host looks in the capture. */
  readonly advert: (host: number, priority: number) => RegExp;
  /** Master_Down_Interval of the backup, priority 100, in milliseconds. */
  readonly down: number;
  /** Its skew alone: what a resignation costs. */
  readonly skew: number;
}

const V3_DOWN = { down: 300 + (156 * 100) / 256, skew: (156 * 100) / 256 };

const ROWS: readonly Row[] = [
  {
    name: 'version 3, IPv4',
    vip: '10.77.0.100',
    router: () => 'addresses: [10.77.0.100/24], interval: 100ms',
    advert: (host, priority) =>
      new RegExp(`10\\.77\\.0\\.${host} > 224\\.0\\.0\\.18: VRRPv3, .*prio ${priority},.*intvl 10cs`),
    ...V3_DOWN,
  },
  {
    name: 'version 2 with a password',
    vip: '10.77.0.100',
    router: () => 'version: 2, auth: { password: s3cret }, addresses: [10.77.0.100/24], interval: 1s',
    advert: (host, priority) =>
      new RegExp(`10\\.77\\.0\\.${host} > 224\\.0\\.0\\.18: VRRPv2, .*prio ${priority}, authtype simple`),
    down: 3000 + (156 * 1000) / 256,
    skew: (156 * 1000) / 256,
  },
  {
    name: 'version 3, IPv6',
    vip: '2001:db8:77::100',
    router: () => 'addresses: ["fe80::100/64", "2001:db8:77::100/64"], interval: 100ms',
    advert: (_host, priority) => new RegExp(`fe80::\\S* > ff02::12: .*VRRPv3, .*prio ${priority},`),
    ...V3_DOWN,
  },
  {
    name: 'version 3, IPv4, unicast',
    vip: '10.77.0.100',
    router: (host) =>
      `unicast: { source: 10.77.0.${host}, peers: [10.77.0.${3 - host}] }, addresses: [10.77.0.100/24], interval: 100ms`,
    advert: (host, priority) =>
      new RegExp(`10\\.77\\.0\\.${host} > 10\\.77\\.0\\.${3 - host}: VRRPv3, .*prio ${priority},`),
    ...V3_DOWN,
  },
];

const MASTER = 150;
const BACKUP = 100;
/** Machines that run tests are busy: what is measured is our lateness and theirs. */
const SLACK = 150;

function router(row: Row, host: number, priority: number): string {
  return `{ interface: eth0, id: 51, priority: ${priority}, announce: { repeat: 2, delay: 0s }, ${row.router(host)} }`;
}

function last(heard: readonly Heard[], pattern: RegExp): Heard | undefined {
  return heard.findLast(({ text }) => pattern.test(text));
}

/** The frames that announce the virtual IP from a host's own MAC. */
function announcements(stage: Stage, host: string, vip: string): readonly Heard[] {
  const mac = stage.macOf(host);
  const isIpv6 = vip.includes(':');
  return stage.heard.filter(({ text }) => {
    if (!text.startsWith(mac)) return false;
    return isIpv6 ? text.includes(`tgt is ${vip}`) : text.includes(`who-has ${vip} `);
  });
}

/** That exactly one of them has the virtual IP, and has announced it. */
async function masterIs(t: Test, stage: Stage, host: 'a' | 'b', { vip }: Row): Promise<void> {
  const other = host === 'a' ? 'b' : 'a';
  await stage.until(`${host} has ${vip}`, () => stage.has(host, vip));
  await stage.until(`${other} has no ${vip}`, () => !stage.has(other, vip));
  await stage.until(`${host} announced ${vip}`, () => announcements(stage, host, vip).length > 0);
  t.pass(`${host} is master, and it alone`);
}

async function story(t: Test, row: Row): Promise<void> {
  const stage = new Stage(['a', 'b']);
  t.teardown(() => stage.close());
  await stage.observe();

  const b = stage.lvsentry('b', router(row, 2, BACKUP));
  await masterIs(t, stage, 'b', row);

  let a = stage.lvsentry('a', router(row, 1, MASTER));
  await masterIs(t, stage, 'a', row);
  t.ok(last(stage.heard, row.advert(1, MASTER)), 'the higher one is heard');

  const since = stage.heard.length;
  stage.in('a', 'ip', 'addr', 'del', `${row.vip}/${row.vip.includes(':') ? 64 : 24}`, 'dev', 'eth0');
  await stage.until('the virtual IP is put back', () => stage.has('a', row.vip), 1000);
  await stage.until('and announced', () =>
    announcements(stage, 'a', row.vip).some((heard) => stage.heard.indexOf(heard) >= since),
  );

  await a.stop('SIGKILL');
  await stage.until('b takes over', () => stage.has('b', row.vip));
  const silentSince = last(stage.heard, row.advert(1, MASTER))?.at ?? Number.NaN;
  const first = (): Heard | undefined =>
    stage.heard.find(({ at, text }) => at > silentSince && row.advert(2, BACKUP).test(text));
  await stage.until('b says so', () => first() !== undefined);
  const took = (first()?.at ?? Number.NaN) - silentSince;
  t.ok(took >= row.down - 1 && took < row.down + SLACK, `took over after ${took} ms of ${row.down}`);

  a = stage.lvsentry('a', router(row, 1, MASTER));
  await masterIs(t, stage, 'a', row);

  await a.stop('SIGTERM');
  t.notOk(stage.has('a', row.vip), 'the virtual IP is gone when the program is');
  await masterIs(t, stage, 'b', row);
  await b.stop('SIGTERM');
  t.notOk(stage.has('b', row.vip), 'and from the last one too');
}

const skip = whyNot();
t.setTimeout(300_000);

t.test('two directors', { skip: skip ?? false, timeout: 240_000 }, async (t) => {
  for (const row of ROWS) await t.test(row.name, { timeout: 60_000 }, (t) => story(t, row));
});
