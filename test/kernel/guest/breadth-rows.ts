/**
 * Every combination of what a service and a server can be, twice over: as our configuration says it and as ipvsadm
 * prints it. Both are written here by hand: neither is made by the code under test.
 */

/** One service: the lines below its name, and the line of `ipvsadm -Sn` for each of its entries. */
export interface Row {
  readonly yaml: readonly string[];
  readonly saved: readonly string[];
}

interface Option {
  readonly yaml: readonly string[];
  /** In the order in which ipvsadm prints them: -p and -M, --pe, -o, -b. */
  readonly words: string;
}

const NOTHING: Option = { yaml: [], words: '' };

const persistence = (words: string, yaml: string): Option => ({ yaml: [`persistence: ${yaml}`], words });

/** By family: ipvsadm has a mask for IPv4 and a length for IPv6. */
const PERSISTENCE = {
  ipv4: [
    NOTHING,
    persistence(' -p 300', '{}'),
    persistence(' -p 1 -M 255.255.240.0', '{ timeout: 1s, netmask: 20 }'),
    persistence(' -p 2678400', '{ timeout: 31d, netmask: 32 }'),
  ],
  ipv6: [
    NOTHING,
    persistence(' -p 300', '{}'),
    persistence(' -p 1 -M 20', '{ timeout: 1s, netmask: 20 }'),
    persistence(' -p 2678400', '{ timeout: 31d, netmask: 128 }'),
  ],
} as const;

const named = (...names: string[]): Option => ({
  yaml: names.length === 0 ? [] : [`flags: [${names.join(', ')}]`],
  words: names.length === 0 ? '' : ` -b ${names.join(',')}`,
});

function flagsOf(scheduler: string): readonly Option[] {
  if (scheduler !== 'sh' && scheduler !== 'mh') return [named(), named('flag-1', 'flag-2', 'flag-3')];
  const [fallback, port] = [`${scheduler}-fallback`, `${scheduler}-port`];
  return [named(), named(fallback), named(port), named(fallback, port)];
}

const ONE_PACKET: Option = { yaml: ['one-packet: true'], words: ' -o' };
const SIP: Option = {
  yaml: ['persistence: { timeout: 60s }', 'persistence-engine: sip'],
  words: ' -p 60 --pe sip',
};
const SIP_ONE_PACKET: Option = { yaml: [...SIP.yaml, ...ONE_PACKET.yaml], words: `${SIP.words} -o` };

type Family = 'ipv4' | 'ipv6';

/** What is specific to the protocol and the family, beside the scheduler. */
function manners(protocol: string, family: Family): readonly Option[] {
  const everywhere = PERSISTENCE[family];
  return protocol === 'udp' || protocol === 'fwmark'
    ? [...everywhere, ONE_PACKET, SIP, SIP_ONE_PACKET]
    : everywhere;
}

const OPTIONS: Readonly<Record<string, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' };

/** What makes it a service of its own: the number goes into its port or its mark. */
function keyOf(protocol: string, family: Family, number: number): Option {
  if (protocol === 'fwmark') {
    return {
      yaml: [`fwmark: ${number}`, `family: ${family}`],
      words: `-f ${number}${family === 'ipv6' ? ' -6' : ''}`,
    };
  }
  const place = family === 'ipv4' ? `192.0.2.1:${number}` : `[2001:db8::1]:${number}`;
  return {
    yaml: [`address: "${place}"`, `protocol: ${protocol}`],
    words: `${OPTIONS[protocol] ?? ''} ${place}`,
  };
}

interface Server {
  readonly yaml: (address: string) => string;
  readonly words: string;
}

const server = (yaml: string, words: string): Server => ({
  yaml: (address) => `{ address: "${address}"${yaml} }`,
  words,
});

