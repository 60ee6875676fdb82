/** keepalived 2.2.7 of Debian 12, with its defaults. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../stage.js';
import { addressOf, otherOf, type Peer, type Seat, type Settings, VRID } from './model.js';

const COMPLAINT = /invalid|incorrect|mismatch|bogus|wrong|unknown|error/i;

function configurationOf({ host, mode }: Seat, { priority, preempt }: Settings): string {
  const { version, family, cast, password, interval, vips } = mode;
  const unicast = [
    `unicast_src_ip ${addressOf(host, family)}`,
    `unicast_peer {\n ${addressOf(otherOf(host), family)}\n }`,
  ];
  const lines = [
    'interface eth0',
    'state BACKUP',
    `virtual_router_id ${VRID}`,
    `priority ${priority}`,
    `version ${version}`,
    `advert_int ${interval / 1000}`,
    ...(preempt ? [] : ['nopreempt']),
    ...(password === undefined ? [] : [`authentication {\n auth_type PASS\n auth_pass ${password}\n }`]),
    ...(cast === 'unicast' ? unicast : []),
    `virtual_ipaddress {\n ${vips.join('\n ')}\n }`,
  ];
  return `global_defs {\n router_id ${host}\n}\nvrrp_instance v {\n ${lines.join('\n ')}\n}\n`;
}

/** Its parent would tell the child that speaks VRRP to end well, or start another one: first it is stopped. */
async function kill(program: Program, childFile: string): Promise<void> {
  if (program.isGone()) return;
  program.child.kill('SIGSTOP');
  process.kill(Number(readFileSync(childFile, 'utf8')), 'SIGKILL');
  await program.stop('SIGKILL');
  // Until somebody has reaped the child, the next keepalived would take it for a living one.
  rmSync(childFile);
}

export const keepalived: Peer = {
  name: 'keepalived',
  programs: ['keepalived'],
  cannot: () => undefined,
  seesCarrier: true,
  answersLower: true,
  start: async (seat, settings) => {
    const { stage, host } = seat;
    const file = join(stage.folder, `${host}.conf`);
    writeFileSync(file, configurationOf(seat, settings));
    const childFile = join(stage.folder, `${host}-vrrp.pid`);
    const pids = ['-p', join(stage.folder, `${host}.pid`), '-r', childFile];
    const program = stage.start(host, 'keepalived', '-n', '-l', '-P', '-f', file, ...pids);
    return {
      isBackup: () => program.output.some((line) => line.includes('Entering BACKUP STATE')),
      complaints: () => program.output.filter((line) => COMPLAINT.test(line)),
      stop: () => program.stop('SIGTERM'),
      kill: () => kill(program, childFile),
    };
  },
  macOf: ({ stage, host }) => stage.macOf(host),
};
