/** Which table the demo can use: the kernel's where there is one and we may, else the daemon's own memory. */
import { existsSync, readFileSync } from 'node:fs';
import { NATIVE_FILE } from '../build-native.mjs';
import { run } from '../lib/process.mjs';

const IPVS = '/proc/net/ip_vs';

/** @returns {{table: 'kernel' | 'memory', why: string}} */
export function chooseTable() {
  if (process.platform !== 'linux') return { table: 'memory', why: 'IPVS is a part of Linux' };
  if (process.getuid() !== 0) return { table: 'memory', why: 'only root may change the kernel’s' };
  if (!existsSync(NATIVE_FILE)) return { table: 'memory', why: 'the native part is not built' };
  if (!existsSync(IPVS)) run('modprobe', ['-q', 'ip_vs']);
  if (!existsSync(IPVS)) return { table: 'memory', why: 'this kernel has no IPVS' };
  return { table: 'kernel', why: 'root, and this kernel has IPVS' };
}

/** The demo's own services in /proc/net/ip_vs: `TCP  7F000001:2120 wlc`. */
export function servicesInKernel(ports) {
  if (!existsSync(IPVS)) return [];
  const hex = ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0'));
  return readFileSync(IPVS, 'utf8')
    .split('\n')
    .filter((line) => hex.some((port) => line.startsWith(`TCP  7F000001:${port} `)));
}
