/**
 * The rtnetlink codec against the kernel, in a network namespace of this process's own:
 * `unshare -n node rtnetlink-child.js`. What `ip` of iproute2 shows is the second reader.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorFacts } from '../../src/core/errors.js';
import { ip } from '../../src/core/ip.js';
import { NetlinkConnection } from '../../src/netlink/conn.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openNetlink } from '../../src/sys/netlink.js';
import { NETLINK, NLM_F } from '../../src/wire/netlink.js';
import { RTM, type RtnlValue, writeRtnl } from '../../src/wire/rtnetlink.js';
import { IFA_F, LIFETIME_FOREVER, readAddress } from '../../src/wire/rtnl-address.js';
import {
  ADDR_GEN_MODE,
  addrGenMode,
  IF_OPER,
  IFF,
  IPV4_DEVCONF,
  inetSettings,
  type Link,
  MACVLAN_MODE,
  macvlanInfo,
  RTEXT_FILTER,
  readAddrGenMode,
  readInetSettings,
  readLink,
  readLinkInfo,
} from '../../src/wire/rtnl-link.js';
import { NUD, readNeighbour } from '../../src/wire/rtnl-neighbour.js';
import { RT_SCOPE, RT_TABLE, RTN, readRoute } from '../../src/wire/rtnl-route.js';
import { FR_ACT, readRule } from '../../src/wire/rtnl-rule.js';

const NEW = NLM_F.CREATE | NLM_F.EXCL;
/** Who added it: a number that nobody else uses. */
const OURS = 77;
const ANY_LINK: Link = { family: 0, type: 0, index: 0, flags: 0, change: 0 };

const connection = new NetlinkConnection(openNetlink(NETLINK.ROUTE), systemTimers, systemTurns);

async function change(type: number, flags: number, value: RtnlValue): Promise<string> {
  try {
    await connection.acknowledge({ type, flags, payload: writeRtnl(value) });
    return 'done';
  } catch (thrown) {
    return String((thrown as { facts: ErrorFacts }).facts.errno);
  }
}

function dump<Value>(type: number, value: RtnlValue, read: (payload: Uint8Array) => Value): Promise<Value[]> {
  return connection.dump({ type, payload: writeRtnl(value) }, read);
}

const links = (): Promise<Link[]> =>
  dump(
    RTM.GETLINK,
    { kind: 'link', link: { ...ANY_LINK, extensions: RTEXT_FILTER.VF | RTEXT_FILTER.SKIP_STATS } },
    readLink,
  );

async function linkNamed(name: string): Promise<Link> {
  return (await links()).find((link) => link.name === name) ?? assert.fail(`no ${name}`);
}

const setLink = (link: Partial<Link>, flags = 0): Promise<string> =>
  change(RTM.NEWLINK, flags, { kind: 'link', link: { ...ANY_LINK, ...link } });

/** What iproute2 says. */
function shown(...words: string[]): Record<string, unknown>[] {
  return JSON.parse(execFileSync('ip', ['-d', '-j', ...words], { encoding: 'utf8' }) || '[]');
}

async function theLoopback(): Promise<void> {
  const before = await linkNamed('lo');
  // Down only in a fresh namespace: anywhere else this ends here, before anything is changed.
  assert.deepEqual([before.index, before.type, before.flags & IFF.UP], [1, 772, 0]);
  assert.equal(await setLink({ index: 1, flags: IFF.UP, change: IFF.UP }), 'done');
  const { flags, mtu, hardwareAddress } = await linkNamed('lo');
  assert.equal(flags & (IFF.UP | IFF.LOOPBACK | IFF.RUNNING), IFF.UP | IFF.LOOPBACK | IFF.RUNNING);
  assert.deepEqual([mtu, hardwareAddress], [65536, '00:00:00:00:00:00']);
  assert.equal(await setLink({ index: 99, flags: IFF.UP, change: IFF.UP }), 'ENODEV');
}

const addresses = (family: number) =>
  dump(
    RTM.GETADDR,
    { kind: 'address', address: { family, prefixLength: 0, flags: 0, scope: 0, index: 0 } },
    readAddress,
  );

