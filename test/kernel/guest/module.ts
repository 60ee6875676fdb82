/** The module ip_vs, which is the whole machine's. */
import { readFileSync } from 'node:fs';
import { run } from './run-program.js';

/** On a host kernel nobody may take the module away: it would take the host's own table along. */
export function isGuest(): boolean {
  return readFileSync('/proc/cpuinfo', 'utf8').includes('User Mode Linux');
}

/** Schedulers and helpers first: they hold ip_vs. @throws where something in the table holds it */
export function unloadIpvs(): void {
  const loaded = readFileSync('/proc/modules', 'utf8').split('\n');
  const names = loaded.map((line) => line.split(' ')[0] ?? '').filter((name) => name.startsWith('ip_vs_'));
  run('rmmod', ...names, 'ip_vs');
}
