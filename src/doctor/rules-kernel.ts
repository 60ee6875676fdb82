/** What the kernel of a director has to have, and how it has to be set. Meanings: net/netfilter/ipvs and ip-sysctl. */
import { type Family, ipFamily } from '../core/ip.js';
import { settingLine, settingName, shellLine } from '../core/shell.js';
import { found, type Judgement, type Rule, settingRule, well } from './judge.js';
import type { Facts, LinkFact } from './model.js';

const ipvs: Rule = {
  id: 'ipvs',
  judge({ table }) {
    if (table.kind === 'read') return [well(`IPVS ${table.version}`)];
    if (table.kind === 'memory') return [well('`table: memory` needs no IPVS')];
    const { isAbsent, problem } = table;
    const fix = isAbsent ? shellLine('modprobe', 'ip_vs') : 'sudo lvsentry doctor';
    return [found('error', problem, 'the IPVS table cannot be read, let alone kept', fix)];
  },
};

/** What a module is for. */
function moduleWhy(name: string): string {
  if (name === 'ip_vs_ftp') return 'active FTP through masquerading needs it: nothing loads it by itself';
  return 'the kernel loads it with the first service that names it, if it may load modules then';
}

const modules: Rule = {
  id: 'modules',
  judge({ modules: states }) {
    return [...states].flatMap(([name, state]): Judgement[] => {
      if (name === 'ip_vs') return [];
      const fix = shellLine('modprobe', name);
      if (state === 'loaded') return [well(`${name} is loaded`)];
      if (state === 'available') {
        const severity = name === 'ip_vs_ftp' ? 'warning' : 'note';
        return [found(severity, `${name} is not loaded`, moduleWhy(name), fix)];
      }
      const why = 'the kernel refuses every service that needs it';
      return [found('error', `this kernel has no module ${name}`, why, fix)];
    });
  },
};

function masquerades({ wanted }: Facts, family: Family): boolean {
  return wanted.servers.some(
    ({ address, method }) => method === 'masquerade' && ipFamily(address) === family,
  );
}

const NO_FORWARD = 'masqueraded packets are not forwarded: no server gets any, or its answers end here';

/** Interfaces that packets of others come by. */
function outer({ links }: Facts): readonly LinkFact[] {
  return links.filter(({ name, up }) => name !== 'lo' && up);
}

const reversePath: Rule = {
  id: 'rp-filter',
  judge(facts) {
    const number = (name: string) => Number(facts.setting(`ipv4/conf/${name}/rp_filter`) ?? 0);
    const links = outer(facts);
    // The higher one of the two counts; 1 is strict, 2 is loose (IN_DEV_MAXCONF of linux/inetdevice.h).
    const strict = links.filter(({ name }) => Math.max(number('all'), number(name)) === 1);
    if (links.length === 0) return [];
    if (strict.length === 0) return [well('no interface filters strictly by the way back (rp_filter)')];
    const names = strict.map(({ name }) => name).join(', ');
    const why =
      'what comes in by another interface than answers leave by is dropped without a word: clients that are routed so reach no virtual IP';
    const loose = strict.map(({ name }) => [`ipv4/conf/${name}/rp_filter`, '2'] as const);
    return [
      found(
        links.length > 1 ? 'warning' : 'note',
        `rp_filter is strict on ${names}`,
        why,
        settingLine(...loose),
      ),
    ];
  },
};

const redirects: Rule = {
  id: 'send-redirects',
  judge(facts) {
    if (!masquerades(facts, 'ipv4')) return [];
    const isOn = (name: string) => facts.setting(`ipv4/conf/${name}/send_redirects`) === '1';
    const names = ['all', ...outer(facts).map(({ name }) => name)].filter(isOn);
    if (names.length === 0) return [well('no ICMP redirects are sent')];
    const why =
      'where servers and clients are neighbours, servers are told to answer past the director, which has to undo the masquerading';
    const off = names.map((name) => [`ipv4/conf/${name}/send_redirects`, '0'] as const);
    return [found('warning', `ICMP redirects are sent: ${names.join(', ')}`, why, settingLine(...off))];
  },
};