/** Each way of forwarding, weights and thresholds at their ends. ipvsadm never prints thresholds. */
const SERVERS: readonly Server[] = [
  server('', '-g -w 1'),
  server(', weight: 0', '-g -w 0'),
  server(', weight: 2147483647, forward: masquerade', '-m -w 2147483647'),
  server(', forward: tunnel', '-i -w 1 --tun-type ipip'),
  server(
    ', forward: tunnel, tunnel: { type: gue, port: 6080 }',
    '-i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum',
  ),
  server(
    ', forward: tunnel, tunnel: { type: gue, port: 1, checksum: checksum }',
    '-i -w 1 --tun-type gue --tun-port 1 --tun-csum',
  ),
  server(
    ', forward: tunnel, tunnel: { type: gue, port: 65535, checksum: remote-checksum }',
    '-i -w 1 --tun-type gue --tun-port 65535 --tun-remcsum',
  ),
  server(', forward: tunnel, tunnel: { type: gre }', '-i -w 1 --tun-type gre --tun-nocsum'),
  server(
    ', forward: tunnel, tunnel: { type: gre, checksum: checksum }, weight: 7',
    '-i -w 7 --tun-type gre --tun-csum',
  ),
  server(', upper-threshold: 4294967295, lower-threshold: 4294967295', '-g -w 1'),
  server(', upper-threshold: 100', '-g -w 1'),
];

const OTHER_FAMILY = server(', forward: tunnel', '-i -w 1 --tun-type ipip');

const HOSTS = { ipv4: '198.51.100.', ipv6: '2001:db8:1::' } as const;

function endpoint(family: Family, host: number, port: number): string {
  const address = `${HOSTS[family]}${host}`;
  return family === 'ipv4' ? `${address}:${port}` : `[${address}]:${port}`;
}

/** The servers of a service: all ways of forwarding for every one, and one of the other family. */
function entries(key: Option, family: Family, port: number): Row {
  const other: Family = family === 'ipv4' ? 'ipv6' : 'ipv4';
  const all = [
    ...SERVERS.map((each, index) => ({ each, family, host: index + 1 })),
    { each: OTHER_FAMILY, family: other, host: 99 },
  ];
  return {
    yaml: [
      // fwmark services and those of port 0 have no port that could be probed.
      'check: { port: 80, interval: 1h }',
      'servers:',
      ...all.map((its) => `  - ${its.each.yaml(`${HOSTS[its.family]}${its.host}`)}`),
    ],
    saved: all.map((its) => `-a ${key.words} -r ${endpoint(its.family, its.host, port)} ${its.each.words}`),
  };
}

function row(key: Option, family: Family, port: number, options: readonly Option[], scheduler: string): Row {
  const servers = entries(key, family, port);
  const words = options.map((option) => option.words).join('');
  return {
    yaml: [
      ...key.yaml,
      `scheduler: ${scheduler}`,
      ...options.flatMap((option) => option.yaml),
      ...servers.yaml,
    ],
    saved: [`-A ${key.words} -s ${scheduler}${words}`, ...servers.saved],
  };
}

/** @param schedulers those that this kernel has */
export function breadthRows(schedulers: readonly string[]): readonly Row[] {
  const rows: Row[] = [];
  for (const protocol of ['tcp', 'udp', 'sctp', 'fwmark'])
    for (const family of ['ipv4', 'ipv6'] as const)
      for (const scheduler of schedulers)
        for (const flags of flagsOf(scheduler))
          for (const manner of manners(protocol, family)) {
            const number = rows.length + 1;
            const port = protocol === 'fwmark' ? 0 : number;
            rows.push(row(keyOf(protocol, family, number), family, port, [manner, flags], scheduler));
          }
  // Every port: one address has one such service a protocol.
  for (const protocol of ['tcp', 'udp', 'sctp'])
    for (const family of ['ipv4', 'ipv6'] as const)
      rows.push(row(keyOf(protocol, family, 0), family, 0, [persistence(' -p 300', '{}')], 'wlc'));
  return rows;
}