async function addressesOfIpv4(): Promise<void> {
  const header = { family: 2, prefixLength: 32, flags: 0, scope: RT_SCOPE.UNIVERSE, index: 1 };
  const vip = { ...header, local: ip('192.0.2.10'), label: 'lo:v1', protocol: OURS };
  const request: RtnlValue = { kind: 'address', address: vip };
  assert.equal(await change(RTM.NEWADDR, NEW, request), 'done');
  assert.equal(await change(RTM.NEWADDR, NEW, request), 'EEXIST');
  const found = (await addresses(2)).find(({ local }) => local === vip.local) ?? assert.fail();
  assert.deepEqual([found.label, found.protocol, found.prefixLength, found.index], ['lo:v1', OURS, 32, 1]);
  assert.equal(found.allFlags, IFA_F.PERMANENT);
  assert.equal(found.lifetimes?.validSeconds, LIFETIME_FOREVER);
  const [loopback] = shown('addr', 'show', 'dev', 'lo') as { addr_info: Record<string, unknown>[] }[];
  const second = loopback?.addr_info.find(({ local }) => local === '192.0.2.10');
  assert.deepEqual([second?.label, second?.prefixlen], ['lo:v1', 32]);
  // The prefix length counts only beside an IFA_ADDRESS (inet_rtm_deladdr of net/ipv4/devinet.c).
  const wrongLength = { ...vip, prefixLength: 24 };
  const withAddress: RtnlValue = { kind: 'address', address: { ...wrongLength, address: vip.local } };
  assert.equal(await change(RTM.DELADDR, 0, withAddress), 'EADDRNOTAVAIL');
  assert.equal(await change(RTM.DELADDR, 0, { kind: 'address', address: wrongLength }), 'done');
  assert.equal(await change(RTM.NEWADDR, NEW, request), 'done');
  assert.equal(await change(RTM.DELADDR, 0, request), 'done');
  assert.equal(await change(RTM.DELADDR, 0, request), 'EADDRNOTAVAIL');
  const peerOnly: RtnlValue = { kind: 'address', address: { ...header, address: vip.local } };
  assert.equal(await change(RTM.NEWADDR, NEW, peerOnly), 'EINVAL');
}

async function addressesOfIpv6(): Promise<void> {
  const vip = {
    ...{ family: 10, prefixLength: 128, flags: IFA_F.NODAD, scope: 0, index: 1, local: ip('2001:db8::10') },
    lifetimes: { preferredSeconds: 0, validSeconds: LIFETIME_FOREVER, created: 0, updated: 0 },
    ...{ allFlags: IFA_F.NODAD, protocol: OURS },
  };
  assert.equal(await change(RTM.NEWADDR, NEW, { kind: 'address', address: vip }), 'done');
  const found = (await addresses(10)).find(({ address }) => address === vip.local) ?? assert.fail();
  assert.equal(found.allFlags, IFA_F.PERMANENT | IFA_F.DEPRECATED | IFA_F.NODAD);
  assert.deepEqual([found.protocol, found.local, found.lifetimes?.preferredSeconds], [OURS, undefined, 0]);
  assert.equal(await change(RTM.DELADDR, 0, { kind: 'address', address: vip }), 'done');
}

/** The steps of a virtual MAC, as VRRP takes them. */
async function aMacvlan(): Promise<void> {
  execFileSync('ip', ['link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb']);
  for (const name of ['va', 'vb']) execFileSync('ip', ['link', 'set', name, 'up']);
  const parent = (await linkNamed('va')).index;
  const request = {
    ...{ hardwareAddress: '00:00:5e:00:01:33', parent, name: 'vrrp.51' },
    info: macvlanInfo(MACVLAN_MODE.PRIVATE),
  };
  assert.equal(await setLink(request, NEW), 'done');
  assert.equal(await setLink(request, NEW), 'EEXIST');
  const { index } = await linkNamed('vrrp.51');
  assert.equal(await setLink({ index, familySpec: inetSettings([[IPV4_DEVCONF.ARP_IGNORE, 1]]) }), 'done');
  assert.equal(await setLink({ index, familySpec: addrGenMode(ADDR_GEN_MODE.NONE) }), 'done');
  assert.equal(await setLink({ index, flags: IFF.UP, change: IFF.UP }), 'done');
  const made = await linkNamed('vrrp.51');
  assert.deepEqual(readLinkInfo(made.info ?? assert.fail()), {
    kind: 'macvlan',
    macvlanMode: MACVLAN_MODE.PRIVATE,
  });
  const spec = made.familySpec ?? assert.fail();
  assert.equal(readInetSettings(spec)[IPV4_DEVCONF.ARP_IGNORE - 1], 1);
  assert.equal(readAddrGenMode(spec), ADDR_GEN_MODE.NONE);
  assert.deepEqual([made.parent, made.hardwareAddress], [parent, '00:00:5e:00:01:33']);
  // The kernel works the state out a while after the carrier.
  for (let link = made; link.operState !== IF_OPER.UP; link = await linkNamed('vrrp.51')) await sleep(20);
  assert.equal(shown('link', 'show', 'dev', 'vrrp.51')[0]?.inet6_addr_gen_mode, 'none');
  const gone: RtnlValue = { kind: 'link', link: { ...ANY_LINK, index } };
  assert.equal(await change(RTM.DELLINK, 0, gone), 'done');
  assert.equal(await change(RTM.DELLINK, 0, gone), 'ENODEV');
}

const ROUTE = {
  ...{ family: 2, destinationLength: 24, sourceLength: 0, tos: 0, table: RT_TABLE.UNSPEC, protocol: OURS },
  ...{
    scope: RT_SCOPE.UNIVERSE,
    type: RTN.UNICAST,
    flags: 0,
    destination: ip('198.51.100.0'),
    tableId: 1000,
  },
};

/** A dump takes the header alone, and filters by it. */
const ANY_ROUTE = {
  ...{ family: 2, destinationLength: 0, sourceLength: 0, tos: 0, table: 0, protocol: 0, scope: 0 },
  ...{ type: 0, flags: 0 },
};

