/** What else has to be right on a director: addresses, other programs, rights and limits. */
import { type Ip, ipFamily } from '../core/ip.js';
import { settingLine, shellLine } from '../core/shell.js';
import { found, type Judgement, type Rule, well } from './judge.js';
import { isOnMachine } from './rules-address.js';

/** Marks what comes from the network, and not what the other director sends on. */
function markLine(vip: Ip | undefined): string {
  const program = vip !== undefined && ipFamily(vip) === 'ipv6' ? 'ip6tables' : 'iptables';
  const to = vip === undefined ? [] : ['-d', vip];
  const others = ['-m', 'mac', '!', '--mac-source', 'MAC-OF-THE-OTHER-DIRECTOR'];
  const line = shellLine(
    program,
    '-t',
    'mangle',
    '-A',
    'PREROUTING',
    ...to,
    ...others,
    '-j',
    'MARK',
    '--set-mark',
    '1',
  );
  return `${line}  # and in the service, in place of its address: fwmark: 1`;
}

const localServers: Rule = {
  id: 'local-server',
  judge(facts) {
    const { services, servers, routers } = facts.wanted;
    const vips = new Set(services.flatMap(({ address }) => (address === undefined ? [] : [address])));
    const of = (wanted: string) => services.find(({ name }) => name === wanted)?.address;
    /** Names who listens, or nobody. */
    const listenerLine = (wanted: string): string => {
      const its = services.find(({ name }) => name === wanted);
      const filter = its?.port === undefined ? [] : [`sport = :${its.port}`];
      return `${shellLine('ss', '-lntup', ...filter)}  # somebody must listen on ${its?.address ?? 'the virtual IP'}, or on all addresses`;
    };
    return servers.flatMap(({ service, address, method }): Judgement[] => {
      const isItself = of(service) === address;
      if (/^(127\.|::1$)/.test(address) || (!isOnMachine(address, facts) && !isItself)) return [];
      const seen = `${address}, a server of ${service}, is ${vips.has(address) ? 'a virtual IP' : 'this machine'}`;
      if (method === 'masquerade' || routers.length === 0) {
        const why =
          'the kernel serves it here and rewrites nothing: it must listen on the virtual IP, at the port of the service';
        return [found('note', seen, why, listenerLine(service))];
      }
      const why =
        'while another director is master, this one schedules again what that one sent here, and packets go in circles; mark what comes from the network and make the service one of that mark';
      return [found('warning', seen, why, markLine(of(service)))];
    });
  },
};

/** Programs that write to the IPVS table, by what stands in /proc/PID/comm. */
const MANAGERS: Readonly<Record<string, { readonly severity: 'warning' | 'error'; readonly why: string }>> = {
  keepalived: {
    severity: 'warning',
    why: 'with `virtual_server` blocks it undoes what lvsentry does; with `vrrp_instance` blocks it may move the same virtual IPs',
  },
  ldirectord: { severity: 'error', why: 'it undoes what lvsentry does, and lvsentry what it does' },
  lvsd: { severity: 'error', why: 'piranha undoes what lvsentry does' },
  seesaw_engine: { severity: 'error', why: 'seesaw empties the table when it starts' },
  surealived: { severity: 'error', why: 'it undoes what lvsentry does' },
};

/** The interface that kube-proxy keeps the addresses of its services on, in IPVS mode. */
const KUBE_LINK = 'kube-ipvs0';

const otherManagers: Rule = {
  id: 'other-manager',
  judge({ programs, links }) {
    const running = Object.entries(MANAGERS).flatMap(([name, { severity, why }]) =>
      programs.has(name)
        ? [found(severity, `${name} is running`, why, shellLine('systemctl', 'disable', '--now', name))]
        : [],
    );
    const kube = links.some(({ name }) => name === KUBE_LINK)
      ? [
          found(
            'error',
            'kube-proxy is in IPVS mode',
            'it removes every service that it does not know',
            'kubectl -n kube-system edit configmap kube-proxy  # mode: iptables',
          ),
        ]
      : [];
    const all = [...running, ...kube];
    return all.length === 0 ? [well('no other program that keeps IPVS tables is running')] : all;
  },
};

const FOREIGN_SHOWN = 3;

const foreignServices: Rule = {
  id: 'foreign-services',
  judge({ table, wanted }) {
    if (table.kind !== 'read' || !wanted.configured) return [];
    const { foreign } = table;
    if (foreign.length === 0) return [well('the table holds nothing that the configuration does not name')];
    const shown = foreign.slice(0, FOREIGN_SHOWN).join(', ');
    const more = foreign.length > FOREIGN_SHOWN ? `, and ${foreign.length - FOREIGN_SHOWN} more` : '';
    const why =
      'another program or a person made them: lvsentry leaves them alone unless `exclusive` says otherwise';
    return [
      found('note', `services that the configuration does not name: ${shown}${more}`, why, 'lvsentry table'),
    ];
  },
};

/** linux/capability.h */
const CAP_NET_RAW = 13n;

const CAPABILITIES = [
  {
    name: 'CAP_NET_ADMIN',
    bit: 12n,
    severity: 'error',
    why: 'neither the table nor virtual IPs can be changed',
  },
  {
    name: 'CAP_NET_RAW',
    bit: CAP_NET_RAW,
    severity: 'error',
    why: 'virtual routers can neither send adverts nor hear them',
  },
  { name: 'CAP_SYS_NICE', bit: 23n, severity: 'warning', why: 'adverts are late on a busy machine' },
] as const;

