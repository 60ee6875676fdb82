import type { Family } from '../core/ip.js';
import { serviceFamily } from '../ipvs/keys.js';
import type { Persistence, SchedulerFlags, ServiceSettings } from '../ipvs/model.js';
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
import { type Keys, refuse } from './service-keys.js';
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

/** How many leading bits make a client, where the configuration says so. */
function persistencePrefix(
  context: Context,
  at: RawPersistence,
  keys: Checked<Keys>,
): Checked<number | undefined> {
  const netmask = member(at, 'netmask');
  if (netmask === undefined || netmask === FAULTY) return netmask;
  if (keys === FAULTY) return FAULTY;
  if (netmask.value <= 32 || keys.every((key) => serviceFamily(key) === 'ipv6')) return netmask.value;
  return report(context, netmask, `${netmask.value} is more than the 32 bits of an IPv4 address`);
}

type PersistenceByFamily = Readonly<Record<Family, Persistence>>;

function persistence(
  context: Context,
  at: Cursor<RawService>,
  keys: Checked<Keys>,
): Checked<PersistenceByFamily> | undefined {
  const given = member(at, 'persistence');
  if (given === undefined || given === FAULTY) return given;
  const timeoutSeconds = persistenceSeconds(context, given);
  const prefix = persistencePrefix(context, given, keys);
  if (timeoutSeconds === FAULTY || prefix === FAULTY) return FAULTY;
  return {
    ipv4: { timeoutSeconds, prefix: prefix ?? 32 },
    ipv6: { timeoutSeconds, prefix: prefix ?? 128 },
  };
}

/** One-packet scheduling and persistence engines work on UDP alone (net/netfilter/ipvs). */
function udpOnly(context: Context, at: Cursor<RawService>, keys: Checked<Keys>): boolean {
  const other = keys === FAULTY ? undefined : keys.find((key) => key.kind === 'address');
  if (other === undefined || other.protocol === 'udp') return true;
  const why = `only with \`protocol: udp\` or \`fwmark\`, this service is ${other.protocol}`;
  const onePacket = member(at, 'one-packet');
  const off = onePacket !== undefined && onePacket !== FAULTY && !onePacket.value;
  return refuse(context, at, off ? ['persistence-engine'] : ['one-packet', 'persistence-engine'], why);
}

/** All entries of one family have the same. */
export type SettingsByFamily = Readonly<Record<Family, ServiceSettings>>;

/** Everything of a service that can be changed while it runs. */
export function serviceSettings(
  context: Context,
  at: Cursor<RawService>,
  keys: Checked<Keys>,
): Checked<SettingsByFamily> {
  const scheduler = read(at, 'scheduler', 'wlc');
  const flags = schedulerFlags(context, at, scheduler);
  const onePacket = read(at, 'one-packet', false);
  const persistent = persistence(context, at, keys);
  const engine = member(at, 'persistence-engine');
  const fit = udpOnly(context, at, keys);
  if (engine !== undefined && engine !== FAULTY && persistent === undefined) {
    return reportKey(context, engine, 'only with `persistence`, which it refines');
  }
  if (!fit || scheduler === FAULTY || flags === FAULTY || onePacket === FAULTY) return FAULTY;
  if (persistent === FAULTY || engine === FAULTY) return FAULTY;
  const settingsOf = (family: Family): ServiceSettings => ({
    scheduler,
    schedulerFlags: flags,
    onePacket,
    persistence: persistent?.[family],
    persistenceEngine: engine?.value,
  });
  return { ipv4: settingsOf('ipv4'), ipv6: settingsOf('ipv6') };
}
