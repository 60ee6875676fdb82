/** The thread of the virtual routers: an engine on the real clock and sockets, joined to main by messages alone. */
import { createHmac } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { assert, unreachable } from '../core/assert.js';
import { systemClock, systemTimers, systemTurns } from '../sys/clock.js';
import { collectRarely, keepYoungSmall } from '../sys/collector.js';
import { openNetlink } from '../sys/netlink.js';
import { openAlarm, openPacketSocket } from '../sys/packet.js';
import { becomeRealtime, compiledWhole } from '../sys/realtime.js';
import { forwardsIpv6, prepareForVips, systemSysctls } from '../sys/sysctl.js';
import type { Hmac } from '../wire/vrrp-trailer.js';
import type { FromVrrp, ToVrrp } from './protocol.js';

keepYoungSmall();
collectRarely();

const port = parentPort;
assert(port !== null, 'the VRRP worker is a thread');

const tell = (message: FromVrrp): void => port.postMessage(message);

function hmacOf(keys: ReadonlyMap<number, string>): Hmac {
  return (keyId, data) => {
    const key = keys.get(keyId);
    return key === undefined ? undefined : createHmac('sha256', key).update(data).digest();
  };
}

const refused = becomeRealtime();
if (refused.length > 0) {
  const message = `adverts may be late under load: the kernel refuses ${refused.join(' and ')}`;
  tell({ kind: 'notice', notice: { instance: undefined, level: 'warn', what: 'trouble', message } });
}

const [{ AddressClient }, { VrrpEngine }] = await compiledWhole(() =>
  Promise.all([import('../addresses/client.js'), import('./engine.js')]),
);

const engine = new VrrpEngine({
  clock: systemClock,
  timers: systemTimers,
  client: new AddressClient({ openNetlink, timers: systemTimers, turns: systemTurns }),
  openSocket: openPacketSocket,
  openAlarm,
  hmacOf,
  forwards: forwardsIpv6,
  prepareForVips,
  sysctls: systemSysctls,
  tell,
});

/** One order at a time: a change of the configuration waits for virtual IPs to be dropped. */
let line: Promise<void> = Promise.resolve();

const obey = async (message: ToVrrp): Promise<void> => {
  switch (message.kind) {
    case 'configure':
      return engine.configure(message.routers, new Set(message.resumed));
    case 'observed':
      return engine.observe(message.what, message.seen);
    case 'ready':
      return engine.ready();
    case 'stop':
      await engine.stop();
      return port.close();
    default:
      return unreachable(message);
  }
};

port.on('message', (message: ToVrrp) => {
  line = line.then(() => obey(message));
});