function hasCapability(own: bigint, bit: bigint): boolean {
  return ((own >> bit) & 1n) === 1n;
}

const capabilities: Rule = {
  id: 'capabilities',
  judge({ capabilities: own, wanted }) {
    const needed = wanted.routers.length > 0 ? CAPABILITIES : CAPABILITIES.slice(0, 1);
    return needed.map(({ name, bit, severity, why }) =>
      hasCapability(own, bit)
        ? well(`this process has ${name}`)
        : found(
            severity,
            `this process has no ${name}`,
            why,
            `systemctl edit lvsentry  # AmbientCapabilities=${name}`,
          ),
    );
  },
};

/** Source: ping_init_sock() of Linux; a range that ends before it begins is nobody. */
const pings: Rule = {
  id: 'pings',
  judge({ capabilities: own, wanted, setting }) {
    if (wanted.pings === 0) return [];
    if (hasCapability(own, CAP_NET_RAW)) return [well('checks by ping have raw sockets')];
    const range = setting('ipv4/ping_group_range')?.trim().split(/\s+/).map(Number) ?? [];
    const [first = 1, last = 0] = range;
    if (first <= last) return [well(`groups ${first} to ${last} may ping without CAP_NET_RAW`)];
    const why = 'checks by ping cannot be made: their servers stay as they are, whatever becomes of them';
    return [
      found(
        'error',
        'no group may ping, and this process has no CAP_NET_RAW',
        why,
        settingLine(['ipv4/ping_group_range', '0 2147483647']),
      ),
    ];
  },
};

/** Names in /proc/PID/comm end after 15 characters. */
const TIME_PROGRAMS = ['chronyd', 'ntpd', 'openntpd', 'systemd-timesyn', 'ptp4l', 'timemaster'];

const clock: Rule = {
  id: 'clock',
  judge({ programs }) {
    const running = TIME_PROGRAMS.filter((name) => programs.has(name));
    if (running.length > 0) return [well(`${running.join(', ')} keeps the clock`)];
    const why = 'events of two directors cannot be put in order, and certificates are judged by a wrong date';
    return [
      found('warning', 'nothing keeps the clock right', why, shellLine('timedatectl', 'set-ntp', 'true')),
    ];
  },
};

/** Files beside those of checks: the table, the API, virtual routers, libraries. */
const FILES_BESIDE = 256;

const files: Rule = {
  id: 'file-descriptors',
  judge({ filesMax, wanted }) {
    if (wanted.checks === 0) return [];
    // FTP has two connections; all checks may be under way at once when a network is silent.
    const needed = 2 * wanted.checks + FILES_BESIDE;
    const seen = `a process may open ${filesMax} files; ${wanted.checks} checks may need ${needed}`;
    if (filesMax >= needed) return [well(seen)];
    const why =
      'checks fail for want of files just when many servers are silent, and keep their last verdicts';
    return [found('error', seen, why, `systemctl edit lvsentry  # LimitNOFILE=${2 * needed}`)];
  },
};

const PORT_RANGE = 'ipv4/ip_local_port_range';
const WIDE_RANGE = '10240 65535';
/** TCP_TIMEWAIT_LEN of net/tcp.h: a port is not used again to the same target for so long. */
const TIME_WAIT_SECONDS = 60;

const ports: Rule = {
  id: 'ephemeral-ports',
  judge({ setting, wanted: { busiest } }) {
    const [low = 0, high = 0] = (setting(PORT_RANGE) ?? '').split(/\s+/).map(Number);
    if (busiest === undefined || !(high > low)) return [];
    const { target, perSecond } = busiest;
    const count = high - low + 1;
    const held = Math.ceil(perSecond * TIME_WAIT_SECONDS);
    const seen = `${count} ports for connections, of which probes of ${target} may hold ${held}`;
    if (held <= count / 2) return [well(seen)];
    const why = 'probes of one target run out of ports and fail; lengthen the interval of its checks too';
    return [found(held > count ? 'error' : 'warning', seen, why, settingLine([PORT_RANGE, WIDE_RANGE]))];
  },
};

const addressRemovers: Rule = {
  id: 'address-remover',
  judge({ programs, wanted }) {
    const devices = [...new Set(wanted.routers.map(({ interface: name }) => name))];
    if (devices.length === 0) return [];
    const why =
      'it may remove virtual IPs when it configures the interface anew; lvsentry puts them back, with a gap';
    const on = devices.join(', ');
    const keep = `printf '[Network]\\nKeepConfiguration=static\\n'`;
    const known: readonly (readonly [string, string, string])[] = [
      [
        'systemd-network',
        `systemd-networkd is running, and virtual routers use ${on}`,
        `${keep}  # into a .conf file below /etc/systemd/network/NAME.network.d, then: networkctl reload`,
      ],
      [
        'NetworkManager',
        `NetworkManager is running, and virtual routers use ${on}`,
        devices.map((device) => shellLine('nmcli', 'device', 'set', device, 'managed', 'no')).join('; '),
      ],
    ];
    const running = known.filter(([program]) => programs.has(program));
    if (running.length === 0) return [well('no program that removes addresses of others is running')];
    return running.map(([, seen, fix]) => found('note', seen, why, fix));
  },
};

export const MACHINE_RULES: readonly Rule[] = [
  localServers,
  otherManagers,
  foreignServices,
  capabilities,
  pings,
  clock,
  files,
  ports,
  addressRemovers,
];
