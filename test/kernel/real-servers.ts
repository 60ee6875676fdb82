/** The topology's servers, made ready by lvsentry itself. */
import { join } from 'node:path';
import { PROJECT } from './lab.js';
import { type RealServer, runOn, VIP } from './topology.js';

const PROGRAM = join(PROJECT, 'dist/bundle/src/main.js');

/** `lvsentry realserver` on one server, for the VIP. @throws with what it says where it exits with another code than 0 */
export function realserver(server: RealServer, ...words: readonly string[]): string {
  return runOn(server, process.execPath, PROGRAM, 'realserver', ...words, '--vip', VIP);
}

/** For direct routing and tunnels. */
export function prepareByLvsentry(): void {
  for (const server of ['rs1', 'rs2'] as const) {
    realserver(server, 'up');
    realserver(server, 'up', '--tunnel');
  }
}