async function routes(): Promise<void> {
  const { index } = await linkNamed('va');
  execFileSync('ip', ['addr', 'add', '10.9.0.1/24', 'dev', 'va']);
  const nextHops = [
    { flags: 0, hops: 1, index, gateway: ip('10.9.0.2') },
    { flags: 0, hops: 4, index, gateway: ip('10.9.0.3') },
  ];
  const request: RtnlValue = { kind: 'route', route: { ...ROUTE, priority: 5, nextHops } };
  assert.equal(await change(RTM.NEWROUTE, NEW, request), 'done');
  assert.equal(await change(RTM.NEWROUTE, NEW, request), 'EEXIST');
  const all = await dump(RTM.GETROUTE, { kind: 'route', route: { ...ANY_ROUTE, protocol: OURS } }, readRoute);
  assert.equal(
    all.filter(({ protocol }) => protocol !== OURS).length,
    0,
    'the kernel gives those that were asked for',
  );
  const found = all.find(({ tableId, protocol }) => tableId === 1000 && protocol === OURS) ?? assert.fail();
  assert.deepEqual(found.nextHops, nextHops);
  assert.deepEqual([found.destination, found.destinationLength, found.priority], ['198.51.100.0', 24, 5]);
  const [second] = shown('route', 'show', 'table', '1000') as { nexthops: { weight: number }[] }[];
  assert.deepEqual(
    second?.nexthops.map(({ weight }) => weight),
    [2, 5],
  );
  const gone: RtnlValue = { kind: 'route', route: { ...ROUTE, scope: RT_SCOPE.NOWHERE, type: RTN.UNSPEC } };
  assert.equal(await change(RTM.DELROUTE, 0, gone), 'done');
  assert.equal(await change(RTM.DELROUTE, 0, gone), 'ESRCH');
  const offLink: RtnlValue = { kind: 'route', route: { ...ROUTE, gateway: ip('203.0.113.1') } };
  assert.equal(await change(RTM.NEWROUTE, NEW, offLink), 'ENETUNREACH');
}

async function rules(): Promise<void> {
  const header = {
    family: 2,
    destinationLength: 0,
    sourceLength: 32,
    tos: 0,
    table: RT_TABLE.UNSPEC,
    action: FR_ACT.TO_TBL,
    flags: 0,
  };
  const selectors = {
    ...{ source: ip('10.9.0.1'), inputName: 'va', mark: 0x10, markMask: 0xff, priority: 50, tableId: 1000 },
    ...{ ipProtocol: 6, destinationPorts: { first: 80, last: 88 } },
  };
  const request: RtnlValue = { kind: 'rule', rule: { ...header, ...selectors, protocol: OURS } };
  assert.equal(await change(RTM.NEWRULE, NEW, request), 'done');
  assert.equal(await change(RTM.NEWRULE, NEW, request), 'EEXIST');
  const all = await dump(
    RTM.GETRULE,
    { kind: 'rule', rule: { ...header, sourceLength: 0, action: FR_ACT.UNSPEC } },
    readRule,
  );
  const found = all.find(({ protocol }) => protocol === OURS) ?? assert.fail();
  for (const [key, value] of Object.entries(selectors))
    assert.deepEqual(found[key as keyof typeof found], value, key);
  assert.equal(found.suppressPrefixLength, 0xffffffff);
  assert.equal(shown('rule', 'show', 'priority', '50')[0]?.table, '1000');
  assert.equal(await change(RTM.DELRULE, 0, request), 'done');
  assert.equal(await change(RTM.DELRULE, 0, request), 'ENOENT');
}

async function neighbours(): Promise<void> {
  const { index } = await linkNamed('va');
  const entry = { family: 2, index, state: NUD.PERMANENT, flags: 0, type: 0, destination: ip('10.9.0.9') };
  const request: RtnlValue = {
    kind: 'neighbour',
    neighbour: { ...entry, hardwareAddress: '02:aa:bb:cc:dd:ee' },
  };
  assert.equal(await change(RTM.NEWNEIGH, NEW, request), 'done');
  assert.equal(await change(RTM.NEWNEIGH, NEW, request), 'EEXIST');
  const { destination, ...any } = { ...entry, index: 0, state: 0 };
  const all = await dump(RTM.GETNEIGH, { kind: 'neighbour', neighbour: any }, readNeighbour);
  const found = all.find((neighbour) => neighbour.destination === destination) ?? assert.fail();
  assert.deepEqual(
    [found.hardwareAddress, found.state, found.index],
    ['02:aa:bb:cc:dd:ee', NUD.PERMANENT, index],
  );
  assert.equal(
    shown('neigh', 'show', 'dev', 'va').find(({ dst }) => dst === destination)?.lladdr,
    '02:aa:bb:cc:dd:ee',
  );
  assert.equal(await change(RTM.DELNEIGH, 0, request), 'done');
}

for (const run of [theLoopback, addressesOfIpv4, addressesOfIpv6, aMacvlan, routes, rules, neighbours]) {
  await run();
  console.log(run.name);
}
connection.close();
