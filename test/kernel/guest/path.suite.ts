/** Data-path checks beside a real kernel: each forwarding method, broken in its way, and what is left behind. */
import type { Assertions } from '../../contract/assertions.js';
import {
  direct,
  directIpv6,
  dns,
  masquerade,
  masqueradeIpv6,
  neighbour,
  tunnel,
  tunnelIpv6,
  udp,
} from '../path/broken.js';
import { killed, stopped, strict, unasked } from '../path/private.js';
import { Scene } from '../scene.js';

export async function suite(t: Assertions): Promise<void> {
  const scene = await Scene.build('path');
  await scene.runAll(t, [
    ['direct routing, and the VIP is gone from a server', direct],
    ['direct routing, and packets to a server go to another machine', neighbour],
    ['a tunnel whose end is down', tunnel],
    ['masquerading, and answers do not come back through the director', masquerade],
    ['direct routing of datagrams, and the VIP is gone from a server', udp],
    ['the same with questions of DNS', dns],
    ['direct routing in IPv6, and the VIP is gone from a server', directIpv6],
    ['masquerading in IPv6, and answers do not come back through the director', masqueradeIpv6],
    ['a tunnel of IPv6 whose end is down', tunnelIpv6],
    ['killed and started again', killed],
    ['killed, and started without such checks', unasked],
    ['an orderly stop', stopped],
    ['a setting that would drop the answers', strict],
  ]);
}
