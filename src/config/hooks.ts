/** Completes `hooks:` and `vrrp.NAME.notify`. */
import type { Static } from 'typebox';
import { parseDuration, seconds } from '../core/units.js';
import type { HookPlan, Hooks } from '../hooks/model.js';
import type { RouterConfig } from '../vrrp/status.js';
import { type Checked, type Context, type Cursor, FAULTY, member, read, report } from './cursor.js';
import { programOf } from './program.js';
import type { hooks } from './schema-hooks.js';
import type { RawRouter } from './schema-vrrp.js';

type At = Cursor<Static<typeof hooks>>;

const DEADLINE = '10s';

function hooksOf(context: Context, at: At): Checked<Hooks> {
  const words = member(at, 'program');
  const argv = words === undefined ? undefined : words === FAULTY ? FAULTY : programOf(context, words);
  const fifo = member(at, 'fifo');
  const given = read(at, 'deadline', DEADLINE);
  const user = member(at, 'user');
  if (argv === FAULTY || fifo === FAULTY || given === FAULTY || user === FAULTY) return FAULTY;
  if (argv === undefined && fifo === undefined)
    return report(context, at, 'nobody is told; say `program` or `fifo`, or leave it out');
  const deadline = parseDuration(given) ?? seconds(10);
  return {
    program: argv === undefined ? undefined : { argv, user: user?.value, deadline },
    fifo: fifo?.value,
  };
}

function membersOf(routers: readonly RouterConfig[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { group, instance } of routers) {
    if (group === undefined) continue;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [instance.name]);
    else members.push(instance.name);
  }
  return groups;
}

/** All hooks. @param at `hooks:` @param entries those of `vrrp:` @param routers the complete ones */
export function hookPlan(
  context: Context,
  at: Checked<At> | undefined,
  entries: ReadonlyMap<string, Cursor<RawRouter>>,
  routers: readonly RouterConfig[],
): HookPlan {
  const all = at === undefined || at === FAULTY ? undefined : hooksOf(context, at);
  const single = new Map<string, Hooks>();
  for (const [name, router] of entries) {
    const own = member(router, 'notify');
    const found = own === undefined || own === FAULTY ? FAULTY : hooksOf(context, own);
    if (found !== FAULTY) single.set(name, found);
  }
  return { all: all === FAULTY ? undefined : all, single, groups: membersOf(routers) };
}
