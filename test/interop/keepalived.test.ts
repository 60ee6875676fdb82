/** lvsentry beside Debian's keepalived: each is the master once, dies once and stops once. */
import t, { type Test } from 'tap';
import { Stage, whyNot } from './stage.js';

interface Row {
  readonly name: string;
  readonly vip: string;
  /** The rest of our virtual router; we are host 1. */
  readonly ours: string;
  /** The rest of keepalived's instance; it is host 2. */
  readonly theirs: string;
  readonly globals?: string;
  /** How adverts look: sender, priority. */
  readonly advert: (from: string, priority: number) => RegExp;
}

const multicast = (version: number) => (from: string, priority: number) =>
  new RegExp(`10\\.77\\.0\\.${from} > 224\\.0\\.0\\.18: VRRPv${version}, .*prio ${priority},`);

const ROWS: readonly Row[] = [
  {
    name: 'version 2',
    vip: '10.77.0.100',
    ours: 'version: 2, addresses: [10.77.0.100/24]',
    theirs: 'version 2\n virtual_ipaddress {\n 10.77.0.100/24\n }',
    advert: multicast(2),
  },
  {
    name: 'version 2 with a password',
    vip: '10.77.0.100',
    ours: 'version: 2, auth: { password: s3cret }, addresses: [10.77.0.100/24]',
    theirs:
      'version 2\n authentication {\n auth_type PASS\n auth_pass s3cret\n }\n virtual_ipaddress {\n 10.77.0.100/24\n }',
    advert: multicast(2),
  },
  {
    name: 'version 3, IPv4',
    vip: '10.77.0.100',
    ours: 'addresses: [10.77.0.100/24], interval: 500ms',
    theirs: 'version 3\n advert_int 0.5\n virtual_ipaddress {\n 10.77.0.100/24\n }',
    advert: multicast(3),
  },
  {
    name: 'version 3, IPv6',
    vip: '2001:db8:77::100',
    ours: 'addresses: ["fe80::100/64", "2001:db8:77::100/64"], interval: 500ms',
    theirs: 'version 3\n advert_int 0.5\n virtual_ipaddress {\n fe80::100/64\n 2001:db8:77::100/64\n }',
    advert: (_from, priority) => new RegExp(`fe80::\\S* > ff02::12: .*VRRPv3, .*prio ${priority},`),
  },
  {
    name: 'version 3, IPv4, unicast',
    vip: '10.77.0.100',
    ours: 'unicast: { source: 10.77.0.1, peers: [10.77.0.2] }, addresses: [10.77.0.100/24], interval: 500ms',
    theirs:
      'version 3\n advert_int 0.5\n unicast_src_ip 10.77.0.2\n unicast_peer {\n 10.77.0.1\n }\n virtual_ipaddress {\n 10.77.0.100/24\n }',
    advert: (from, priority) =>
      new RegExp(`10\\.77\\.0\\.${from} > 10\\.77\\.0\\.${3 - Number(from)}: VRRPv3, .*prio ${priority},`),
  },
];

const ours = ({ ours: rest }: Row, priority: number): string =>
  `{ interface: eth0, id: 51, priority: ${priority}, ${rest} }`;

const theirs = ({ theirs: rest }: Row, priority: number): string =>
  `state BACKUP\n virtual_router_id 51\n priority ${priority}\n ${rest}`;

async function masterIs(t: Test, stage: Stage, host: 'a' | 'b', { vip }: Row, why: string): Promise<void> {
  const other = host === 'a' ? 'b' : 'a';
  await stage.until(`${host} has ${vip}: ${why}`, () => stage.has(host, vip));
  await stage.until(`${other} has no ${vip}: ${why}`, () => !stage.has(other, vip));
  t.pass(`${host === 'a' ? 'lvsentry' : 'keepalived'} is master, and it alone: ${why}`);
}

/** lvsentry is the higher one. */
async function weLead(t: Test, row: Row): Promise<void> {
  const stage = new Stage(['a', 'b']);
  t.teardown(() => stage.close());
  await stage.observe();
  const keepalived = stage.keepalived('b', theirs(row, 100), row.globals);
  await masterIs(t, stage, 'b', row, 'it is alone');
  const first = stage.lvsentry('a', ours(row, 150));
  await masterIs(t, stage, 'a', row, 'its priority is higher');
  await stage.until('our advert is heard', () =>
    stage.heard.some(({ text }) => row.advert('1', 150).test(text)),
  );
  await first.stop('SIGTERM');
  t.notOk(stage.has('a', row.vip), 'the virtual IP is gone with us');
  await masterIs(t, stage, 'b', row, 'the other one resigned');
  t.ok(
    stage.heard.some(({ text }) => row.advert('1', 0).test(text)),
    'priority 0 was said',
  );
  const second = stage.lvsentry('a', ours(row, 150));
  await masterIs(t, stage, 'a', row, 'it is back');
  await second.stop('SIGKILL');
  await stage.until('keepalived takes over from a dead one', () => stage.has('b', row.vip));
  const wrong = keepalived.output.filter((line) => /invalid|incorrect|mismatch|bogus|wrong/i.test(line));
  t.same(wrong, [], 'keepalived finds nothing wrong with our packets');
}

/** keepalived is the higher one. */
async function theyLead(t: Test, row: Row): Promise<void> {
  const stage = new Stage(['a', 'b']);
  t.teardown(() => stage.close());
  await stage.observe();
  const lvsentry = stage.lvsentry('a', ours(row, 100));
  await masterIs(t, stage, 'a', row, 'it is alone');
  const first = stage.keepalived('b', theirs(row, 150), row.globals);
  await masterIs(t, stage, 'b', row, 'its priority is higher');
  await first.stop('SIGTERM');
  await masterIs(t, stage, 'a', row, 'the other one resigned');
  const wrong = lvsentry.output.filter((line) => /is ignored/.test(line));
  t.same(wrong, [], 'we find nothing wrong with its packets');
}

const skip = whyNot('keepalived');
t.setTimeout(600_000);

t.test('beside keepalived', { skip: skip ?? false, timeout: 590_000 }, async (t) => {
  for (const row of ROWS) {
    await t.test(`${row.name}: lvsentry is higher`, { timeout: 90_000 }, (t) => weLead(t, row));
    await t.test(`${row.name}: keepalived is higher`, { timeout: 90_000 }, (t) => theyLead(t, row));
  }
});
