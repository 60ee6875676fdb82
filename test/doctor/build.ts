/** A director on which all is well, to break. */
import { ip } from '../../src/core/ip.js';
import type { Facts, Wanted } from '../../src/doctor/model.js';

export const VIP = ip('192.0.2.254');

export const WANTED: Wanted = {
  configured: true,
  services: [{ name: 'web', address: VIP, port: 80, persistent: false }],
  servers: [{ service: 'web', address: ip('192.0.2.2'), method: 'direct' }],
  schedulers: ['wlc'],
  persistenceEngines: [],
  routers: [],
  synchronised: false,
  checks: 1,
  pings: 0,
  busiest: { target: '192.0.2.2:80', perSecond: 0.5 },
};

export const SETTINGS: Readonly<Record<string, string>> = {
  'ipv4/ip_forward': '0',
  'ipv6/conf/all/forwarding': '0',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/eth0/rp_filter': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/eth0/send_redirects': '0',
  'ipv4/vs/conn_reuse_mode': '1',
  'ipv4/vs/expire_nodest_conn': '1',
  'ipv4/vs/expire_quiescent_template': '0',
  'ipv4/vs/conntrack': '0',
  'ipv4/vs/run_estimation': '1',
  'ipv4/vs/sync_threshold': '3\t50',
  'ipv4/vs/sync_refresh_period': '0',
  'ipv4/ip_local_port_range': '32768\t60999',
};

export interface Changes extends Partial<Omit<Facts, 'wanted' | 'setting'>> {
  readonly wanted?: Partial<Wanted>;
  /** Undefined: the kernel has no such setting. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
}

export function facts({ wanted, settings, ...rest }: Changes = {}): Facts {
  const all: Readonly<Record<string, string | undefined>> = { ...SETTINGS, ...settings };
  return {
    release: '6.1.0-40-amd64',
    table: { kind: 'read', version: '1.2.1', connectionTableSize: 32768, connections: 100, foreign: [] },
    modules: new Map([
      ['ip_vs', 'loaded'],
      ['ip_vs_wlc', 'loaded'],
    ]),
    links: [
      { name: 'lo', up: true, addresses: [{ address: ip('127.0.0.1'), prefix: 8, deprecated: false }] },
      {
        name: 'eth0',
        up: true,
        addresses: [
          { address: ip('192.0.2.1'), prefix: 24, deprecated: false },
          { address: VIP, prefix: 32, deprecated: false },
        ],
      },
    ],
    programs: new Set(['systemd', 'chronyd']),
    capabilities: 0x1ff_ffff_ffffn,
    filesMax: 65536,
    ...rest,
    wanted: { ...WANTED, ...wanted },
    setting: (path) => all[path],
  };
}
