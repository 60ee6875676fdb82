/** Two servers that are checked twice: each itself, and through its service. */
import type { CheckStatus } from '../../../src/api/checks.js';
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { PATIENCE_MS, type Scene } from '../scene.js';
import { ADDRESSES, directorTable, type Method, VIP } from '../topology.js';

export const FIRST_MARK = 7000;
/** An address of the director that clients might come from: servers reach it by the routes that they have for those. */
export const OUTSIDE = '10.9.9.1';

const WORDS = 'the server is well, the path to it is broken';

/** Addresses of the service and of its servers. */
export interface Places {
  readonly vip: string;
  readonly rs1: string;
  readonly rs2: string;
}

/** The hosts have these beside those of the topology once a test has given them. */
export const IPV6 = {
  vip: 'fd00:2::fe',
  director: 'fd00:2::1',
  rs1: 'fd00:2::2',
  rs2: 'fd00:2::3',
  outside: 'fd00:9::1',
} as const;

const IPV4: Places = { vip: VIP, rs1: ADDRESSES.rs1, rs2: ADDRESSES.rs2 };

const bracketed = (address: string): string =>
  address.includes(':') ? `"[${address}]:80"` : `${address}:80`;

/** @param more keys of the check through the service */
export function configuration(method: Method, more = '', { vip, rs1, rs2 } = IPV4): string {
  return `
path-marks: ${FIRST_MARK}
services:
  web:
    address: ${bracketed(vip)}
    forward: ${method}
    checks:
      - { name: own, type: http, interval: 1s, timeout: 900ms }
      - { name: path, type: http, interval: 1s, timeout: 900ms, through: service${more} }
    servers:
      - { name: rs1, address: "${rs1}" }
      - { name: rs2, address: "${rs2}" }
`;
}

/** A service in datagrams. @param kind keys of the check that goes through it */
export function udpConfiguration(kind: string): string {
  return `
path-marks: ${FIRST_MARK}
services:
  web:
    address: ${VIP}:53
    protocol: udp
    forward: direct
    checks:
      - { name: own, type: udp, payload: ping, reply-required: true, interval: 1s, timeout: 900ms }
      - { name: path, ${kind}, interval: 1s, timeout: 900ms, through: service }
    servers:
      - { name: rs1, address: ${ADDRESSES.rs1} }
      - { name: rs2, address: ${ADDRESSES.rs2} }
`;
}

/** The services of `ipvsadm -Sn` that are of one of our marks, and their servers. */
export function privateLines(): string[] {
  return directorTable().filter((line) => /-f 70\d\d\b/.test(line));
}

async function checkOf(scene: Scene, server: string, name: string): Promise<CheckStatus | undefined> {
  return (await scene.server(server)).checks.find((check) => check.name === name);
}

/** Both servers are up by both checks. */
export async function allWell(t: Assertions, scene: Scene): Promise<void> {
  const areWell = async (): Promise<boolean> => {
    const { servers } = await scene.web();
    return servers.every(
      ({ checks, verdict }) => verdict === 'up' && checks.every((check) => check.verdict === 'up'),
    );
  };
  const isReached = await eventually(areWell, PATIENCE_MS, 200);
  t.ok(isReached, 'both servers are up, themselves and through the service');
  if (!isReached) t.comment(await scene.ask('/v1/servers/rs1/why'));
}

/** Breaks the path to rs1, which is told apart from a server that is down, and mends it. */
export async function breaks(
  t: Assertions,
  scene: Scene,
  spoil: () => void,
  mend: () => void,
): Promise<void> {
  await allWell(t, scene);
  spoil();
  try {
    const { msg: message } = await scene.event(t, 'server-down', ({ server }) => server === 'rs1');
    t.ok(String(message ?? '').includes('by its check path'), 'the check through the service decided');
    t.ok(String(message ?? '').includes(WORDS), 'and it is told that the server is well');
    t.equal((await checkOf(scene, 'rs1', 'own'))?.verdict, 'up', 'the check of the server itself is up');
    await scene.sees('rs1', ({ reason }) => reason.includes(WORDS));
    t.ok((await scene.server('rs1')).reason.includes(WORDS), 'the status says so');
    t.ok((await scene.ask('/v1/servers/rs1/why')).includes(WORDS), 'and so does why');
    t.equal((await scene.server('rs2')).verdict, 'up', 'the other server is well both ways');
  } finally {
    mend();
  }
  await allWell(t, scene);
  t.equal(
    scene.director.events('server-down').filter(({ server }) => server === 'rs2').length,
    0,
    'nothing was said against the other server',
  );
}
