/** Which connection-synchronisation daemons should run, and what brings the kernel there. */
import { completeSyncDaemon } from './kernel-rules.js';
import type { SyncDaemon, SyncRole, SyncRule } from './model.js';

/** One command to the kernel. */
export type SyncStep =
  | { readonly kind: 'start'; readonly daemon: SyncDaemon }
  | { readonly kind: 'stop'; readonly daemon: SyncDaemon; readonly isStranded: boolean };

/**
 * Roles whose daemons lost their interface: it was removed, if another one of its name came since or not. The kernel
 * goes on listing such a daemon, which neither tells nor hears.
 */
export type Stranded = ReadonlySet<SyncRole>;

const NONE: Stranded = new Set();

/** What there is to do with the kernel's daemons. */
export type SyncAim =
  /** They are none of our business. */
  | { readonly kind: 'ignore' }
  /** The role is not known yet: look, and leave alone what runs. */
  | { readonly kind: 'watch' }
  /** These run, and no other. */
  | { readonly kind: 'keep'; readonly daemons: readonly SyncDaemon[] }
  /** These were ours and end; others are left alone. */
  | { readonly kind: 'release'; readonly daemons: readonly SyncDaemon[] };

/**
 * The daemons that a rule asks for, the one of a followed role alone.
 * @param isMaster of the virtual router that is followed; undefined: not known, and then neither is the result
 */
export function wantedDaemons(
  { roles, daemon }: SyncRule,
  isMaster: boolean | undefined,
): readonly SyncDaemon[] | undefined {
  if (roles.kind === 'fixed') return roles.roles.map((role) => ({ role, ...daemon }));
  return isMaster === undefined ? undefined : [{ role: isMaster ? 'master' : 'backup', ...daemon }];
}

/** Whether a member of a running daemon is what was asked for. What a kernel before 4.3 does not tell is taken as right. */
function agrees<T>(wanted: T | undefined, seen: T | undefined): boolean {
  return wanted === undefined || seen === undefined || wanted === seen;
}

/** The length that a kernel makes of the one that was asked for; undefined where it chose one by itself. */
function keptLength(wanted: SyncDaemon): number | undefined {
  return wanted.maxLength === undefined ? undefined : completeSyncDaemon(wanted, 0).maxLength;
}

/** Whether a daemon that runs is the one that is wanted. */
export function fits(wanted: SyncDaemon, seen: SyncDaemon): boolean {
  return (
    wanted.role === seen.role &&
    wanted.interface === seen.interface &&
    wanted.syncId === seen.syncId &&
    agrees(wanted.group, seen.group) &&
    agrees(wanted.port, seen.port) &&
    agrees(wanted.ttl, seen.ttl) &&
    agrees(keptLength(wanted), seen.maxLength)
  );
}

function keep(
  wanted: readonly SyncDaemon[],
  seen: readonly SyncDaemon[],
  stranded: Stranded,
): readonly SyncStep[] {
  const isRight = (daemon: SyncDaemon, its: SyncDaemon): boolean =>
    fits(daemon, its) && !stranded.has(its.role);
  const wrong = seen.filter((its) => !wanted.some((daemon) => isRight(daemon, its)));
  const missing = wanted.filter((daemon) => !seen.some((its) => isRight(daemon, its)));
  const starts = missing.map((daemon) => ({ kind: 'start', daemon }) as const);
  const stop = (daemon: SyncDaemon) =>
    ({ kind: 'stop', daemon, isStranded: stranded.has(daemon.role) }) as const;
  const isInTheWay = ({ role }: SyncDaemon): boolean => missing.some((daemon) => daemon.role === role);
  // The kernel runs one of each role. One of the other role ends last: until then it may still say or hear something.
  return [
    ...wrong.filter(isInTheWay).map(stop),
    ...starts,
    ...wrong.filter((each) => !isInTheWay(each)).map(stop),
  ];
}

/** The commands that lead from what runs to what should, in their order. Done again, there are none. */
export function planSync(
  aim: SyncAim,
  seen: readonly SyncDaemon[],
  stranded: Stranded = NONE,
): readonly SyncStep[] {
  if (aim.kind === 'keep') return keep(aim.daemons, seen, stranded);
  if (aim.kind !== 'release') return [];
  return seen
    .filter((its) => aim.daemons.some((daemon) => fits(daemon, its)))
    .map((daemon) => ({ kind: 'stop', daemon, isStranded: stranded.has(daemon.role) }));
}

/**
 * What a start of lvsentry would do. A followed role shows only later: a master's daemon may be taken over as it is, and
 * everybody begins as a backup.
 */
export function planSyncStart(rule: SyncRule, seen: readonly SyncDaemon[]): readonly SyncStep[] {
  const planned = [true, false].map((isMaster) =>
    planSync({ kind: 'keep', daemons: wantedDaemons(rule, isMaster) ?? [] }, seen),
  );
  return planned.find((steps) => steps.length === 0) ?? planned[1] ?? [];
}

/** `backup on eth1, id 51, group 224.0.0.81 port 8848` */
export function syncDaemonText({ role, interface: device, syncId, group, port }: SyncDaemon): string {
  const where = group === undefined || port === undefined ? '' : `, group ${group} port ${port}`;
  return `${role} on ${device}, id ${syncId}${where}`;
}

function stepText(step: SyncStep): string {
  if (step.kind === 'start') return 'did not run';
  return step.isStranded ? 'lost its interface' : 'should not run';
}

/** What was found wrong, in words: `backup on eth1, id 51 did not run`. */
export function syncStepsText(steps: readonly SyncStep[]): string {
  const stranded = new Set(
    steps.filter((step) => step.kind === 'stop' && step.isStranded).map(({ daemon }) => daemon.role),
  );
  const told = steps.filter(({ kind, daemon }) => kind === 'stop' || !stranded.has(daemon.role));
  return told.map((step) => `${syncDaemonText(step.daemon)} ${stepText(step)}`).join('; ');
}
