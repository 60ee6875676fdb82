/** What a case of a rule is, and what cases change. */
import { ip } from '../../src/core/ip.js';
import type { Severity, Wanted } from '../../src/doctor/model.js';
import { type Changes, facts, VIP } from './build.js';

export interface Case {
  readonly name: string;
  readonly id: string;
  readonly changes: Changes;
  /** The severities of its findings, in order. */
  readonly finds: readonly Severity[];
  /** Of the first finding. */
  readonly fix?: string;
  readonly seen?: RegExp;
}

export const masquerade: Partial<Wanted> = {
  servers: [{ service: 'web', address: ip('10.0.0.2'), method: 'masquerade' }],
};
export const masqueradeSix: Partial<Wanted> = {
  servers: [{ service: 'web', address: ip('2001:db8::2'), method: 'masquerade' }],
};
export const router = { name: 'outside', interface: 'eth0', addresses: [VIP] };
export const elsewhere: Partial<Wanted> = {
  services: [{ name: 'web', address: ip('192.0.2.77'), port: 80, persistent: false }],
};
export const eth1 = {
  name: 'eth1',
  up: true,
  addresses: [{ address: ip('10.0.0.1'), prefix: 8, deprecated: false }],
};
export const LINKS = facts().links;
export const table = (changes: object) => ({
  table: {
    kind: 'read',
    version: '1.2.1',
    connectionTableSize: 32768,
    connections: 0,
    foreign: [],
    ...changes,
  } as const,
});
export const modules = (name: string, state: 'loaded' | 'available' | 'absent') => ({
  modules: new Map([['ip_vs', 'loaded'] as const, [name, state] as const]),
});
