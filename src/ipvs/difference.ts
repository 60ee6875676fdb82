/** Comparing settings, member by member, in words that a person can act on. Pure. */
import type { DestSettings, Forward, Persistence, SchedulerFlags, ServiceSettings } from './model.js';

/** `direct`, `tunnel ipip`, `tunnel gue port 6080 checksum`. */
function forwardText(forward: Forward): string {
  if (forward.method !== 'tunnel') return forward.method;
  const port = forward.type === 'gue' ? ` port ${forward.port}` : '';
  const checksum = forward.checksum === 'none' ? '' : ` ${forward.checksum}`;
  return `tunnel ${forward.type}${port}${checksum}`;
}

function persistenceText(persistence: Persistence | undefined): string {
  return persistence === undefined ? 'none' : `${persistence.timeoutSeconds}s/${persistence.prefix}`;
}

function flagsText(flags: SchedulerFlags): string {
  const names = [flags.flag1 ? 'flag-1' : '', flags.flag2 ? 'flag-2' : '', flags.flag3 ? 'flag-3' : ''];
  return names.filter((name) => name !== '').join(',') || 'none';
}

function listChanges(
  pairs: readonly (readonly [string, string | number, string | number])[],
): string | undefined {
  const changed = pairs.filter(([, wanted, found]) => wanted !== found);
  if (changed.length === 0) return undefined;
  return changed.map(([name, wanted, found]) => `${name} ${found}, should be ${wanted}`).join('; ');
}

/** What differs, as `weight 0, should be 3; ...`; undefined where nothing does. */
export function destDifference(wanted: DestSettings, found: DestSettings): string | undefined {
  if (sameDest(wanted, found)) return undefined;
  const differences = [methodDifference(wanted, found), weightDifference(wanted, found)];
  return differences.filter((difference) => difference !== undefined).join('; ');
}

/** What differs of how a server is served: all of its settings but its weight. */
export function methodDifference(wanted: DestSettings, found: DestSettings): string | undefined {
  return listChanges([
    ['forward', forwardText(wanted.forward), forwardText(found.forward)],
    ['upper threshold', wanted.upperThreshold, found.upperThreshold],
    ['lower threshold', wanted.lowerThreshold, found.lowerThreshold],
  ]);
}

export function weightDifference(wanted: DestSettings, found: DestSettings): string | undefined {
  return listChanges([['weight', wanted.weight, found.weight]]);
}

// The steady state is "same": decided without making a text.
export function sameDest(wanted: DestSettings, found: DestSettings): boolean {
  return (
    wanted.weight === found.weight &&
    wanted.upperThreshold === found.upperThreshold &&
    wanted.lowerThreshold === found.lowerThreshold &&
    sameForward(wanted.forward, found.forward)
  );
}

function sameForward(wanted: Forward, found: Forward): boolean {
  if (wanted.method !== 'tunnel' || found.method !== 'tunnel') return wanted.method === found.method;
  return wanted.type === found.type && wanted.port === found.port && wanted.checksum === found.checksum;
}

/** What differs between the settings of a service; undefined where nothing does. */
export function serviceDifference(wanted: ServiceSettings, found: ServiceSettings): string | undefined {
  return listChanges([
    ['scheduler', wanted.scheduler, found.scheduler],
    ['scheduler flags', flagsText(wanted.schedulerFlags), flagsText(found.schedulerFlags)],
    ['one-packet', String(wanted.onePacket), String(found.onePacket)],
    ['persistence', persistenceText(wanted.persistence), persistenceText(found.persistence)],
    ['persistence engine', wanted.persistenceEngine ?? 'none', found.persistenceEngine ?? 'none'],
  ]);
}

/** How a server is served, all but its weight: equal where `methodDifference` finds nothing. */
export function methodText({ forward, upperThreshold, lowerThreshold }: DestSettings): string {
  return `${forwardText(forward)}, thresholds ${upperThreshold} ${lowerThreshold}`;
}

/** The settings of a service: equal where `serviceDifference` finds nothing. */
export function settingsText(settings: ServiceSettings): string {
  const { scheduler, schedulerFlags, onePacket, persistence, persistenceEngine } = settings;
  const words = [scheduler, flagsText(schedulerFlags), String(onePacket), persistenceText(persistence)];
  return [...words, persistenceEngine ?? 'none'].join(', ');
}
