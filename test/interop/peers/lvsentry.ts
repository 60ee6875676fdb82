/** lvsentry, as its users run it: the bundle. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program, Stage } from '../stage.js';
import { addressOf, otherOf, type Peer, type Running, type Seat, type Settings, VRID } from './model.js';

const PROGRAM = fileURLToPath(new URL('../../../bundle/src/main.js', import.meta.url));

/** What is read of a virtual router. */
interface RouterView {
  readonly name: string;
  readonly role: string;
  readonly putBack: number;
  readonly becameMaster: number;
  readonly received: number;
  readonly discarded: Readonly<Record<string, number>>;
  readonly squatters: readonly { readonly mac: string; readonly addresses: readonly string[] }[];
  /** Of the thread as a whole. */
  readonly strangers: number;
  readonly unreadable: number;
}

function fileOf(stage: Stage, host: string): string {
  return join(stage.folder, `${host}.yaml`);
}

/** Writes the configuration of a host with these lines of `vrrp:`. @returns its file */
export function configureLvsentry(stage: Stage, host: string, vrrp: readonly string[]): string {
  const file = fileOf(stage, host);
  const lines = [
    `name: ${host}`,
    'table: memory',
    `api: { listen: 'unix:${join(stage.folder, `${host}.sock`)}' }`,
    'services: {}',
    'vrrp:',
    ...vrrp.map((line) => `  ${line}`),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Starts lvsentry on a host with a configuration file. */
export function startLvsentry(stage: Stage, host: string, file: string): Program {
  return stage.start(host, process.execPath, PROGRAM, 'run', '-c', file);
}

/** One event of lvsentry's log. */
interface Logged {
  readonly kind: string;
  readonly msg: string;
}

/** What lvsentry logged. Lines that are none of its events are what a program prints when it falls. */
export function loggedBy({ output }: Program): readonly Logged[] {
  return output.map((line) =>
    line.startsWith('{') ? (JSON.parse(line) as Logged) : { kind: 'fallen', msg: line },
  );
}

const VIEW_LIMIT = 30_000;

/**
 * What `lvsentry vrrp` says of the first virtual router of a host, once `holds` is true of it: it is told once a second.
 * @throws (rejects) where that does not come to pass
 */
export async function routerWhen(
  stage: Stage,
  host: string,
  holds: (router: RouterView) => boolean,
): Promise<RouterView> {
  const words = [process.execPath, PROGRAM, 'vrrp', '--json', '-c', fileOf(stage, host)];
  const end = performance.now() + VIEW_LIMIT;
  for (;;) {
    const text = await stage.in(host, ...words);
    const { routers, strangers, unreadable } = JSON.parse(text) as RouterView & { routers: RouterView[] };
    const [first] = routers;
    const router = first === undefined ? undefined : { ...first, strangers, unreadable };
    if (router !== undefined && holds(router)) return router;
    if (performance.now() > end) throw new Error(`${host} says ${text}\n${stage.told()}`);
  }
}

function routerOf({ host, mode }: Seat, { priority, preempt }: Settings): string {
  const { version, family, cast, password, interval, vips } = mode;
  const peers = `peers: ["${addressOf(otherOf(host), family)}"]`;
  // keepalived 2.2.7 leaves the hop limit of unicast IPv6 at the kernel's 64.
  const hops = family === 'ipv6' ? ', hops: 64' : '';
  const parts = [
    `interface: eth0, id: ${VRID}, version: ${version}, priority: ${priority}, preempt: ${preempt}`,
    `interval: ${interval}ms, addresses: [${vips.map((vip) => `"${vip}"`).join(', ')}]`,
    ...(password === undefined ? [] : [`auth: { password: ${password} }`]),
    ...(cast === 'multicast' ? [] : [`unicast: { source: "${addressOf(host, family)}", ${peers}${hops} }`]),
  ];
  return parts.join(', ');
}

function running(program: Program): Running {
  return {
    isBackup: () => loggedBy(program).some(({ kind }) => kind === 'became-backup'),
    complaints: () =>
      loggedBy(program)
        .filter(({ kind, msg }) => kind === 'fallen' || /is ignored|not sent|cannot be|taken away/.test(msg))
        .map(({ msg }) => msg),
    stop: () => program.stop('SIGTERM'),
    kill: () => program.stop('SIGKILL'),
  };
}

/** lvsentry with more options of the virtual router (YAML, one line); the programs are put into `programs` by host. */
export function lvsentryWith(
  more: (host: Seat['host']) => string,
  programs = new Map<Seat['host'], Program>(),
): Peer & { readonly reload: (seat: Seat, settings: Settings) => Promise<void> } {
  const configure = (seat: Seat, settings: Settings): string =>
    configureLvsentry(seat.stage, seat.host, [`v: { ${routerOf(seat, settings)}${more(seat.host)} }`]);
  return {
    name: 'lvsentry',
    programs: [],
    cannot: () => undefined,
    seesCarrier: true,
    answersLower: true,
    start: async (seat, settings) => {
      const program = startLvsentry(seat.stage, seat.host, configure(seat, settings));
      programs.set(seat.host, program);
      return running(program);
    },
    macOf: ({ stage, host }) => stage.macOf(host),
    reload: async (seat, settings) => {
      const program = programs.get(seat.host);
      const reloads = (): number =>
        program === undefined ? 0 : loggedBy(program).filter(({ kind }) => kind === 'config-reloaded').length;
      const before = reloads();
      configure(seat, settings);
      program?.child.kill('SIGHUP');
      await seat.stage.until('the configuration is loaded anew', () => reloads() > before);
    },
  };
}

export const lvsentry: Peer = lvsentryWith(() => '');
