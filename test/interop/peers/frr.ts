/**
 * FRR 8.4's vrrpd with its zebra. The virtual MAC and the virtual IPs are on a macvlan that stands before FRR starts;
 * zebra takes the link away (protodown) while the router is not master.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mode, numberOf, type Peer, type Seat, type Settings, VRID } from './model.js';

const FOLDER = '/usr/lib/frr';
const MACVLAN = 'vrrp51';
const COMPLAINT = /invalid|mismatch|incorrect|discard|error/i;

function virtualMac({ family }: Mode): string {
  return `00:00:5e:00:0${family === 'ipv4' ? 1 : 2}:${VRID.toString(16)}`;
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'frr'], { encoding: 'utf8' }));
}

async function setUpLink({ stage, host, mode }: Seat): Promise<void> {
  const set = (...words: string[]) => stage.ip(host, 'link', 'set', MACVLAN, ...words);
  await stage.ip(host, 'link', 'add', MACVLAN, 'link', 'eth0', 'type', 'macvlan', 'mode', 'bridge');
  await set('addrgenmode', 'none');
  await set('address', virtualMac(mode));
  // Without it both links answer for both addresses.
  for (const link of ['eth0', MACVLAN])
    await stage.in(host, 'sysctl', '-qw', `net.ipv4.conf.${link}.arp_ignore=1`);
  const own = mode.family === 'ipv6' ? [`fe80::${numberOf(host)}:2/64`] : [];
  // Its own link-local address is the source of adverts: FRR takes the one that was added last.
  for (const address of [...mode.vips, ...own]) {
    const nodad = mode.family === 'ipv6' ? ['nodad'] : [];
    await stage.ip(host, 'addr', 'add', address, 'dev', MACVLAN, ...nodad);
  }
  await set('protodown', 'on');
  await set('up');
}

function configurationOf({ mode }: Seat, { priority, preempt }: Settings): string {
  const family = mode.family === 'ipv4' ? 'ip' : 'ipv6';
  const lines = [
    `version ${mode.version}`,
    `priority ${priority}`,
    `advertisement-interval ${mode.interval}`,
    ...mode.vips.map((vip) => `${family} ${vip.split('/')[0]}`),
  ].map((line) => ` vrrp ${VRID} ${line}`);
  const noPreempt = preempt ? [] : [` no vrrp ${VRID} preempt`];
  return ['interface eth0', ...lines, ...noPreempt, ''].join('\n');
}

export const frr: Peer = {
  name: 'FRR',
  programs: [join(FOLDER, 'vrrpd')],
  cannot: ({ cast, password }) => {
    if (cast === 'unicast') return 'FRR has no unicast VRRP';
    return password === undefined ? undefined : 'FRR has no authentication';
  },
  seesCarrier: false,
  answersLower: false,
  start: async (seat, settings) => {
    const { stage, host } = seat;
    const folder = join(stage.folder, host);
    const socket = join(folder, 'zebra.sock');
    const program = (name: string, config: string) => {
      const file = join(folder, `${name}.conf`);
      writeFileSync(file, config);
      const paths = ['-f', file, '-i', join(folder, `${name}.pid`), '-z', socket, '--vty_socket', folder];
      return stage.start(host, join(FOLDER, name), ...paths, '-P', '0', '--log', 'stdout');
    };
    if (!existsSync(folder)) {
      mkdirSync(folder);
      chownSync(folder, idOf('-u'), idOf('-g'));
      await setUpLink(seat);
      const zebra = program('zebra', '');
      await stage.until('zebra has started', () => zebra.output.some((line) => line.includes('starting')));
    }
    const vrrpd = program('vrrpd', configurationOf(seat, settings));
    return {
      isBackup: () => vrrpd.output.some((line) => line.includes('-> Backup')),
      complaints: () => vrrpd.output.filter((line) => COMPLAINT.test(line)),
      stop: () => vrrpd.stop('SIGTERM'),
      kill: () => vrrpd.stop('SIGKILL'),
    };
  },
  macOf: ({ mode }) => virtualMac(mode),
};
