/** The path to one server, broken as each forwarding method can be. */
import type { Assertions } from '../../contract/assertions.js';
import { ip } from '../guest/run-program.js';
import type { Scene } from '../scene.js';
import { ADDRESSES, type Method, runOn, startOn, sysctl, useMethod, VIP } from '../topology.js';
import { breaks, configuration, IPV6, OUTSIDE, udpConfiguration } from './servers.js';

async function start(t: Assertions, scene: Scene, method: Method, more?: string): Promise<void> {
  useMethod(method);
  await scene.start(t, configuration(method, more));
}

export async function direct(t: Assertions, scene: Scene): Promise<void> {
  await start(t, scene, 'direct');
  await breaks(
    t,
    scene,
    () => ip(`-n rs1 addr del ${VIP}/32 dev lo`),
    () => ip(`-n rs1 addr add ${VIP}/32 dev lo`),
  );
}

/** Somebody else has the server's address in the neighbours' table, and hands on what is not for himself. */
export async function neighbour(t: Assertions, scene: Scene): Promise<void> {
  const [mac = ''] = /(?<=link\/ether )\S+/.exec(runOn('client', 'ip', 'link', 'show', 'eth0')) ?? [];
  sysctl('client', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0');
  sysctl('client', 'net.ipv4.conf.eth0.send_redirects=0');
  await start(t, scene, 'direct');
  await breaks(
    t,
    scene,
    () => ip(`-n director neigh replace ${ADDRESSES.rs1} lladdr ${mac} dev eth0 nud permanent`),
    () => ip(`-n director neigh del ${ADDRESSES.rs1} dev eth0`),
  );
  sysctl('client', 'net.ipv4.ip_forward=0');
}

export async function tunnel(t: Assertions, scene: Scene): Promise<void> {
  await start(t, scene, 'tunnel');
  await breaks(
    t,
    scene,
    () => ip('-n rs1 link set tunl0 down'),
    () => ip('-n rs1 link set tunl0 up'),
  );
}

/** The servers reach the director's own address whatever their routes; so probes come from where clients do. */
export async function masquerade(t: Assertions, scene: Scene): Promise<void> {
  ip(`-n director addr add ${OUTSIDE}/32 dev lo`);
  for (const server of ['rs1', 'rs2']) ip(`-n ${server} route add ${OUTSIDE}/32 via ${ADDRESSES.director}`);
  await start(t, scene, 'masquerade', `, source: ${OUTSIDE}`);
  await breaks(
    t,
    scene,
    () => ip(`-n rs1 route del ${OUTSIDE}/32`),
    () => ip(`-n rs1 route add ${OUTSIDE}/32 via ${ADDRESSES.director}`),
  );
}

/**
 * A server of datagrams at each of these addresses, so that answers come from where was asked: to a question of DNS it
 * says that there is no such record, and it gives back all else.
 */
const DATAGRAMS = `for (const address of process.argv.slice(1)) {
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const answer = Buffer.from(bytes);
    if (bytes.length > 12) answer.writeUInt16BE(0x8580, 2);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(53, address);
}`;

/** @param kind keys of the check through the service */
async function datagrams(t: Assertions, scene: Scene, kind: string): Promise<void> {
  const servers = (['rs1', 'rs2'] as const).map((host) =>
    startOn(host, process.execPath, '-e', DATAGRAMS, ADDRESSES[host], VIP),
  );
  try {
    useMethod('direct');
    await scene.start(t, udpConfiguration(kind));
    await breaks(
      t,
      scene,
      () => ip(`-n rs1 addr del ${VIP}/32 dev lo`),
      () => ip(`-n rs1 addr add ${VIP}/32 dev lo`),
    );
  } finally {
    for (const server of servers) await server.stop();
  }
}

export async function udp(t: Assertions, scene: Scene): Promise<void> {
  await datagrams(t, scene, 'type: udp, payload: ping, reply-required: true');
}

export async function dns(t: Assertions, scene: Scene): Promise<void> {
  await datagrams(t, scene, 'type: dns, query: a.test, record: A');
}

/** Once for all tests that follow; each server is a neighbour, and nobody announces the VIP but the director. */
function giveIpv6(): void {
  for (const host of ['director', 'rs1', 'rs2'] as const)
    ip(`-n ${host} addr replace ${IPV6[host]}/64 dev eth0 nodad`);
  // Else it would be the address that probes of the servers themselves come from, which have it too (RFC 6724, rule 8).
  ip(`-n director addr replace ${IPV6.vip}/128 dev eth0 nodad preferred_lft 0`);
  ip(`-n director addr replace ${IPV6.outside}/128 dev lo`);
  sysctl('director', 'net.ipv6.conf.all.forwarding=1');
  for (const server of ['rs1', 'rs2'] as const) {
    ip(`-n ${server} addr replace ${IPV6.vip}/128 dev lo nodad`);
    ip(`-n ${server} route replace ${IPV6.outside}/128 via ${IPV6.director}`);
  }
}

export async function directIpv6(t: Assertions, scene: Scene): Promise<void> {
  giveIpv6();
  await scene.start(t, configuration('direct', '', IPV6));
  await breaks(
    t,
    scene,
    () => ip(`-n rs1 addr del ${IPV6.vip}/128 dev lo`),
    () => ip(`-n rs1 addr add ${IPV6.vip}/128 dev lo nodad`),
  );
}

export async function masqueradeIpv6(t: Assertions, scene: Scene): Promise<void> {
  giveIpv6();
  await scene.start(t, configuration('masquerade', `, source: "${IPV6.outside}"`, IPV6));
  await breaks(
    t,
    scene,
    () => ip(`-n rs1 route del ${IPV6.outside}/128`),
    () => ip(`-n rs1 route add ${IPV6.outside}/128 via ${IPV6.director}`),
  );
}

export async function tunnelIpv6(t: Assertions, scene: Scene): Promise<void> {
  giveIpv6();
  for (const server of ['rs1', 'rs2'] as const) {
    runOn(server, 'modprobe', 'ip6_tunnel');
    ip(`-n ${server} link set ip6tnl0 up`);
  }
  await scene.start(t, configuration('tunnel', '', IPV6));
  await breaks(
    t,
    scene,
    () => ip('-n rs1 link set ip6tnl0 down'),
    () => ip('-n rs1 link set ip6tnl0 up'),
  );
}
