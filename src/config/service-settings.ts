import { serviceFamily } from '../ipvs/keys.js';
import type { Persistence, SchedulerFlags, ServiceKey, ServiceSettings } from '../ipvs/model.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  items,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import type { RawService } from './schema.js';
import { refuse } from './service-key.js';
import { wholeSeconds } from './whole-seconds.js';

type FlagName = NonNullable<RawService['flags']>[number];

/** IP_VS_SVC_F_SCHED1 .. SCHED3 and the names that schedulers give them (linux/ip_vs.h). */
const FLAG_BITS: Readonly<Record<FlagName, keyof SchedulerFlags>> = {
  'flag-1': 'flag1',
  'flag-2': 'flag2',
  'flag-3': 'flag3',
  'sh-fallback': 'flag1',
  'sh-port': 'flag2',
  'mh-fallback': 'flag1',
  'mh-port': 'flag2',
};

const OWNED_FLAG = /^(sh|mh)-/;

function schedulerFlags(
  context: Context,
  at: Cursor<RawService>,
  scheduler: Checked<string>,
): Checked<SchedulerFlags> {
  const list = member(at, 'flags');
  const flags = { flag1: false, flag2: false, flag3: false };
  if (list === undefined) return flags;
  if (list === FAULTY || scheduler === FAULTY) return FAULTY;
  for (const item of items(list)) {
    if (item === FAULTY) return FAULTY;
    const owner = OWNED_FLAG.exec(item.value)?.[1];
    if (owner !== undefined && owner !== scheduler) {
      return report(
        context,
        item,
        `${item.value} belongs to the scheduler ${owner}, this service has ${scheduler}`,
      );
    }
    flags[FLAG_BITS[item.value]] = true;
  }
  return flags;
}

type RawPersistence = Cursor<NonNullable<RawService['persistence']>>;

const DEFAULT_PERSISTENCE_SECONDS = 300;

function persistenceSeconds(context: Context, at: RawPersistence): Checked<number> {
  const timeout = member(at, 'timeout');
  if (timeout === undefined) return DEFAULT_PERSISTENCE_SECONDS;
  return timeout === FAULTY ? FAULTY : wholeSeconds(context, timeout);
}

function persistencePrefix(context: Context, at: RawPersistence, key: Checked<ServiceKey>): Checked<number> {
  const netmask = member(at, 'netmask');
  if (netmask === FAULTY || key === FAULTY) return FAULTY;
  const bits = serviceFamily(key) === 'ipv4' ? 32 : 128;
  if (netmask === undefined) return bits;
  if (netmask.value <= bits) return netmask.value;
  return report(context, netmask, `${netmask.value} is more than the ${bits} bits of an IPv4 address`);
}

function persistence(
  context: Context,
  at: Cursor<RawService>,
  key: Checked<ServiceKey>,
): Checked<Persistence> | undefined {
  const given = member(at, 'persistence');
  if (given === undefined || given === FAULTY) return given;
  const timeoutSeconds = persistenceSeconds(context, given);
  const prefix = persistencePrefix(context, given, key);
  return timeoutSeconds === FAULTY || prefix === FAULTY ? FAULTY : { timeoutSeconds, prefix };
}

/** One-packet scheduling and persistence engines work on UDP alone (net/netfilter/ipvs). */
function udpOnly(context: Context, at: Cursor<RawService>, key: Checked<ServiceKey>): boolean {
  if (key === FAULTY || key.kind === 'fwmark' || key.protocol === 'udp') return true;
  const why = `only with \`protocol: udp\` or \`fwmark\`, this service is ${key.protocol}`;
  const onePacket = member(at, 'one-packet');
  const off = onePacket !== undefined && onePacket !== FAULTY && !onePacket.value;
  return refuse(context, at, off ? ['persistence-engine'] : ['one-packet', 'persistence-engine'], why);
}

/** Everything of a service that can be changed while it runs. */
export function serviceSettings(
  context: Context,
  at: Cursor<RawService>,
  key: Checked<ServiceKey>,
): Checked<ServiceSettings> {
  const scheduler = read(at, 'scheduler', 'wlc');
  const flags = schedulerFlags(context, at, scheduler);
  const onePacket = read(at, 'one-packet', false);
  const persistent = persistence(context, at, key);
  const engine = member(at, 'persistence-engine');
  const fit = udpOnly(context, at, key);
  if (engine !== undefined && engine !== FAULTY && persistent === undefined) {
    return reportKey(context, engine, 'only with `persistence`, which it refines');
  }
  if (!fit || scheduler === FAULTY || flags === FAULTY || onePacket === FAULTY) return FAULTY;
  if (persistent === FAULTY || engine === FAULTY) return FAULTY;
  return {
    scheduler,
    schedulerFlags: flags,
    onePacket,
    persistence: persistent,
    persistenceEngine: engine?.value,
  };
}