/** Whether a kernel of this release is at least MAJOR.MINOR. */
function isSince(release: string, major: number, minor: number): boolean {
  const [is = 0, isMinor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return is > major || (is === major && isMinor >= minor);
}

const REUSE = 'ipv4/vs/conn_reuse_mode';

const reuse: Rule = {
  id: 'conn-reuse-mode',
  judge({ release, setting }) {
    const is = setting(REUSE);
    if (is === undefined) return [];
    const seen = `${settingName(REUSE)} is ${is}`;
    if (is === '0') {
      const why =
        'a client that uses a port again stays with its old server, though that one is drained or has weight 0';
      return [found('warning', seen, why, settingLine([REUSE, '1']))];
    }
    if (setting('ipv4/vs/conntrack') !== '1' || isSince(release, 5, 9)) return [well(seen)];
    const why = `in kernel ${release} a client that uses a port again waits a second for its connection (fixed in 5.9)`;
    return [found('warning', `${seen}, with conntrack`, why, settingLine(['ipv4/vs/conntrack', '0']))];
  },
};

const SYNC_THRESHOLD = 'ipv4/vs/sync_threshold';
const SYNC_REFRESH = 'ipv4/vs/sync_refresh_period';

const synchronisation: Rule = {
  id: 'sync-threshold',
  judge({ wanted, setting }) {
    const threshold = setting(SYNC_THRESHOLD);
    if (!wanted.synchronised || threshold === undefined) return [];
    const refresh = setting(SYNC_REFRESH) ?? '0';
    const [first = '', every = ''] = threshold.split(/\s+/);
    const seen = `${settingName(SYNC_THRESHOLD)} is ${first} ${every}, sync_refresh_period ${refresh}`;
    const fix = settingLine([SYNC_THRESHOLD, '0 0'], [SYNC_REFRESH, '10']);
    if (first !== '0') {
      const why = `other directors hear of a connection only with packet ${first} of the client: those before are lost with this director`;
      return [found('note', seen, why, fix)];
    }
    if (every !== '0' || refresh !== '0') return [well(seen)];
    return [found('warning', seen, 'other directors hear of no established connection at all', fix)];
  },
};

/** Connections a row of the hash table beyond which each packet searches noticeably. */
const CONNECTIONS_PER_ROW = 2;
const DEFAULT_SIZE = 4096;

const connectionTable: Rule = {
  id: 'connection-table',
  judge({ table }) {
    if (table.kind !== 'read') return [];
    const { connectionTableSize: size, connections } = table;
    const seen = `the table of connections has ${size} rows, for ${connections} connections`;
    const bits = Math.min(20, Math.max(15, Math.ceil(Math.log2(Math.max(connections, 1)))));
    const fix = `echo 'options ip_vs conn_tab_bits=${bits}' >/etc/modprobe.d/ip_vs.conf  # in effect once ip_vs is loaded anew`;
    if (connections > CONNECTIONS_PER_ROW * size)
      return [found('warning', seen, 'each packet searches through several connections', fix)];
    if (size > DEFAULT_SIZE) return [well(seen)];
    return [found('note', seen, 'it is the smallest usual size, and cannot grow while ip_vs is loaded', fix)];
  },
};

export const KERNEL_RULES: readonly Rule[] = [
  ipvs,
  modules,
  settingRule({
    id: 'ip-forward',
    path: 'ipv4/ip_forward',
    value: '1',
    severity: 'error',
    why: NO_FORWARD,
    matters: (facts) => masquerades(facts, 'ipv4'),
  }),
  settingRule({
    id: 'ipv6-forward',
    path: 'ipv6/conf/all/forwarding',
    value: '1',
    severity: 'error',
    why: NO_FORWARD,
    matters: (facts) => masquerades(facts, 'ipv6'),
  }),
  reversePath,
  redirects,
  reuse,
  settingRule({
    id: 'expire-nodest-conn',
    path: 'ipv4/vs/expire_nodest_conn',
    value: '1',
    severity: 'warning',
    why: 'connections to a server that was removed are not reset: clients wait for their own time-outs, and UDP flows are lost for as long as they go on',
  }),
  settingRule({
    id: 'expire-quiescent-template',
    path: 'ipv4/vs/expire_quiescent_template',
    value: '1',
    severity: 'warning',
    why: 'persistent clients stay with a server that is down at weight 0 until their persistence ends, and a drain takes as long',
    matters: ({ wanted }) => wanted.services.some(({ persistent }) => persistent),
  }),
  settingRule({
    id: 'conntrack',
    path: 'ipv4/vs/conntrack',
    value: '0',
    severity: 'note',
    why: 'netfilter tracks every connection a second time, which costs; only firewall rules that know states or NAT of them need it',
  }),
  settingRule({
    id: 'estimation',
    path: 'ipv4/vs/run_estimation',
    value: '1',
    severity: 'note',
    why: 'all rates per second are 0',
  }),
  synchronisation,
  connectionTable,
];
