/** The observer's eyes: lines that tcpdump 4.99 really printed. */
import t from 'tap';
import { Capture, readFrame } from './capture.js';

const PORT = '1795368607.085066 b-eth0 M   ifindex 4 00:00:5e:00:01:33';
const frame = { at: 1795368607085.066, from: 'b', link: 'eth0', mac: '00:00:5e:00:01:33' };
const IPV4 = `${PORT} ethertype IPv4 (0x0800), length 52: (tos 0xc0, ttl 255, id 28144, offset 0, flags [DF], proto VRRP (112), length 32)`;
const IPV6 = `${PORT} ethertype IPv6 (0x86dd), length 100: (class 0xc0, flowlabel 0x6b883, hlim 64, next-header VRRP (112) payload length: 40)`;
const ARP = `${PORT} ethertype ARP (0x0806), length 48: Ethernet (len 6), IPv4 (len 4),`;
const NDP = `${PORT} ethertype IPv6 (0x86dd), length 92: (hlim 255, next-header ICMPv6 (58) payload length: 32)`;
const advert = { kind: 'advert', vrid: 51, hops: 255, auth: undefined, sound: true };
const toGroup = { ...advert, source: '10.77.0.2', destination: '224.0.0.18' };

const LINES: readonly (readonly [string, string, object | undefined])[] = [
  [
    'an advert of version 3',
    `${IPV4} 10.77.0.2 > 224.0.0.18: VRRPv3, Advertisement, vrid 51, prio 100, intvl 20cs, length 12, addrs: 10.77.0.100`,
    { ...toGroup, version: 3, priority: 100, interval: '20cs' },
  ],
  [
    'an advert of version 2 with a password',
    `${IPV4} 10.77.0.2 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 0, authtype simple, intvl 1s, length 20, addrs: 10.77.0.100 auth "s3cret"`,
    { ...toGroup, version: 2, priority: 0, auth: 'simple', interval: '1s' },
  ],
  [
    'an advert with a wrong checksum',
    `${IPV4} 10.77.0.2 > 224.0.0.18: VRRPv3, Advertisement, vrid 51, prio 100, intvl 20cs, length 12, (bad vrrp cksum 1b3f), addrs: 10.77.0.100`,
    { ...toGroup, version: 3, priority: 100, interval: '20cs', sound: false },
  ],
  [
    'an advert over IPv6, with another hop limit',
    `${IPV6} fe80::100 > ff02::12: VRRPv3, Advertisement, vrid 51, prio 150, intvl 20cs, length 40, addrs(2): fe80::100,2001:db8:77::100`,
    {
      ...advert,
      source: 'fe80::100',
      destination: 'ff02::12',
      version: 3,
      priority: 150,
      interval: '20cs',
      hops: 64,
    },
  ],
  [
    'a gratuitous ARP',
    `${ARP} Request who-has 10.77.0.100 (ff:ff:ff:ff:ff:ff) tell 10.77.0.100, length 28`,
    { kind: 'announcement', address: '10.77.0.100' },
  ],
  [
    'an ARP request',
    `${ARP} Request who-has 10.77.0.1 (ff:ff:ff:ff:ff:ff) tell 10.77.0.10, length 28`,
    { kind: 'question', address: '10.77.0.1' },
  ],
  [
    'an ARP reply',
    `${ARP} Reply 10.77.0.1 is-at 5a:c8:91:56:1a:f6, length 28`,
    { kind: 'answer', address: '10.77.0.1' },
  ],
  [
    'a neighbour solicitation',
    `${NDP} fe80::2:1 > ff02::1:ff00:100: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has 2001:db8:77::100`,
    { kind: 'question', address: '2001:db8:77::100' },
  ],
  [
    'an answer to one',
    `${NDP} fe80::100 > fe80::2:1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is fe80::100, Flags [solicited, override]`,
    { kind: 'answer', address: 'fe80::100' },
  ],
  [
    'an unsolicited neighbour advertisement',
    `${NDP} fe80::100 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is fe80::100, Flags [router, override]`,
    { kind: 'announcement', address: 'fe80::100' },
  ],
  [
    'a router solicitation',
    `${NDP} fe80::2 > ff02::2: [icmp6 sum ok] ICMP6, router solicitation, length 16`,
    undefined,
  ],
  [
    'the same frame on the bridge',
    `${ARP.replace('b-eth0', 'net_eth0')} Reply 10.77.0.1 is-at 5a:c8:91:56:1a:f6`,
    undefined,
  ],
  ['what tcpdump says of itself', '84 packets captured', undefined],
];

t.test('what a line says', async (t) => {
  for (const [name, line, expected] of LINES)
    t.strictSame(readFrame(line), expected && { ...frame, ...expected }, name);
});

t.test('frames in one line and in two', async (t) => {
  const capture = new Capture();
  const second =
    '    10.77.0.2 > 224.0.0.18: VRRPv3, Advertisement, vrid 51, prio 100, intvl 20cs, length 12';
  const option = '\t  destination link-address option (2), length 8 (1): 00:00:5e:00:02:33';
  capture.line(IPV4);
  t.equal(capture.mark(), 0, 'half a frame is none');
  capture.line(second);
  t.equal(capture.adverts(0).length, 1);
  capture.line(second);
  capture.line(option);
  t.equal(capture.mark(), 1, 'what belongs to nothing is nothing');
  capture.line(IPV4);
  capture.line(`${ARP} Request who-has 10.77.0.100 (ff:ff:ff:ff:ff:ff) tell 10.77.0.100, length 28`);
  t.equal(capture.mark(), 2, 'a frame whose second line is missing does not swallow the next');
});

t.test('who claims, who leaves, and since when', async (t) => {
  const capture = new Capture();
  const says = (priority: number, host: string) => {
    capture.line(IPV4.replace('b-eth0', `${host}-eth0`));
    capture.line(
      `    10.77.0.2 > 224.0.0.18: VRRPv3, Advertisement, vrid 51, prio ${priority}, intvl 20cs, length 12`,
    );
  };
  says(100, 'b');
  says(0, 'b');
  const since = capture.mark();
  says(150, 'a');
  t.equal(capture.claims(0, 'b').length, 1);
  t.equal(capture.resignations(0, 'b').length, 1);
  t.equal(capture.adverts(since).length, 1);
  t.equal(capture.claims(since, 'b').length, 0);
  t.equal(capture.claims(since, 'a').length, 1);
  t.equal(capture.resignations(since, 'b').length, 0);
});
